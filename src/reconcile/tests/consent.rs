//! A stored refresh token is sent only where its owner allowed: the author of a spec may change the spec, and reads no Secret.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    model::{logins::Logins, objects::Provided},
    provider::refuse,
    world::{STATE, TARGET, World, seconds},
};
use crate::{
    api::{
        ConditionStatus, ConditionType, CubeCredentialSpec, CubeCredentialStatus, Grant, Reason,
        annotation,
    },
    oauth::endpoint::Endpoint,
    reconcile::{EventKind, SourceValue},
};

const ELSEWHERE: &str = "https://elsewhere.example/token";

/// A login whose refresh token has been rotated.
fn begun() -> World {
    let mut world = World::signed_in();
    world.seed_name = Some("seed");
    world.settle();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
    world.events.clear();
    world
}

/// A login whose `CubeCredential` was deleted and created again: only its Secrets are left.
fn created_again(edit: impl FnOnce(&mut CubeCredentialSpec)) -> World {
    let mut world = begun();
    world.uid = "another-uid".into();
    world.generation = 1;
    world.status = CubeCredentialStatus::default();
    for secret in world.cluster.secrets.values_mut() {
        secret.owner_lives = false;
    }
    edit(&mut world.spec);
    world.restart();
    world
}

impl World {
    /// A refresh is due, and does not happen.
    #[track_caller]
    fn assert_nothing_is_sent(&mut self, reason: &str) {
        let before = self.provider.exchanges.len();
        self.request = Some(format!("request-{before}"));
        self.settle();
        assert_eq!(self.provider.exchanges.len(), before, "nothing is sent");
        assert_eq!(
            self.refreshed_is(),
            (ConditionStatus::False, reason.to_owned())
        );
    }

    /// A refresh is due, and sends this token.
    #[track_caller]
    fn assert_sent(&mut self, token: &str) {
        let before = self.provider.exchanges.len();
        self.request = Some(format!("request-{before}"));
        self.settle();
        let sent = &self.provider.exchanges[before..];
        let sent: Vec<_> = sent
            .iter()
            .map(|exchange| {
                exchange
                    .request
                    .grant
                    .refresh_token()
                    .unwrap()
                    .expose_secret()
            })
            .collect();
        assert_eq!(sent, [token], "{:#?}", self.status);
        assert_eq!(self.ready_is().0, ConditionStatus::True);
    }

    fn edit_seed(&mut self, edit: impl FnOnce(&mut Provided<SourceValue>)) {
        let version = self.cluster.next_version();
        let seed = self.seed.as_mut().unwrap();
        seed.version = version;
        edit(seed);
    }

    /// A person edits the record of the state.
    fn edit_record(&mut self, edit: impl FnOnce(&mut Value)) {
        self.cluster.edit(STATE, |secret| {
            let mut record = serde_json::from_str(&secret.data["record"]).unwrap();
            edit(&mut record);
            secret.data.insert("record".into(), record.to_string());
        });
    }

    /// The state as a version before bindings wrote it.
    fn forget_binding(&mut self) {
        self.edit_record(|record| {
            let binding = record.as_object_mut().unwrap().remove("binding");
            assert!(binding.is_some());
        });
    }
}

fn to_elsewhere(spec: &mut CubeCredentialSpec) {
    spec.token_url = Some(ELSEWHERE.into());
}

fn to_absent(spec: &mut CubeCredentialSpec) {
    spec.refresh_token_ref.as_mut().unwrap().name = "absent".into();
}

#[test]
fn another_endpoint_gets_no_stored_token_even_if_no_list_of_hosts_forbids_it() {
    for url in [
        ELSEWHERE,
        "https://api.cubesoftware.com/o/echo/",
        "https://api.cubesoftware.com:8443/o/token/",
    ] {
        let mut world = begun();
        world.edit_spec(|spec| spec.token_url = Some(url.into()));
        world.assert_nothing_is_sent("StateConflict");
        assert!(
            world
                .message(ConditionType::Refreshed)
                .starts_with(
                    "the refresh token in Secret \"cubewire-cube-state\" is for https://api.cubesoftware.com/o/token/ only: set \
                     spec.tokenURL back to that, or sign in for the new endpoint and write its refresh token into key \
                     \"refresh-token\" of Secret \"seed\"; nothing is sent before that"
                )
        );
        world.edit_spec(|spec| spec.token_url = None);
        world.assert_sent("S3CRET-refresh-3");
    }
}

#[test]
fn the_query_of_the_endpoint_may_change() {
    let mut world = begun();
    let url = "https://api.cubesoftware.com/o/token/?tenant=a";
    world.edit_spec(|spec| spec.token_url = Some(url.into()));
    world.assert_sent("S3CRET-refresh-3");
}

#[test]
fn a_new_sign_in_is_for_the_endpoint_that_the_spec_names_and_the_login_before_comes_back_to_its_own()
 {
    let mut world = begun();
    let old = world.seed.clone();
    world.edit_spec(to_elsewhere);
    world.provider.script = [refuse(Reason::EndpointNotFound)].into();
    world.sign_in();
    world.settle();
    let sent = world.provider.exchanges.last().unwrap();
    assert_eq!(sent.request.endpoint, Endpoint::parse(ELSEWHERE).unwrap());
    // The seed of the login before is there again, but not its endpoint.
    world.seed = old;
    world.edit_seed(|_| {});
    world.assert_nothing_is_sent("StateConflict");
    world.provider.logins = Logins::new(world.provider.logins.rules);
    world.edit_spec(|spec| spec.token_url = None);
    world.request = Some("again".into());
    world.settle();
    let sent = &world.provider.exchanges.last().unwrap().request;
    let token = sent.grant.refresh_token().unwrap().expose_secret();
    assert_eq!(token, "S3CRET-refresh-3");
    assert_eq!(sent.endpoint.host(), "api.cubesoftware.com");
}

#[test]
fn a_token_that_was_not_rotated_goes_where_its_labelled_secret_allows() {
    let mut world = World::signed_in();
    world.provider.logins.rules.rotates = false;
    world.settle();
    world.edit_seed(|seed| seed.token_hosts = Some("elsewhere.example".into()));
    world.edit_spec(to_elsewhere);
    world.assert_sent("S3CRET-refresh-1");
    world.edit_spec(|spec| spec.token_url = None);
    world.assert_nothing_is_sent("HostNotAllowed");
}

#[test]
fn an_absent_secret_is_no_consent_under_another_name() {
    let mut world = begun();
    world.edit_spec(to_absent);
    world.assert_nothing_is_sent("StateConflict");
    world.edit_spec(|spec| spec.refresh_token_ref.as_mut().unwrap().name = "seed".into());
    world.seed = None;
    world.assert_sent("S3CRET-refresh-3");
}

#[test]
fn the_secret_may_move_to_another_name_with_its_token() {
    let mut world = begun();
    world.seed_name = Some("moved");
    world.edit_spec(|spec| spec.refresh_token_ref.as_mut().unwrap().name = "moved".into());
    world.assert_sent("S3CRET-refresh-3");
    // From now on its owner's consent counts.
    world.edit_seed(|seed| seed.labelled = false);
    world.assert_nothing_is_sent("RefreshTokenNotLabelled");
}

#[test]
fn a_withdrawn_consent_is_not_avoided_by_an_edit_of_the_spec() {
    for edit in [to_elsewhere, to_absent] {
        let mut world = begun();
        world.edit_seed(|seed| seed.labelled = false);
        world.assert_nothing_is_sent("RefreshTokenNotLabelled");
        world.edit_spec(edit);
        let before = world.provider.exchanges.len();
        world.request = Some("another".into());
        world.settle();
        assert_eq!(world.provider.exchanges.len(), before);
    }
}

#[test]
fn the_narrower_of_the_recorded_and_the_present_hosts_holds() {
    // Added later.
    let mut world = begun();
    world.edit_seed(|seed| seed.token_hosts = Some("elsewhere.example".into()));
    world.assert_nothing_is_sent("HostNotAllowed");
    // Recorded, and wider where another labelled Secret with a past seed is named.
    let mut world = World::signed_in();
    world.edit_seed(|seed| seed.token_hosts = Some("api.cubesoftware.com".into()));
    world.settle();
    let old = world.seed.clone();
    world.sign_in();
    world.edit_seed(|seed| seed.token_hosts = Some("api.cubesoftware.com".into()));
    world.settle();
    world.seed = old;
    world.edit_seed(|seed| seed.token_hosts = None);
    world.forget_binding();
    world.edit_spec(to_elsewhere);
    world.assert_nothing_is_sent("HostNotAllowed");
}

#[test]
fn a_state_of_a_deleted_object_is_adopted_with_its_labelled_seed_only() {
    let mut world = created_again(|_| {});
    world.seed = None;
    world.assert_nothing_is_sent("StateConflict");
    let world = &mut created_again(to_elsewhere);
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1, "nothing is sent");
    let world = &mut created_again(|_| {});
    world.assert_sent("S3CRET-refresh-3");
    world.seed = None;
    world.assert_sent("S3CRET-refresh-5");
}

#[test]
fn no_write_makes_a_state_this_objects_before_its_seed_does() {
    let mut world = created_again(|_| {});
    let owner =
        |world: &World| world.cluster.secrets[STATE].annotations[annotation::OWNER_UID].clone();
    let before = owner(&world);
    world.seed = None;
    world.settle();
    assert_eq!(owner(&world), before);
    let mut world = created_again(|_| {});
    world.settle();
    assert_eq!(owner(&world), "another-uid");
}

#[test]
fn the_access_token_of_a_predecessors_state_is_published_only_with_its_seed() {
    for (seed, published) in [(true, true), (false, false)] {
        let mut world = created_again(|_| {});
        world.cluster.secrets.remove(TARGET);
        if !seed {
            world.seed = None;
        }
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(world.token().is_some(), published);
    }
}

#[test]
fn a_state_without_a_binding_is_bound_while_the_spec_is_the_one_it_was_issued_for() {
    let mut world = begun();
    world.seed = None;
    world.forget_binding();
    world.assert_sent("S3CRET-refresh-3");
    let record = &world.cluster.secrets[STATE].data["record"];
    assert!(
        record.contains(
            r#""binding":{"endpoint":"https://api.cubesoftware.com/o/token/","secret":"seed","key":"refresh-token"}"#
        ),
        "{record}"
    );
    // The spec has changed since.
    world.forget_binding();
    world.edit_spec(to_elsewhere);
    world.assert_nothing_is_sent("StateConflict");
    world.edit_spec(|spec| spec.token_url = None);
    world.assert_nothing_is_sent("StateConflict");
}

#[test]
fn a_number_that_no_response_can_follow_is_damage() {
    let mut world = begun();
    world.edit_record(|record| record["generation"] = u64::MAX.into());
    world.assert_nothing_is_sent("StateConflict");
}

#[test]
fn a_target_with_a_number_that_no_response_can_follow_is_repaired_from_the_state() {
    let mut world = begun();
    world.cluster.edit(TARGET, |secret| {
        let end = u64::MAX.to_string();
        secret.annotations.insert(annotation::ROTATION.into(), end);
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let target = &world.cluster.secrets[TARGET];
    assert_eq!(target.annotations[annotation::ROTATION], "1");
}

#[test]
fn what_a_person_wrote_into_a_state_is_shown_as_a_providers_text_is() {
    let mut world = begun();
    world.provider.logins.revoke();
    world.request = Some("rejected".into());
    world.settle();
    let honest = world.message(ConditionType::Refreshed).to_owned();
    for (forged, shown) in [
        ("no\u{202e}pe\u{1b}[31m\n\u{2066}", "nope[31m: "),
        ("aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8", "...: "),
    ] {
        world.edit_record(|record| record["rejection"]["what"] = forged.into());
        world.restart();
        world.settle();
        let message = world.message(ConditionType::Refreshed);
        assert!(message.starts_with(shown), "{message:?}");
        assert_eq!(message.split(": ").nth(1), honest.split(": ").nth(1));
    }
    world.edit_record(|record| {
        record["issued"]["scopes"] = serde_json::json!(["re\u{202e}ad", "\u{202e}"]);
        record["rejection"] = serde_json::Value::Null;
        record["tokenHosts"] = "\u{202e}*".into();
    });
    world.cluster.secrets.remove(TARGET);
    world.restart();
    world.settle();
    assert_eq!(world.status.scopes, ["read"]);
    world.edit_record(|record| record["binding"]["endpoint"] = "\u{202e}".into());
    world.assert_nothing_is_sent("StateConflict");
    let shown = format!("{:?}{:?}", world.status, world.events);
    assert!(
        !world
            .status
            .conditions
            .iter()
            .any(|condition| condition.message.contains('\u{202e}'))
    );
    assert!(!shown.contains('\u{202e}'));
}

#[test]
fn a_change_of_grant_says_that_the_refresh_token_is_left() {
    let mut world = begun();
    // The provider counts the tokens of this grant from 0.
    world.newest_published = 0;
    world.edit_spec(|spec| {
        spec.grant = Grant::ClientCredentials;
        spec.refresh_token_ref = None;
    });
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.state_reads), (1, 1));
    let events = std::mem::take(&mut world.events);
    let left: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::RefreshTokenLeft)
        .map(|event| event.note.as_str())
        .collect();
    assert_eq!(
        left,
        [
            "Secret \"cubewire-cube-state\" still holds the refresh token of the earlier grant: unless you will set spec.grant back, \
          sign out at the provider and run `kubectl delete secret cubewire-cube-state -n treasury`"
        ]
    );
    // It is said once, and costs nothing later.
    world.restart();
    world.pass(seconds(7200));
    assert_eq!(world.costs.state_reads, 1);
    assert_eq!(world.take_events(), []);
    world.edit_spec(|spec| {
        spec.grant = Grant::RefreshToken;
        spec.refresh_token_ref = World::signed_in().spec.refresh_token_ref;
    });
    world.settle();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-5"));
}

#[test]
fn a_left_refresh_token_is_no_hindrance_to_another_grant() {
    let mut world = begun();
    world.provider.logins.revoke();
    world.request = Some("rejected".into());
    world.settle();
    assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
    // The provider counts the tokens of this grant from 0.
    world.newest_published = 0;
    world.edit_spec(|spec| {
        spec.grant = Grant::ClientCredentials;
        spec.refresh_token_ref = None;
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

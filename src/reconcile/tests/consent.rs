//! A stored refresh token is sent only where its owner allowed: the author of a spec may change the spec, and reads no Secret.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    model::{logins::Logins, objects::Provided},
    provider::refuse,
    world::{STATE, TARGET, World},
};
use crate::{
    api::{
        ConditionStatus, ConditionType, CubeCredentialSpec, CubeCredentialStatus, DeletionPolicy,
        Reason, annotation,
    },
    oauth::endpoint::Endpoint,
    reconcile::SourceValue,
};

const ELSEWHERE: &str = "https://elsewhere.example/token";

/// A login whose `CubeCredential` was deleted and created again: only its Secrets are left.
fn created_again(edit: impl FnOnce(&mut CubeCredentialSpec)) -> World {
    let mut world = World::begun();
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
    /// A login whose refresh token has been rotated.
    pub(super) fn begun() -> Self {
        let mut world = Self::signed_in();
        world.seed_name = Some("seed");
        world.settle();
        assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
        world.events.clear();
        world
    }

    /// A refresh is due, and does not happen.
    #[track_caller]
    pub(super) fn assert_nothing_is_sent(&mut self, reason: &str) {
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
    pub(super) fn assert_sent(&mut self, token: &str) {
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
    pub(super) fn edit_record(&mut self, edit: impl FnOnce(&mut Value)) {
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
        let mut world = World::begun();
        world.edit_spec(|spec| spec.token_url = Some(url.into()));
        world.assert_nothing_is_sent("StateConflict");
        assert!(
            world
                .message(ConditionType::Refreshed)
                .starts_with(
                    "the refresh token in Secret \"cubewire-cube-state\" is for https://api.cubesoftware.com/o/token/ only: set \
                     spec.tokenURL back, or sign in again and write the new one to Secret \"seed\""
                )
        );
        world.edit_spec(|spec| spec.token_url = None);
        world.assert_sent("S3CRET-refresh-3");
    }
}

#[test]
fn the_query_of_the_endpoint_may_change() {
    let mut world = World::begun();
    let url = "https://api.cubesoftware.com/o/token/?tenant=a";
    world.edit_spec(|spec| spec.token_url = Some(url.into()));
    world.assert_sent("S3CRET-refresh-3");
}

#[test]
fn a_new_sign_in_is_for_the_endpoint_that_the_spec_names_and_the_login_before_comes_back_to_its_own()
 {
    let mut world = World::begun();
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
    let mut world = World::begun();
    world.edit_spec(to_absent);
    world.assert_nothing_is_sent("StateConflict");
    world.edit_spec(|spec| spec.refresh_token_ref.as_mut().unwrap().name = "seed".into());
    world.seed = None;
    world.assert_sent("S3CRET-refresh-3");
}

#[test]
fn the_secret_may_move_to_another_name_with_its_token() {
    let mut world = World::begun();
    world.seed_name = Some("moved");
    world.edit_spec(|spec| spec.refresh_token_ref.as_mut().unwrap().name = "moved".into());
    world.assert_sent("S3CRET-refresh-3");
    // From now on its owner's consent counts.
    world.edit_seed(|seed| seed.labelled = false);
    world.assert_nothing_is_sent("RefreshTokenNotLabelled");
}

#[test]
fn an_earlier_token_in_another_secret_is_no_consent_to_a_later_login() {
    let mut world = World::signed_in();
    world.settle();
    let earlier = world.seed.clone();
    world.sign_in();
    world.settle();
    world.seed = earlier;
    world.seed_name = Some("moved");
    world.edit_seed(|seed| seed.labelled = true);
    world.edit_spec(|spec| spec.refresh_token_ref.as_mut().unwrap().name = "moved".into());
    world.assert_nothing_is_sent("StateConflict");
}

#[test]
fn a_withdrawn_consent_is_not_avoided_by_an_edit_of_the_spec() {
    for edit in [to_elsewhere, to_absent] {
        let mut world = World::begun();
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
    let mut world = World::begun();
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
    let mut world = created_again(|spec| {
        spec.target.deletion_policy = Some(DeletionPolicy::Delete);
    });
    let owner =
        |world: &World| world.cluster.secrets[STATE].annotations[annotation::OWNER_UID].clone();
    let before = owner(&world);
    world.seed = None;
    world.settle();
    assert_eq!(owner(&world), before);
    let mut world = created_again(|spec| {
        spec.target.deletion_policy = Some(DeletionPolicy::Delete);
    });
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
    let mut world = World::begun();
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

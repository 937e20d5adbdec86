//! The findings of `cube-operator check` about a credential: in the words of the conditions, and never with a secret.

use super::{
    secrets::name_keys,
    world::{TARGET, World, seconds},
};
use crate::{
    api::Reason,
    reconcile::{
        Finding, Inspection, Mark, Observed, Read, SourceValue, absorb, conditions,
        tests::provider::refuse,
    },
};

/// A finding as the report shows it.
#[derive(Debug, PartialEq)]
struct Shown {
    mark: Mark,
    text: String,
}

impl Shown {
    fn good(text: impl Into<String>) -> Self {
        Self::new(Mark::Good, text)
    }

    fn notice(text: impl Into<String>) -> Self {
        Self::new(Mark::Notice, text)
    }

    fn bad(text: impl Into<String>) -> Self {
        Self::new(Mark::Bad, text)
    }

    fn new(mark: Mark, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { mark, text }
    }

    fn all(findings: Vec<Finding>) -> Vec<Self> {
        findings.into_iter().map(Self::from).collect()
    }
}

impl From<Finding> for Shown {
    fn from(finding: Finding) -> Self {
        Self::new(finding.mark, finding.to_string())
    }
}

impl World {
    /// The observation after every read.
    fn observed(&mut self) -> Observed {
        let mut observed = self.observe();
        let settings = observed.settings.clone().unwrap();
        let reads = [
            Read::target(&settings, &observed.target),
            Read::source(&settings, &observed.source),
        ];
        for what in reads.into_iter().chain(Read::ca_bundle(&settings)) {
            let outcome = self.read(&what, &observed);
            absorb(&mut observed, outcome, self.now);
        }
        observed
    }

    fn conditions_found(&mut self) -> Vec<Shown> {
        let crate::reconcile::Credential {
            status, generation, ..
        } = self.observe().credential;
        Shown::all(conditions(&status, generation, self.now))
    }

    fn target_found(&mut self) -> Shown {
        let observed = self.observed();
        Inspection::of(&observed, self.now).unwrap().target().into()
    }
}

fn synced() -> String {
    format!("token in Secret {TARGET:?} is valid until 2026-11-21T11:00:00Z")
}

fn issued() -> Shown {
    Shown::good(
        "Refreshed: token issued at 2026-11-21T10:00:00Z; next request at 2026-11-21T10:54:40Z",
    )
}

#[test]
fn a_healthy_credential_is_good_throughout() {
    let mut world = World::ready();
    let ready = Shown::good(format!("Ready: {}", synced()));
    assert_eq!(world.conditions_found(), [ready, issued()]);
    let observed = world.observed();
    let inspection = Inspection::of(&observed, world.now).unwrap();
    let host = "api.cubewire.com";
    let spec = format!(
        "the spec requests a token from https://{host}/api/v1/oauth2/token, grant ClientCredentials"
    );
    assert_eq!(Shown::all(inspection.spec()), [Shown::good(spec)]);
    let source = "Secret \"cubewire-client\" has the label, and well-formed \"client-id\" and \"client-secret\"";
    assert_eq!(Shown::from(inspection.source()), Shown::good(source));
    let hosts = format!("no list of hosts denies {host}");
    assert_eq!(Shown::from(inspection.hosts()), Shown::good(hosts));
    assert_eq!(Shown::from(inspection.target()), Shown::good(synced()));
    let absent = [
        inspection.seed(),
        inspection.state(),
        inspection.ca_bundle(),
    ];
    assert_eq!(
        absent.map(|found| found.map(Shown::from)),
        [None, None, None]
    );
}

#[test]
fn of_two_client_secrets_a_check_says_which_exist_and_which_one_works() {
    let mut world = World::new();
    name_keys(&mut world.spec, "client-secret,next");
    world.edit_source(|source| source.values.next_secret = SourceValue::Text("S3CRET-2".into()));
    world.settle();
    let found = |world: &mut World| {
        let observed = world.observed();
        Shown::from(Inspection::of(&observed, world.now).unwrap().source())
    };
    let shown = |keys: &str| {
        Shown::good(format!(
            "Secret \"cubewire-client\" has the label, and well-formed {keys} (the provider last accepted \"client-secret\")"
        ))
    };
    let both = "\"client-id\" and \"client-secret\" and \"next\"";
    assert_eq!(found(&mut world), shown(both));
    world.edit_source(|source| source.values.secret = SourceValue::Absent);
    assert_eq!(found(&mut world), shown("\"client-id\" and \"next\""));
}

#[test]
fn the_end_of_a_login_is_a_notice_a_week_before_and_a_fault_after_it() {
    let mut world = World::signed_in();
    let idle = 8 * 86_400;
    world.provider.logins.rules.idle = Some(idle);
    world.settle();
    let end = world.now + seconds(idle);
    let found = |world: &mut World| {
        let observed = world.observed();
        let found = Inspection::of(&observed, world.now).unwrap().login_end();
        Shown::from(found.unwrap())
    };
    let extended = format!("the login ends at {end}, unless a refresh extends it");
    assert_eq!(found(&mut world), Shown::good(extended));
    world.provider.logins.rules.idle = Some(end.duration_since(world.wake_at.unwrap()).as_secs());
    world.wake();
    let fixed =
        format!("the login ends at {end}, and no refresh extends it: sign in again before that");
    assert_eq!(found(&mut world), Shown::good(fixed.clone()));
    world.now = end - seconds(6 * 86_400);
    assert_eq!(found(&mut world), Shown::notice(fixed));
    world.now = end;
    let ended = format!("the login ended at {end}: sign in again");
    assert_eq!(found(&mut world), Shown::bad(ended));
}

#[test]
fn a_failing_refresh_is_a_notice_while_the_token_lives_and_one_fault_after_it() {
    let mut world = World::ready();
    world.provider.otherwise = refuse(Reason::Unavailable);
    world.pass(seconds(3500));
    let found = world.conditions_found();
    let ready = format!(
        "Ready: {}, but refresh is failing (Unavailable): consumers lose access then unless this is fixed",
        synced()
    );
    assert_eq!(found[0], Shown::good(ready));
    let start = "Refreshed is False, Unavailable: ";
    assert!(found[1].text.starts_with(start), "{found:?}");
    assert_eq!(found[1], Shown::notice(found[1].text.clone()));
    world.pass(seconds(200));
    let found = world.conditions_found();
    assert!(
        found[0].text.starts_with("Ready is False, Unavailable: "),
        "{found:?}"
    );
    assert_eq!(
        found,
        [0, 1].map(|at: usize| Shown::bad(found[at].text.clone()))
    );
}

#[test]
fn an_operator_that_does_not_run_is_noticed() {
    let mut world = World::new();
    let never = "the operator has not observed it yet: check that it runs, and that it watches this namespace";
    assert_eq!(world.conditions_found(), [Shown::bad(never)]);
    world.settle();
    world.edit_spec(|spec| spec.description = Some("new".into()));
    let stale =
        "the operator has not observed the present spec yet: if this persists, check that it runs";
    assert_eq!(world.conditions_found()[2..], [Shown::notice(stale)]);
    world.settle();
    assert_eq!(world.conditions_found().len(), 2);
    world.now += seconds(4000);
    let overdue = "an exchange was planned for 2026-11-21T10:54:40Z and was not made: check that the operator runs";
    let ready = "Ready is out of date: the token expired at 2026-11-21T11:00:00Z, 6 min ago, and the operator has not updated the \
                 status since: check that it runs, and that it watches this namespace";
    let found = world.conditions_found();
    assert_eq!(found[0], Shown::bad(ready));
    assert_eq!(found[2..], [Shown::bad(overdue)]);
    let expired = format!(
        "the token in Secret {TARGET:?} expired at 2026-11-21T11:00:00Z: fix the faults here; if there are none, check that the \
         operator runs"
    );
    assert_eq!(world.target_found(), Shown::bad(expired));
}

#[test]
fn a_target_is_judged_by_what_it_holds() {
    let mut world = World::ready();
    world.put_source("S3CRET-2");
    let outdated = format!(
        "{}, but was issued for an earlier spec, client or sign-in: the operator replaces it",
        synced()
    );
    assert_eq!(world.target_found(), Shown::notice(outdated));
    let mut world = World::ready();
    world.cluster.edit(TARGET, |secret| {
        secret
            .data
            .insert("access-token".into(), "S3CRET-edited".into());
    });
    let damaged = format!(
        "Secret {TARGET:?} does not hold what the operator wrote: it is repaired within seconds; if this persists, check \
         that the operator runs"
    );
    assert_eq!(world.target_found(), Shown::bad(damaged));
}

#[test]
fn a_spec_that_cannot_be_used_and_one_that_rests_are_told() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.suspend = true);
    let observed = world.observed();
    let suspended = "no token is requested while spec.suspend is true: set it to false to resume";
    let spec = Shown::all(Inspection::of(&observed, world.now).unwrap().spec());
    assert_eq!(spec[1..], [Shown::notice(suspended)]);
    world.edit_spec(|spec| spec.refresh_before = "soon".into());
    let observed = world.observe();
    let unusable = "spec.refreshBefore is \"soon\": write a duration such as 5m or 1h30m";
    assert_eq!(
        Inspection::of(&observed, world.now)
            .err()
            .map(|found| Shown::from(*found)),
        Some(Shown::bad(unusable))
    );
}

#[test]
fn the_keys_of_templates_are_named_and_not_what_they_render_to() {
    let mut world = World::new();
    world.edit_spec(|spec| {
        let key = |name: &str| (name.to_owned(), "{{ access_token }}".to_owned());
        spec.target.data = [key("header"), key(".netrc")].into();
    });
    world.settle();
    let found = format!("{}, with templates for .netrc, header", synced());
    assert_eq!(world.target_found(), Shown::good(found));
}

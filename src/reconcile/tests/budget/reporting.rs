//! The conditions and events once a request that waited has been made.

use super::{settle, worlds};
use crate::{
    api::{
        ConditionStatus,
        ConditionType::{Reconciling, Refreshed},
        Reason,
    },
    reconcile::{
        EventKind,
        tests::{provider::issue_narrowed, world::seconds},
    },
};

#[test]
fn a_target_whose_repair_waits_is_told_of_when_it_is_repaired() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.spec.scopes = vec!["read".into(), "write".into()];
    world.request = Some("of-yesterday".into());
    world.provider.otherwise = issue_narrowed();
    world.settle();
    world.take_events();
    world.cluster.secrets.clear();
    world.settle();
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "RateBudget".into())
    );
    assert_eq!(world.take_events(), []);
    world.wake();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.take_events(), [EventKind::TargetRepaired]);
    world.pass(seconds(7200));
    assert_eq!(world.take_events(), [], "once");
}

#[test]
fn a_refusal_whose_end_waits_is_told_to_be_over_when_there_is_a_token() {
    let mut worlds = worlds(2);
    let source = worlds[1].source.take();
    settle(&mut worlds);
    let world = &mut worlds[1];
    let reported = world.take_events();
    assert_eq!(reported, [EventKind::Failed(Reason::ClientSecretNotFound)]);
    world.source = source;
    world.settle();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::Unknown, "RateBudget".into())
    );
    assert_eq!(world.take_events(), []);
    world.wake();
    assert_eq!(world.take_events(), [EventKind::TokenIssued]);
    world.pass(seconds(7200));
    assert_eq!(world.take_events(), [], "once");
}

#[test]
fn scopes_that_are_narrowed_again_are_told_of_also_if_the_new_spec_had_to_wait_for_its_token() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.spec.scopes = vec!["read".into(), "write".into()];
    world.provider.otherwise = issue_narrowed();
    world.settle();
    world.take_events();
    world.edit_spec(|spec| spec.scopes.push("admin".into()));
    world.settle();
    assert_eq!(world.take_events(), []);
    world.wake();
    assert_eq!(world.take_events(), [EventKind::ScopeNarrowed]);
}

#[test]
fn a_failure_that_also_waits_keeps_its_reason_and_says_when_its_turn_is() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.provider.accepts = Some("S3CRET-9".into());
    world.settle();
    let before = world.message(Refreshed).to_owned();
    world.now += seconds(2);
    world.put_source("S3CRET-2");
    world.settle();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "InvalidClient".into())
    );
    let (start, _) = before.split_once("retrying at ").unwrap();
    let expected = format!("{start}retrying at 2026-11-21T10:00:12Z");
    assert_eq!(world.message(Refreshed), expected);
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.condition(Reconciling).0, ConditionStatus::True);
    // Nor does a restart change what is said.
    world.restart();
    world.settle();
    assert_eq!(world.message(Refreshed), expected);
    // A secret that follows a refused one leaves a request for other namespaces.
    world.wake();
    assert_eq!(world.provider.exchanges.len(), 1);
    world.wake();
    assert_eq!(world.provider.exchanges.len(), 2);
    assert_eq!(
        world.take_events(),
        [EventKind::Failed(Reason::InvalidClient)]
    );
}

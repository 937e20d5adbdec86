//! An exchange that waits until others have ended.

use super::{
    model::cluster::Fault::Refused,
    provider::{issue, refuse},
    world::{Costs, STATE, World, seconds},
};
use crate::{
    api::{
        ConditionStatus,
        ConditionType::{Ready, Reconciling, Refreshed},
        Reason,
    },
    reconcile::Slot,
};

fn crowded(world: &mut World) {
    world.slot = Slot::Later { since: world.now };
}

const WAITS: &str = "waiting for other token requests of this namespace to finish: no action needed; if this persists, look for \
                     token endpoints in this namespace that do not respond";

#[test]
fn an_exchange_that_waits_for_others_says_so_after_a_moment() {
    let mut world = World::new();
    crowded(&mut world);
    let costs = world.cost_of(World::settle);
    let read = Costs {
        source_reads: 1,
        ..Costs::default()
    };
    assert_eq!(
        costs, read,
        "most waits are over before anybody reads of them"
    );
    assert_eq!(world.wake_at, Some(world.now + seconds(5)));
    let costs = world.cost_of(World::wake);
    assert_eq!(costs.reports, 1);
    assert_eq!(world.message(Refreshed), WAITS);
    for r#type in [Ready, Refreshed, Reconciling] {
        assert_eq!(world.condition(r#type).1, "RateBudget");
    }
    assert_eq!(world.refreshed_is().0, ConditionStatus::Unknown);
    assert!(world.permits.is_empty(), "a permit would be held back");
    assert_eq!(world.status.refresh_at, None);
    assert!(world.events.is_empty(), "it is no failure");
}

#[test]
fn asking_again_for_a_slot_reads_nothing() {
    let mut world = World::new();
    crowded(&mut world);
    world.settle();
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.source_reads, costs.exchanges), (0, 0));
    // Changed inputs are looked at before they wait.
    world.put_source("S3CRET-2");
    assert_eq!(world.cost_of(World::settle).source_reads, 1);
    world.slot = Slot::Taken;
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_refresh_that_waits_keeps_ready_true_and_names_the_expiry_of_its_token() {
    let mut world = World::ready();
    let expires_at = world.status.expires_at.unwrap();
    world.slot_deadlines.clear();
    crowded(&mut world);
    world.slot = Slot::Later {
        since: world.status.refresh_at.unwrap(),
    };
    world.wake();
    world.wake();
    let deadlines = &world.slot_deadlines;
    assert!(!deadlines.is_empty() && deadlines.iter().all(|at| *at == expires_at));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.message(Refreshed), WAITS);
    assert_eq!(world.wake_at, Some(expires_at), "then it is not ready");
}

#[test]
fn a_credential_without_a_token_is_as_urgent_as_a_refresh_that_is_due() {
    let mut world = World::new();
    world.settle();
    assert_eq!(world.slot_deadlines, [world.now + seconds(300)]);
}

#[test]
fn a_refresh_token_is_not_claimed_before_its_exchange_has_a_slot() {
    let mut world = World::signed_in();
    crowded(&mut world);
    assert_eq!(world.cost_of(World::settle).stores, 0);
    assert!(!world.cluster.secrets.contains_key(STATE));
    world.slot = Slot::Taken;
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.stores, costs.exchanges), (2, 1));
}

#[test]
fn an_exchange_that_follows_a_wait_in_the_same_reconcile_takes_a_slot_again() {
    let mut world = World::signed_in();
    world.settle();
    world.provider.script = [issue(1)].into();
    world.slot_deadlines.clear();
    // The claim is stored. When its response can be stored at last, the token has expired.
    world.cluster.faults = [None].into_iter().chain([Some(Refused); 8]).collect();
    world.request = Some("another".into());
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.slot_deadlines.len(), 2);
}

#[test]
fn a_failure_stays_reported_while_its_retry_waits_for_others() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::Unavailable);
    world.settle();
    let before = world.status.clone();
    crowded(&mut world);
    world.slot = Slot::Later {
        since: world.now - seconds(60),
    };
    let costs = world.cost_of(World::wake);
    // The time of the attempt, which is over, is taken back.
    assert_eq!((costs.exchanges, costs.reports), (0, 1));
    assert_eq!(world.status.conditions, before.conditions);
    assert_eq!(world.cost_of(World::settle).reports, 0);
}

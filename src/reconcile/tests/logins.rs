//! A refresh token whose state cannot be written, or whose process ends: at every step of a refresh.

use super::{
    cluster::Fault::{Lost, Refused, Unanswered},
    provider::issue,
    world::{STATE, World, seconds},
};
use crate::{
    api::{ConditionStatus, DeletionPolicy, Reason},
    reconcile::{Action, EventKind},
};

fn is_exchange(action: &Action) -> bool {
    matches!(action, Action::Exchange(_))
}

fn stores_a_response(action: &Action) -> bool {
    matches!(action, Action::Store(state) if !state.claims)
}

/// A world whose process ended before such an action of its first refresh.
fn ended_before(action: fn(&Action) -> bool) -> World {
    let mut world = World::signed_in();
    world.ends_before = Some(action);
    assert!(world.try_settle().is_err());
    world.restart();
    world
}

#[test]
fn nothing_is_sent_while_a_quota_refuses_the_claim() {
    let mut world = World::signed_in();
    world.cluster.faults.push_back(Some(Refused));
    world.settle();
    let refused = (ConditionStatus::False, "StateNotWritable".to_owned());
    assert_eq!(world.refreshed_is(), refused);
    assert_eq!(world.provider.exchanges.len(), 0);
    world.wake();
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_response_that_a_quota_refuses_is_stored_once_it_may_be() {
    let mut world = World::signed_in();
    // The claim, the response twice with a report of it, and everything else.
    world.cluster.faults = [None, Some(Refused), None, Some(Refused)].into();
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert!(
        world
            .take_events()
            .contains(&EventKind::Failed(Reason::StateNotWritable))
    );
}

/// Consent, spec and provider may have changed since it began.
#[test]
fn a_reconcile_that_has_waited_with_a_response_sends_nothing_more() {
    let mut world = World::signed_in();
    world.provider.otherwise = issue(20);
    world.cluster.faults = [None, Some(Refused), None].into();
    world.cluster.faults.extend([Some(Refused); 7]);
    let begun = world.now;
    world.reconcile().expect("a refusal is an outcome");
    assert!(world.now.duration_since(begun) > seconds(20));
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.wake_at, Some(world.now));
    // The token has expired, and another reconcile replaces it.
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 2);
}

#[test]
fn a_response_outlives_writes_that_are_lost() {
    let mut world = World::signed_in();
    world.cluster.faults = [None, Some(Lost), Some(Lost), Some(Lost)].into();
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
}

#[test]
fn a_restart_after_the_claim_sends_the_refresh_token_from_the_same_pod_immediately() {
    let mut world = ended_before(is_exchange);
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn another_pod_waits_for_the_end_of_the_claim() {
    let mut world = ended_before(is_exchange);
    world.process.identity = "another".into();
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 0);
    assert_eq!(world.wake_at, Some(world.now + seconds(40)));
    world.pass(seconds(39));
    assert_eq!(world.provider.exchanges.len(), 0);
    world.pass(seconds(1));
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

/// The process finishes the request of an object that was deleted in the meantime.
#[test]
fn an_object_that_is_created_again_waits_for_the_request_of_the_one_before() {
    // Another policy makes it write the state before.
    for policy in [DeletionPolicy::Delete, DeletionPolicy::Retain] {
        let mut world = ended_before(is_exchange);
        world.uid = "another-uid".into();
        world.edit_spec(|spec| spec.target.deletion_policy = Some(policy));
        for secret in world.cluster.secrets.values_mut() {
            secret.owner_lives = false;
        }
        world.settle();
        assert_eq!(world.provider.exchanges.len(), 0, "{policy:?}");
        assert_eq!(world.wake_at, Some(world.now + seconds(40)));
        world.pass(seconds(40));
        assert_eq!(world.provider.exchanges.len(), 1);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_restart_before_the_response_is_stored_finds_that_it_is_lost() {
    let mut world = ended_before(stores_a_response);
    world.settle();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "RefreshTokenLost".into())
    );
    assert_eq!(world.provider.exchanges.len(), 2);
}

#[test]
fn a_restart_within_the_providers_grace_receives_the_same_tokens_again() {
    let mut world = World::signed_in();
    world.provider.logins.rules.grace = 120;
    world.ends_before = Some(stores_a_response);
    assert!(world.try_settle().is_err());
    world.restart();
    world.settle();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
    assert_eq!(world.token(), Some("S3CRET-token-4"));
}

#[test]
fn a_restart_after_the_response_is_stored_publishes_it_without_a_request() {
    let mut world = ended_before(|action| matches!(action, Action::Publish(_)));
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.token(), Some("S3CRET-token-4"));
}

#[test]
fn a_stored_response_whose_write_was_not_confirmed_is_found_and_not_written_again() {
    let mut world = World::signed_in();
    world.cluster.faults = [None, Some(Unanswered)].into();
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.stores, costs.exchanges), (2, 1));
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
}

#[test]
fn a_response_is_not_written_over_the_successor_that_another_process_stored() {
    let mut world = World::signed_in();
    // The response stays in memory, and another process is faster.
    world.ends_before = Some(stores_a_response);
    assert!(world.try_settle().is_err());
    world.cluster.edit(STATE, |secret| {
        let successor = "S3CRET-refresh-9".to_owned();
        secret.data.insert("refresh-token".into(), successor);
    });
    world.settle();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-9"));
}

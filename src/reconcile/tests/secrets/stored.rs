//! The same for a stored refresh token: it is sent a second time only where the provider has certainly not consumed it.

use super::{NEW, OLD, sent_since, with_two, works};
use crate::{
    api::{ConditionStatus, Reason},
    reconcile::{
        Action, SourceValue,
        tests::{provider::refuse, world::World},
    },
};

fn ready() -> World {
    let mut world = with_two(World::signed_in());
    world.provider.accepts = Some(OLD.into());
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world
}

#[test]
fn a_refresh_token_is_claimed_again_for_the_second_client_secret() {
    let mut world = ready();
    world.provider.accepts = Some(NEW.into());
    world.now = world.wake_at.unwrap();
    let costs = world.cost_of(World::settle);
    assert_eq!(sent_since(&world, 1), [OLD, NEW]);
    assert_eq!(costs.stores, 4, "two claims, a release and the response");
    assert_eq!(works(&world), Some("client-secret-next"));
    assert_eq!(world.status.failures, None);
}

#[test]
fn a_process_that_ends_between_the_two_requests_loses_nothing() {
    // At each write and request of such an attempt, but for the write of the response.
    for nth in 0..5 {
        let mut world = ready();
        world.provider.accepts = Some(NEW.into());
        world.now = world.wake_at.unwrap();
        end_before_the(&mut world, nth);
        let _ = world.try_settle();
        world.ends_before = None;
        world.restart();
        // A claim of the process before may have to end.
        while world.status.client_secret_key.as_deref() != Some("client-secret-next") {
            world.settle();
            world.wake();
        }
        assert_eq!(world.ready_is().0, ConditionStatus::True, "{nth}");
        assert!(world.status.failures.is_none(), "{nth}");
        assert!(
            !world
                .take_events()
                .iter()
                .any(|event| event.reason().contains("Lost")),
            "{nth}"
        );
    }
}

/// Lets the process end before this one of its stores and exchanges.
fn end_before_the(world: &mut World, nth: usize) {
    // A predicate has no memory of its own, so it counts in a thread-local one.
    thread_local!(static LEFT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });
    LEFT.set(nth);
    world.ends_before = Some(|action| {
        if !matches!(action, Action::Store(_) | Action::Exchange(_)) {
            return false;
        }
        let left = LEFT.get();
        LEFT.set(left.saturating_sub(1));
        left == 0
    });
}

#[test]
fn a_refresh_token_whose_outcome_is_unknown_is_not_sent_with_the_second_secret() {
    let mut world = ready();
    world.provider.script = [refuse(Reason::Unavailable)].into();
    world.now = world.wake_at.unwrap();
    world.settle();
    assert_eq!(sent_since(&world, 1), [OLD]);
}

#[test]
fn a_change_of_either_client_secret_releases_a_rejected_refresh_token() {
    for second in [false, true] {
        let mut world = ready();
        world.provider.script = vec![refuse(Reason::RefreshTokenRejected); 2].into();
        world.wake();
        world.wake();
        assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
        let before = world.provider.exchanges.len();
        world.provider.accepts = None;
        world.edit_source(|source| {
            let value = SourceValue::Text("S3CRET-3".into());
            if second {
                source.values.next_secret = value;
            } else {
                source.values.secret = value;
            }
        });
        world.settle();
        assert_eq!(world.provider.exchanges.len(), before + 1, "{second}");
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_rejected_refresh_token_stays_rejected_whichever_client_secret_works() {
    let mut world = ready();
    world.provider.script = vec![refuse(Reason::RefreshTokenRejected); 2].into();
    world.wake();
    world.wake();
    let before = world.provider.exchanges.len();
    world.status.client_secret_key = Some("client-secret-next".into());
    world.restart();
    world.settle();
    world.settle();
    assert_eq!(world.provider.exchanges.len(), before);
}

//! The distance between two exchanges: 12 s after a token, and 5 s after a failure, while nothing changes from outside.

use jiff::Timestamp;

use super::{Event, happen, settle};
use crate::{
    api::{ConditionStatus, ConditionType, Reason},
    reconcile::{
        Memory,
        tests::{
            provider::{Response, issue, refuse},
            world::{World, seconds},
        },
    },
};

/// Lets time pass, and looks whether exchanges keep their distance.
pub(super) fn pass(world: &mut World, span: i64) {
    let made = world.provider.exchanges.len();
    let first = if is_free(world) {
        made
    } else {
        made.saturating_sub(1)
    };
    world.pass(seconds(span));
    for pair in world.provider.exchanges[first..].windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let (since, distance) = if before.issued {
            (before.at, 12)
        } else {
            (before.known_at, 5)
        };
        assert!(
            after.at.duration_since(since) >= seconds(distance),
            "{before:?} and then {after:?}"
        );
    }
}

/// Returns whether a change before this moment decides when the next exchange is made, whenever the last one was.
fn is_free(world: &World) -> bool {
    // Something is in the way of an exchange that was asked for: it follows as soon as that is over.
    let mut conditions = world.status.conditions.iter();
    let target = conditions.any(|condition| {
        ["TargetConflict", "TargetNotWritable"].contains(&condition.reason.as_str())
    });
    // The pause of another client secret may end just after a token.
    let queued = world.process.memory.as_ref().is_some_and(Memory::is_queued);
    // The failed exchange was made for what is not wanted any more: the token that is there is refreshed when it is due.
    let failed = world
        .provider
        .exchanges
        .last()
        .is_some_and(|last| !last.issued);
    let refreshed = world.status.condition(ConditionType::Refreshed);
    let ended = refreshed.is_some_and(|refreshed| refreshed.status == ConditionStatus::True);
    target || queued || failed && ended
}

fn after(history: impl IntoIterator<Item = Event>) -> World {
    let mut world = World::new();
    settle(&mut world);
    for event in history {
        happen(&mut world, event);
    }
    world
}

fn pause(seconds: i64) -> Event {
    Event::Responds(Response::Refuse {
        reason: Reason::RateLimited,
        pause: Some(seconds),
    })
}

/// The seconds from the start to each exchange.
fn times(world: &World) -> Vec<i64> {
    let exchanges = &world.provider.exchanges;
    let since = |at: Timestamp| at.duration_since(exchanges[0].at).as_secs();
    exchanges
        .iter()
        .map(|exchange| since(exchange.at))
        .collect()
}

/// The provider has asked the client to pause with one secret, and issued a token for another one. That pause is over 4 s after the
/// token, and the request that waits for it is one for a new spec and Secret.
#[test]
fn a_request_that_waits_for_the_end_of_a_pause_may_follow_a_token_soon() {
    let mut world = after([
        pause(20),
        Event::Secret(0),
        Event::Responds(issue(3600)),
        Event::Secret(1),
        Event::Pass(18),
        Event::Request(1),
        Event::TrustBundle(Some(1)),
        Event::Secret(0),
    ]);
    assert_eq!(times(&world), [0, 0, 18]);
    pass(&mut world, 60);
    assert_eq!(times(&world), [0, 0, 18, 22]);
    let bundles = world.provider.exchanges.iter().skip(2);
    let bundles: Vec<_> = bundles
        .map(|exchange| exchange.request.ca_bundle.is_some())
        .collect();
    assert_eq!(bundles, [false, true]);
}

/// A person asks for a token, which is refused, and withdraws the request: the token that was there is due 4 s later.
#[test]
fn a_refresh_that_was_due_may_follow_a_request_that_failed_and_was_withdrawn() {
    let mut world = after([
        Event::Request(2),
        Event::Responds(issue(60)),
        Event::Latency(9),
        Event::Secret(2),
        Event::Responds(refuse(Reason::InvalidClient)),
        Event::Request(1),
        Event::Pass(8),
        Event::Request(2),
    ]);
    assert_eq!(times(&world), [0, 0, 0, 9, 26]);
    pass(&mut world, 4);
    assert_eq!(times(&world), [0, 0, 0, 9, 26, 39]);
}

/// An exchange for which nothing has changed before the span.
fn exchange_in_the_span(world: &mut World, seconds_later: i64) {
    world.request = Some("a mistake of the decision".into());
    world.wake_at = Some(world.now + seconds(seconds_later));
    pass(world, seconds_later);
}

#[test]
#[should_panic(expected = "issued: true } and then")]
fn an_exchange_soon_after_a_token_is_noticed() {
    exchange_in_the_span(&mut after([]), 11);
}

#[test]
#[should_panic(expected = "issued: false } and then")]
fn an_exchange_soon_after_a_failure_is_noticed() {
    let refused = Event::Responds(refuse(Reason::InvalidClient));
    exchange_in_the_span(&mut after([refused, Event::Secret(0)]), 4);
}

#[test]
fn an_exchange_that_keeps_its_distance_is_none_to_notice() {
    exchange_in_the_span(&mut after([]), 12);
    let refused = Event::Responds(refuse(Reason::InvalidClient));
    exchange_in_the_span(&mut after([refused, Event::Secret(0)]), 5);
}

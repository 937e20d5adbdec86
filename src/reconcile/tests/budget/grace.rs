//! Attempts after a refresh whose outcome is unknown: those within a provider's grace period go first.

use std::{cell::RefCell, rc::Rc};

use super::restart;
use crate::{
    api::Reason,
    reconcile::{
        Action, Budget,
        tests::{
            provider::{Response, refuse},
            world::{World, seconds},
        },
    },
};

#[test]
fn only_the_tries_within_a_providers_grace_overdraw() {
    for (unknown_outcomes, priority) in [(0, true), (3, true), (4, false)] {
        let mut world = World::signed_in();
        // The process ends after it has claimed the token: the next one does not know whether it was sent.
        world.ends_before = Some(|action| matches!(action, Action::Exchange(_)));
        assert!(world.try_settle().is_err());
        world.restart();
        world.provider.script = vec![refuse(Reason::NoResponse); unknown_outcomes].into();
        world.settle();
        for _ in 0..unknown_outcomes {
            world.wake();
        }
        assert_eq!(world.provider.exchanges.len(), unknown_outcomes + 1);
        let request = world.permits.last().unwrap();
        assert_eq!(request.priority, priority, "{unknown_outcomes}");
    }
}

#[test]
fn a_lost_answer_is_followed_up_within_the_grace_however_many_failures_came_before() {
    let mut world = World::signed_in();
    world.provider.otherwise = refuse(Reason::Unreachable);
    world.settle();
    let delay = |world: &mut World| {
        world.wake();
        let next_attempt = world.status.refresh_at.unwrap();
        next_attempt.duration_since(world.now).as_secs()
    };
    for _ in 0..5 {
        delay(&mut world);
    }
    assert!(delay(&mut world) >= 240);
    world.provider.otherwise = refuse(Reason::NoResponse);
    let delays = [(); 3].map(|()| delay(&mut world));
    for (delay, expected) in delays.into_iter().zip([2, 8, 20]) {
        assert!(
            (expected * 4 / 5..=expected * 6 / 5).contains(&delay),
            "{delays:?}"
        );
    }
}

/// Two logins of one client in one process. The provider's server fails, and asks for a pause of an hour.
fn paused() -> Vec<World> {
    let budget = Rc::new(RefCell::new(Budget::new(seconds(12), World::new().now)));
    let worlds = ["first", "second"].map(|name| {
        let mut world = World::signed_in();
        world.uid = name.into();
        world.process.budget = Rc::clone(&budget);
        world.provider.otherwise = Response::Refuse {
            reason: Reason::Unavailable,
            pause: Some(3600),
        };
        world
    });
    worlds.into()
}

fn next_attempt_in(world: &World) -> i64 {
    let next_attempt = world.status.refresh_at.unwrap();
    next_attempt.duration_since(world.now).as_secs()
}

#[test]
fn a_failing_servers_pause_delays_a_refresh_that_may_have_arrived_by_half_a_minute_three_times() {
    let mut worlds = paused();
    for world in &mut worlds {
        world.settle();
    }
    for number in 1..=3 {
        assert_eq!(next_attempt_in(&worlds[0]), 30);
        worlds[0].wake();
        assert_eq!(worlds[0].provider.exchanges.len(), number + 1);
    }
    assert!((3600..=3610).contains(&next_attempt_in(&worlds[0])));
    worlds[0].pass(seconds(3590));
    assert_eq!(worlds[0].provider.exchanges.len(), 4);
    worlds[0].pass(seconds(60));
    assert_eq!(worlds[0].provider.exchanges.len(), 5);
    // The other login of the client was not sent, so nothing of it can be lost.
    worlds[1].pass(seconds(3590));
    assert_eq!(worlds[1].provider.exchanges.len(), 0);
}

#[test]
fn a_retry_within_a_pause_comes_also_after_a_restart_and_a_request_by_hand_makes_none_sooner() {
    let mut worlds = paused();
    worlds[0].settle();
    worlds[0].now += seconds(10);
    restart(&mut worlds);
    worlds[0].request = Some("a person's wish".into());
    worlds[0].settle();
    assert_eq!(worlds[0].provider.exchanges.len(), 1);
    worlds[1].now = worlds[0].now;
    worlds[1].settle();
    assert_eq!(worlds[1].provider.exchanges.len(), 0);
    worlds[0].pass(seconds(20));
    assert_eq!(worlds[0].provider.exchanges.len(), 2);
    assert!(worlds[0].permits.last().unwrap().priority);
}

/// One outage has failures of many kinds.
#[test]
fn a_failing_servers_pause_holds_no_refresh_that_failed_in_another_way() {
    let mut worlds = paused();
    let (first, second) = worlds.split_at_mut(1);
    let (first, second) = (&mut first[0], &mut second[0]);
    second.provider.otherwise = refuse(Reason::NoResponse);
    second.settle();
    first.settle();
    while first.provider.exchanges.is_empty() {
        first.wake();
    }
    first.provider.otherwise = refuse(Reason::NoResponse);
    second.now = first.now;
    for world in [first, second] {
        world.settle();
        let before = world.provider.exchanges.len();
        world.pass(seconds(60));
        let sent = world.provider.exchanges.len() - before;
        assert!(sent >= 2, "{sent}");
    }
}

#[test]
fn a_rate_limit_within_the_grace_period_is_respected() {
    let mut worlds = paused();
    let world = &mut worlds[0];
    world.settle();
    world.provider.otherwise = Response::Refuse {
        reason: Reason::RateLimited,
        pause: Some(600),
    };
    world.wake();
    assert_eq!(world.refreshed_is().1, "RateLimited");
    world.pass(seconds(600));
    assert_eq!(world.provider.exchanges.len(), 2);
}

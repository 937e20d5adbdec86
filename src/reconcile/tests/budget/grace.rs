//! Attempts after a refresh whose outcome is unknown: those within a provider's grace period go first.

use crate::{
    api::Reason,
    reconcile::{
        Action,
        tests::{provider::refuse, world::World},
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

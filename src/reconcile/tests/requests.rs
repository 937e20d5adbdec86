//! Refresh requests: the annotation that asks for one exchange.

use super::{
    provider::{Response, refuse},
    world::{TARGET, World, seconds},
};
use crate::{
    api::{ConditionStatus, Reason, annotation},
    reconcile::EventKind,
};

#[test]
fn a_refresh_request_is_served_once_per_value() {
    let mut world = World::ready();
    for (number, value) in ["one", "two"].into_iter().enumerate() {
        world.request = Some(value.into());
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
        assert_eq!(world.take_events(), [EventKind::RefreshRequested]);
        assert_eq!(world.status.refresh_request.as_deref(), Some(value));
        let target = &world.cluster.secrets[TARGET];
        assert_eq!(target.annotations[annotation::REFRESH_REQUEST], value);
        assert_eq!(
            world.token(),
            Some(&*format!("S3CRET-token-{}", number + 1))
        );
        for _ in 0..3 {
            world.restart();
            world.now += seconds(60);
            assert_eq!(world.cost_of(World::settle).exchanges, 0);
        }
    }
}

#[test]
fn a_request_that_was_taken_back_and_made_again_is_not_served_twice() {
    let mut world = World::ready();
    world.request = Some("one".into());
    world.settle();
    world.request = None;
    world.settle();
    world.wake();
    world.request = Some("one".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
}

#[test]
fn a_request_that_is_there_at_creation_is_served_by_the_first_exchange() {
    let mut world = World::new();
    world.request = Some("one".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.status.refresh_request.as_deref(), Some("one"));
    world.now += seconds(60);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
}

#[test]
fn a_repair_does_not_serve_an_old_request_again() {
    let mut world = World::ready();
    world.request = Some("one".into());
    world.settle();
    world.take_events();
    world.cluster.secrets.clear();
    world.settle();
    assert_eq!(world.take_events(), [EventKind::TargetRepaired]);
}

#[test]
fn only_a_success_serves_a_request_and_a_failure_is_retried_by_its_class() {
    let mut world = World::ready();
    world.provider.script = [refuse(Reason::Unavailable), refuse(Reason::Unavailable)].into();
    world.request = Some("one".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.status.refresh_request, None);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.refreshed_is().1, "Unavailable");
    let delay = world.wake_at.unwrap().duration_since(world.now).as_secs();
    assert!((8..=12).contains(&delay), "{delay}");
    world.wake();
    assert_eq!(world.status.failures, Some(2));
    world.wake();
    assert_eq!(world.status.refresh_request.as_deref(), Some("one"));
    assert_eq!(
        world.take_events(),
        [
            EventKind::Failed(Reason::Unavailable),
            EventKind::Recovered,
            EventKind::RefreshRequested
        ]
    );
}

#[test]
fn a_failed_request_that_is_taken_back_is_not_retried() {
    let mut world = World::ready();
    world.provider.otherwise = refuse(Reason::Unavailable);
    world.request = Some("one".into());
    world.settle();
    world.request = None;
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.reports), (0, 1));
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(
        (world.status.failures, &world.status.attempted),
        (None, &None)
    );
    assert_eq!(
        world.cost_of(|world| world.pass(seconds(1800))).exchanges,
        0
    );
}

#[test]
fn a_new_request_cuts_short_a_fast_and_a_slow_delay_once() {
    for reason in [Reason::Unreachable, Reason::InvalidClient] {
        let mut world = World::new();
        world.provider.otherwise = refuse(reason);
        world.settle();
        world.now += seconds(1);
        world.request = Some("one".into());
        assert_eq!(world.cost_of(World::settle).exchanges, 1, "{reason}");
        assert_eq!(world.status.failures, Some(2), "the count goes on");
        world.now += seconds(1);
        assert_eq!(world.cost_of(World::settle).exchanges, 0, "{reason}");
        world.restart();
        assert_eq!(world.cost_of(World::settle).exchanges, 0, "{reason}");
    }
}

#[test]
fn a_request_does_not_cut_short_a_pause_that_the_provider_asked_for() {
    for (reason, pause) in [
        (Reason::RateLimited, None),
        (Reason::RateLimited, Some(600)),
        (Reason::Unavailable, Some(600)),
    ] {
        let mut world = World::ready();
        world.provider.script = [Response::Refuse { reason, pause }].into();
        world.wake();
        let next_attempt = world.wake_at;
        world.request = Some("one".into());
        world.now += seconds(1);
        assert_eq!(world.cost_of(World::settle).exchanges, 0, "{reason}");
        assert_eq!(world.wake_at, next_attempt.min(world.status.expires_at));
        world.pass(seconds(620));
        assert_eq!(world.status.refresh_request.as_deref(), Some("one"));
    }
}

#[test]
fn a_request_waits_while_suspended_and_while_the_target_is_foreign() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.suspend = true);
    world.request = Some("one".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.edit_spec(|spec| spec.suspend = false);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);

    let owner = world.cluster.secrets[TARGET].annotations[annotation::OWNER_UID].clone();
    world.cluster.edit(TARGET, |secret| {
        drop(secret.annotations.remove(annotation::OWNER_UID));
    });
    world.request = Some("two".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.cluster.edit(TARGET, |secret| {
        drop(
            secret
                .annotations
                .insert(annotation::OWNER_UID.into(), owner),
        );
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

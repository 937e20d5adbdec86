//! The cost of a new process, a wiped status or a failed write: never an exchange.

use super::{
    cluster::{Fault, Stored},
    provider::refuse,
    world::{Costs, STATE, TARGET, World, seconds},
};
use crate::{
    api::{ConditionStatus, CubeCredentialStatus, Reason},
    reconcile::EventKind,
};

#[test]
fn a_restart_makes_no_exchange() {
    let mut world = World::ready();
    world.now += seconds(600);
    world.restart();
    let costs = world.cost_of(World::settle);
    assert_eq!(costs, Costs::default());
    assert!(world.take_events().is_empty());
    assert_eq!(world.wake_at, world.status.refresh_at);
}

#[test]
fn a_restart_reads_the_state_of_a_login_only_if_the_status_does_not_name_its_version() {
    let mut world = World::signed_in();
    world.settle();
    world.now += seconds(600);
    world.restart();
    assert_eq!(world.cost_of(World::settle), Costs::default());

    world.restart();
    world.cluster.edit(STATE, |state| {
        state.labels.insert("edited".into(), "yes".into());
    });
    let reads = |state_reads, reports| Costs {
        state_reads,
        reports,
        ..Costs::default()
    };
    assert_eq!(world.cost_of(World::settle), reads(1, 1));
    world.restart();
    assert_eq!(world.cost_of(World::settle), Costs::default());
}

#[test]
fn a_restart_reads_a_target_that_was_edited_since_the_status() {
    let mut world = World::ready();
    world.restart();
    world.cluster.edit(TARGET, |target| {
        target.data.insert("access-token".into(), "edited".into());
    });
    let costs = world.cost_of(World::settle);
    assert_eq!(
        (costs.target_reads, costs.exchanges, costs.publishes),
        (1, 1, 1)
    );
}

#[test]
fn a_first_target_that_exists_after_all_is_read_and_left_alone_if_it_is_foreign() {
    let mut world = World::new();
    world.cluster.create(TARGET, Stored::default());
    let costs = world.cost_of(World::settle);
    // Each later reconcile looks whether it still exists.
    assert_eq!((costs.exchanges, costs.target_reads), (1, 2));
    // Even a new process asks for no token while the conflict lasts.
    world.restart();
    world.now += seconds(4000);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.target_reads), (0, 1));
    assert_eq!(world.cluster.secrets[TARGET].data, Stored::default().data);
}

#[test]
fn a_wiped_status_makes_no_exchange() {
    let mut world = World::ready();
    let before = world.status.clone();
    world.status = CubeCredentialStatus::default();
    world.now += seconds(60);
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs,
        Costs {
            reports: 1,
            ..Costs::default()
        }
    );
    assert_eq!(world.status.expires_at, before.expires_at);
    assert_eq!(world.status.refresh_at, before.refresh_at);
    assert_eq!(world.status.token_fingerprint, before.token_fingerprint);
    assert!(world.take_events().is_empty());
}

#[test]
fn a_wiped_status_and_a_restart_make_no_exchange() {
    let mut world = World::ready();
    world.request = Some("one".into());
    world.settle();
    world.status = CubeCredentialStatus::default();
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.status.refresh_request.as_deref(), Some("one"));
}

#[test]
fn a_clock_that_is_set_back_by_a_day_costs_one_exchange() {
    let mut world = World::new();
    world.now += seconds(24 * 3600);
    world.settle();
    world.now -= seconds(24 * 3600);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    let expires_at = world.status.expires_at.unwrap();
    assert_eq!(expires_at.duration_since(world.now), seconds(3600));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
}

#[test]
fn a_clock_that_is_set_back_by_a_day_delays_no_retry() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.now += seconds(24 * 3600);
    world.settle();
    world.now -= seconds(24 * 3600);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let next = world.wake_at.unwrap().duration_since(world.now);
    assert!(next < seconds(3600), "{next:#}");
}

#[test]
fn a_restart_while_failing_waits_as_before() {
    let mut world = World::ready();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.wake();
    world.wake();
    let (failures, next_attempt) = (world.status.failures, world.status.refresh_at);
    assert_eq!(failures, Some(2));
    world.restart();
    world.now += seconds(1);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.reports), (0, 0));
    assert_eq!(world.status.refresh_at, next_attempt);
    world.pass(next_attempt.unwrap().duration_since(world.now) - seconds(1));
    assert_eq!(world.status.failures, Some(2));
    world.pass(seconds(1));
    assert_eq!(world.status.failures, Some(3));
}

#[test]
fn a_restart_while_failing_for_changed_inputs_waits_as_before() {
    let mut world = World::ready();
    world.provider.accepts = Some("S3CRET-1".into());
    world.put_source("S3CRET-2");
    world.settle();
    world.restart();
    world.now += seconds(1);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.reports), (0, 0));
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "InvalidClient".to_owned())
    );
}

#[test]
fn a_label_edit_after_a_restart_while_failing_makes_no_exchange_and_another_secret_one() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.settle();
    world.restart();
    assert_eq!(world.cost_of(World::settle).source_reads, 1);
    assert_eq!(world.cost_of(World::settle).source_reads, 0);
    world.edit_source(|_| {});
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.source_reads, costs.exchanges), (1, 0));
    world.put_source("S3CRET-2");
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn a_token_that_could_not_be_published_is_not_asked_for_again() {
    let mut world = World::new();
    for _ in 0..10 {
        world.cluster.faults.push_back(Some(Fault::Lost));
        assert!(world.try_settle().is_err());
        world.now += seconds(60);
    }
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(world.take_events(), [EventKind::TokenIssued]);
}

#[test]
fn a_publish_without_an_answer_is_found_and_not_repeated() {
    for mut world in [World::new(), World::ready()] {
        world.cluster.faults.push_back(Some(Fault::Unanswered));
        world.now = world.wake_at.unwrap_or(world.now);
        assert!(world.try_settle().is_err());
        let costs = world.cost_of(World::settle);
        assert_eq!(
            costs,
            Costs {
                target_reads: 1,
                reports: 1,
                ..Costs::default()
            }
        );
        assert_eq!(
            world.ready_is(),
            (ConditionStatus::True, "Synced".to_owned())
        );
    }
}

#[test]
fn a_published_token_is_not_kept_in_memory() {
    let mut world = World::new();
    world.cluster.faults.push_back(Some(Fault::Unanswered));
    assert!(world.try_settle().is_err());
    assert!(
        world
            .process
            .memory
            .as_ref()
            .unwrap()
            .target
            .token()
            .is_some()
    );
    world.settle();
    assert!(
        world
            .process
            .memory
            .as_ref()
            .unwrap()
            .target
            .token()
            .is_none()
    );
}

#[test]
fn a_token_that_another_process_published_later_is_not_replaced_by_an_older_one() {
    let mut world = World::new();
    world.cluster.faults.push_back(Some(Fault::Lost));
    assert!(world.try_settle().is_err());
    let (memory, wake_at) = (world.process.memory.take(), world.wake_at);
    world.now += seconds(5);
    world.settle();
    (world.process.memory, world.wake_at) = (memory, wake_at);
    world.process.targets.clear();
    world.settle();
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert_eq!(world.provider.exchanges.len(), 2);
}

#[test]
fn a_report_that_failed_is_made_later_with_its_news() {
    let mut world = World::new();
    world.cluster.faults = [None, Some(Fault::Lost)].into();
    assert!(world.try_settle().is_err());
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs,
        Costs {
            reports: 1,
            ..Costs::default()
        }
    );
    assert_eq!(world.take_events(), [EventKind::TokenIssued]);
}

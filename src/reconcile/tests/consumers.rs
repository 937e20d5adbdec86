//! After a refresh, pods are annotated and workloads are restarted: once, at whatever step a process ends, and for nothing else.

mod pods;

use serde_json::json;

use super::{
    cluster::no_response,
    model::workloads::failed,
    world::{Costs, TARGET, World, seconds},
};
use crate::{
    api::{CubeCredentialStatus, WorkloadKind, WorkloadRef},
    api_error::StatusClass,
    reconcile::{Action, EventKind, Read},
};

/// A ready credential of an operator that may tell pods and restart workloads.
fn ready() -> World {
    let mut world = World::ready();
    world.access.refreshes_pods = true;
    world.access.restarts_workloads = true;
    world
}

fn deployment(name: &str) -> WorkloadRef {
    WorkloadRef {
        kind: WorkloadKind::Deployment,
        name: name.into(),
    }
}

/// One that restarts these Deployments, which run.
fn restarting(names: &[&str]) -> World {
    let mut world = ready();
    for name in names {
        world.workloads.deploy(name);
    }
    world.edit_spec(|spec| {
        spec.consumers.restart = names.iter().map(|name| deployment(name)).collect();
    });
    world.settle();
    world.take_events();
    world
}

/// Requests a token by hand, and reconciles.
fn refresh(world: &mut World) {
    let requests = world.request.as_ref().map_or(0, String::len);
    world.now += seconds(60);
    world.request = Some("x".repeat(requests + 1));
    world.settle();
}

fn restarted(world: &World) -> Vec<&str> {
    let restarted = world.workloads.restarted.iter();
    restarted.map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_workload_is_restarted_for_a_refresh_and_for_nothing_else() {
    let mut world = restarting(&["web"]);
    assert!(restarted(&world).is_empty(), "the field was added");
    world.restart();
    world.settle();
    world.cluster.edit(TARGET, |secret| {
        secret.labels.clear();
    });
    world.settle();
    world.status = CubeCredentialStatus::default();
    world.restart();
    world.settle();
    assert!(restarted(&world).is_empty(), "no new token");
    assert_eq!(world.costs.workload_reads, 0, "nothing is looked up for it");

    refresh(&mut world);
    assert_eq!(restarted(&world), ["web"]);
    assert!(world.take_events().contains(&EventKind::WorkloadRestarted));
    let before = world.status.restarted_for.clone();
    world.wake();
    assert_eq!(world.status.restarted_for, world.status.token_fingerprint);
    assert_ne!(world.status.restarted_for, before, "it is over");
    world.restart();
    assert_eq!(world.cost_of(World::settle), Costs::default());
}

#[test]
fn a_process_that_dies_at_any_step_restarts_a_workload_once() {
    let steps: [fn(&Action) -> bool; 5] = [
        |action| matches!(action, Action::Publish(_)),
        |action| matches!(action, Action::RefreshPods(_)),
        |action| matches!(action, Action::Report { .. }),
        |action| matches!(action, Action::Restart(_)),
        |_| false,
    ];
    for (step, ends) in steps.into_iter().enumerate() {
        let mut world = restarting(&["web"]);
        world.now += seconds(60);
        world.request = Some("one".into());
        world.ends_before = Some(ends);
        let result = world.try_settle();
        assert_eq!(result.is_ok(), step == 4);
        world.ends_before = None;
        world.restart();
        world.settle();
        world.pass(seconds(60));
        // The process dies before its last report, too.
        world.restart();
        world.settle();
        assert_eq!(restarted(&world), ["web"], "step {step}");
        assert_eq!(world.status.restarted_for, world.status.token_fingerprint);
    }
}

#[test]
fn a_restart_waits_for_the_minimum_interval_and_wakes_by_itself() {
    let mut world = restarting(&["web"]);
    refresh(&mut world);
    let first = world.now;
    world.wake();
    refresh(&mut world);
    refresh(&mut world);
    assert_eq!(restarted(&world), ["web"]);
    assert_eq!(world.wake_at, Some(first + seconds(600)));
    world.wake();
    assert_eq!(restarted(&world), ["web", "web"], "once for both");
    assert_eq!(world.workloads.restarted[1].1.split(' ').count(), 2);
}

#[test]
fn neither_reads_nor_restarts_of_workloads_hold_a_worker() {
    let mut world = restarting(&["web"]);
    let mark = String::new();
    let workloads = Vec::new();
    assert!(Read::Workloads { mark, workloads }.is_slow());
    world.ends_before = Some(|action| matches!(action, Action::Restart(_)) && !action.is_slow());
    refresh(&mut world);
    assert_eq!(restarted(&world), ["web"]);
}

#[test]
fn one_workload_at_a_time_is_restarted() {
    let mut world = restarting(&["a", "b"]);
    world.workloads.are_slow = true;
    refresh(&mut world);
    world.wake();
    world.wake();
    assert_eq!(restarted(&world), ["a"], "its rollout is in progress");
    world.workloads.complete("a");
    world.wake();
    assert_eq!(restarted(&world), ["a", "b"]);
}

#[test]
fn a_token_that_arrives_during_a_restart_begins_no_second_one() {
    let mut world = restarting(&["a", "b"]);
    world.workloads.are_slow = true;
    refresh(&mut world);
    refresh(&mut world);
    assert_eq!(restarted(&world), ["a"]);
    world.workloads.complete("a");
    world.wake();
    assert_eq!(restarted(&world), ["a", "b"]);
}

#[test]
fn a_restart_that_another_program_takes_back_is_announced_once_and_not_repeated() {
    let mut world = restarting(&["a", "b"]);
    world.workloads.are_slow = true;
    let mut told = 0;
    for tokens in 1..=3 {
        refresh(&mut world);
        assert_eq!(restarted(&world).len(), 2 * tokens - 1);
        world.workloads.edit("a", |web| {
            web["spec"]["template"]["metadata"] = json!({});
        });
        world.workloads.complete("a");
        world.wake();
        world.workloads.complete("b");
        world.wake();
        assert_eq!(restarted(&world).len(), 2 * tokens);
        assert_eq!(world.status.restarted_for, world.status.token_fingerprint);
        let events = world.take_events();
        let news = |event: &&EventKind| **event == EventKind::WorkloadNotRestarted;
        told += events.iter().filter(news).count();
        world.now += seconds(600);
    }
    assert_eq!(told, 1);
}

#[test]
fn restarts_that_wait_until_the_old_token_has_ended_are_announced_once() {
    let mut world = restarting(&["web"]);
    let late = |world: &mut World| {
        let events = world.take_events();
        events.contains(&EventKind::RestartTooLate)
    };
    refresh(&mut world);
    world.wake();
    assert!(!late(&mut world));
    world.workloads.edit("web", |web| {
        web["metadata"]["generation"] = json!(9);
    });
    refresh(&mut world);
    assert!(!late(&mut world), "the old token lives for an hour");
    // Each change of its spec makes it another rollout.
    let mut times = 0;
    for generation in 10..80 {
        world.workloads.edit("web", |web| {
            web["metadata"]["generation"] = json!(generation);
        });
        world.now += seconds(60);
        world.settle();
        times += i32::from(late(&mut world));
    }
    assert_eq!(times, 1);
}

#[test]
fn a_rollout_without_an_end_keeps_no_workload_from_its_restart() {
    let mut world = restarting(&["web"]);
    world.workloads.edit("web", |web| {
        web["metadata"]["generation"] = json!(2);
    });
    refresh(&mut world);
    for _ in 0..9 {
        world.wake();
        assert!(restarted(&world).is_empty());
    }
    world.wake();
    assert_eq!(restarted(&world), ["web"]);
}

#[test]
fn another_rollout_in_progress_is_waited_for_and_announced_once() {
    let mut world = restarting(&["web"]);
    world
        .workloads
        .edit("web", |web| web["metadata"]["generation"] = json!(2));
    refresh(&mut world);
    assert!(
        world
            .take_events()
            .contains(&EventKind::WorkloadNotRestarted)
    );
    world.wake();
    assert!(restarted(&world).is_empty() && world.take_events().is_empty());
    world.workloads.complete("web");
    world.wake();
    assert_eq!(restarted(&world), ["web"]);
}

#[test]
fn a_workload_that_cannot_be_restarted_holds_up_no_other() {
    for (edit, waits) in [
        (json!({"spec": {"paused": true}}), false),
        (
            json!({"spec": {"updateStrategy": {"type": "OnDelete"}}}),
            false,
        ),
        (
            json!({"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}}),
            false,
        ),
        (json!({"metadata": {"generation": 2}}), true),
        (json!({}), true),
    ] {
        let mut world = restarting(&["a", "b"]);
        if edit == json!({}) {
            world.workloads.refused = Some("a");
        }
        world.workloads.edit("a", |web| merge(web, &edit));
        refresh(&mut world);
        assert_eq!(restarted(&world), ["b"], "{edit}");
        let events = world.take_events();
        let told = |event: &&EventKind| **event == EventKind::WorkloadNotRestarted;
        assert_eq!(events.iter().filter(told).count(), 1, "{edit}: {events:?}");
        world.wake();
        let finished = world.status.restarted_for == world.status.token_fingerprint;
        assert_eq!(finished, !waits, "{edit}");
    }
}

fn merge(into: &mut serde_json::Value, fields: &serde_json::Value) {
    if let (Some(into), Some(fields)) = (into.as_object_mut(), fields.as_object()) {
        for (name, value) in fields {
            merge(into.entry(name).or_insert(json!({})), value);
        }
    } else {
        *into = fields.clone();
    }
}

#[test]
fn a_workload_that_does_not_exist_is_announced_and_not_waited_for() {
    let mut world = restarting(&["web"]);
    world.edit_spec(|spec| spec.consumers.restart.insert(0, deployment("absent")));
    world.settle();
    refresh(&mut world);
    assert!(
        world
            .take_events()
            .contains(&EventKind::WorkloadNotRestarted)
    );
    assert_eq!(restarted(&world), ["web"]);
    world.wake();
    assert_eq!(world.status.restarted_for, world.status.token_fingerprint);
}

#[test]
fn a_spec_that_leaves_no_time_for_restarts_is_announced_once() {
    let judged = |world: &mut World, interval: &str, before: &str| {
        world.workloads.deploy("web");
        world.edit_spec(|spec| {
            spec.consumers.restart = vec![deployment("web")];
            spec.consumers.min_interval = interval.into();
            spec.refresh_before = before.into();
        });
        world.settle();
        let first = world.take_events();
        refresh(world);
        let again = world.take_events();
        assert!(!again.contains(&EventKind::RestartTooLate), "{again:?}");
        first.contains(&EventKind::RestartTooLate)
    };
    assert!(!judged(&mut ready(), "10m", "5m"));
    assert!(judged(&mut ready(), "1h", "5m"), "tokens of an hour");
    assert!(
        judged(&mut ready(), "10m", "30s"),
        "too short for a rollout"
    );
    let mut many = ready();
    many.edit_spec(|spec| {
        spec.refresh_before = "5m".into();
        spec.consumers.restart = ["a", "b", "c", "d", "e", "f"].map(deployment).to_vec();
    });
    many.settle();
    let events = many.take_events();
    assert!(events.contains(&EventKind::RestartTooLate), "one by one");
    let mut world = World::signed_in();
    world.access.restarts_workloads = true;
    world.settle();
    world.take_events();
    assert!(judged(&mut world, "10m", "5m"), "the old token may be dead");
}

#[test]
fn an_operator_that_restarts_nothing_says_so_once() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.consumers.restart = vec![deployment("web")]);
    world.settle();
    assert_eq!(world.take_events(), [EventKind::WorkloadNotRestarted]);
    refresh(&mut world);
    assert_eq!(world.take_events(), [EventKind::RefreshRequested]);
    assert_eq!(world.costs.workload_reads, 0);
    assert_eq!(world.status.restarted_for, None);
}

//! When a workload is restarted, and when it is not.

use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";
const MARK: &str = "2026-11-21T11:59:58Z 3f9a21c8";

/// The restart of a workload with these fields besides those of a complete rollout.
fn due(kind: WorkloadKind, fields: &Value) -> Due {
    due_after(kind, fields, &Past::default(), NOW)
}

fn due_after(kind: WorkloadKind, fields: &Value, past: &Past, now: &str) -> Due {
    rollout(kind, fields).due(kind, &RESTART, past, now.parse().unwrap())
}

const RESTART: Restart<'_> = Restart {
    mark: MARK,
    owner_uid: "uid",
    min_interval: SignedDuration::from_mins(10),
};

/// A workload with these fields besides those of a complete rollout.
fn rollout(kind: WorkloadKind, fields: &Value) -> Rollout {
    let mut workload = json!({
        "metadata": {"uid": "u", "resourceVersion": "7", "generation": 2},
        "spec": {"replicas": 3, "template": {"metadata": {"annotations": {"theirs": "x"}}}},
        "status": {"observedGeneration": 2},
    });
    let status = match kind {
        WorkloadKind::Deployment => json!({
            "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        }),
        WorkloadKind::StatefulSet => json!({
            "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "currentRevision": "r", "updateRevision": "r",
        }),
        WorkloadKind::DaemonSet => json!({
            "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3,
        }),
    };
    merge(&mut workload["status"], &status);
    merge(&mut workload, fields);
    serde_json::from_value(workload).unwrap()
}

/// A workload that was restarted at this time for this token.
fn past(uid: &str, mark: &str, at: &str) -> Past {
    let of = WorkloadVersion {
        workload: WorkloadRef {
            kind: Deployment,
            name: "web".into(),
        },
        uid: uid.into(),
        version: "6".into(),
    };
    let mut past = Past::default();
    past.restarted(&of, mark, at.parse().unwrap());
    past
}

fn merge(into: &mut Value, fields: &Value) {
    match (into, fields) {
        (Value::Object(into), Value::Object(fields)) => {
            for (name, value) in fields {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, fields) => into.clone_from(fields),
    }
}

/// These annotations of the pod template.
fn annotated(restarted_at: &str, mark: &str) -> Value {
    json!({"spec": {"template": {"metadata": {"annotations": {
        "cube-operator.dev/restarted-at": restarted_at, "cube-operator.dev/restarted-for-uid": mark,
    }}}}})
}

fn with(mut fields: Value, others: &Value) -> Value {
    merge(&mut fields, others);
    fields
}

use WorkloadKind::{DaemonSet, Deployment, StatefulSet};

#[test]
fn a_workload_without_our_mark_is_restarted_and_one_with_it_is_not() {
    for kind in [Deployment, StatefulSet, DaemonSet] {
        assert_eq!(due(kind, &json!({})), Due::Now, "{kind:?}");
        let marked = annotated("2026-11-21T11:59:59Z", MARK);
        assert_eq!(due(kind, &marked), Due::Done, "{kind:?}");
        let earlier = annotated("2026-11-21T11:00:00Z", "2026-11-21T10:59:58Z 00000000");
        assert_eq!(due(kind, &earlier), Due::Now, "{kind:?}");
    }
}

#[test]
fn the_mark_of_another_credential_does_not_count_and_its_restart_does() {
    let other = json!({"spec": {"template": {"metadata": {"annotations": {
        "cube-operator.dev/restarted-at": "2026-11-21T11:55:00Z", "cube-operator.dev/restarted-for-other": MARK,
    }}}}});
    let next = "2026-11-21T12:05:00Z".parse().unwrap();
    assert_eq!(due(Deployment, &other), Due::At(next));
}

#[test]
fn a_time_in_the_future_or_without_sense_holds_up_nothing() {
    for at in ["2026-11-21T12:02:00Z", "soon", ""] {
        assert_eq!(due(Deployment, &annotated(at, "another")), Due::Now, "{at}");
    }
    let skewed = annotated("2026-11-21T12:00:05Z", "another");
    assert_eq!(
        due(Deployment, &skewed),
        Due::At("2026-11-21T12:10:05Z".parse().unwrap())
    );
}

#[test]
fn a_restart_that_another_program_takes_back_is_not_repeated() {
    let none = json!({});
    let after = |past: &Past| due_after(Deployment, &none, past, NOW);
    let restarted_at = "2026-11-21T11:55:00Z";
    assert_eq!(after(&past("u", MARK, restarted_at)), Due::TakenBack);
    // The next token has its restart, and not before the interval has passed.
    let next = "2026-11-21T12:05:00Z".parse().unwrap();
    assert_eq!(after(&past("u", "another", restarted_at)), Due::At(next));
    let longer_ago = past("u", "another", "2026-11-21T11:50:00Z");
    assert_eq!(after(&longer_ago), Due::Now);
    // One of the same name that was created since is another.
    assert_eq!(after(&past("v", MARK, restarted_at)), Due::Now);
}

#[test]
fn a_rollout_without_an_end_is_waited_for_only_so_long() {
    for (kind, status) in [
        (Deployment, json!({"replicas": 4})),
        (StatefulSet, json!({"updateRevision": "s"})),
        (DaemonSet, json!({"updatedNumberScheduled": 2})),
    ] {
        let busy = json!({"status": status});
        let mut past = Past::default();
        let mut at = |fields: &Value, now: &str| {
            past.read(kind, &rollout(kind, fields), now.parse().unwrap());
            due_after(kind, fields, &past, now)
        };
        assert_eq!(at(&busy, "2026-11-21T12:00:00Z"), Due::Busy, "{kind:?}");
        assert_eq!(at(&busy, "2026-11-21T12:09:59Z"), Due::Busy, "{kind:?}");
        assert_eq!(at(&busy, "2026-11-21T12:10:00Z"), Due::Now, "{kind:?}");
        let newer = json!({"metadata": {"generation": 3}, "status": {"observedGeneration": 3}});
        let newer = with(newer, &busy);
        assert_eq!(at(&newer, "2026-11-21T12:11:00Z"), Due::Busy, "{kind:?}");
        at(&json!({}), "2026-11-21T12:20:00Z");
        assert_eq!(at(&newer, "2026-11-21T12:30:00Z"), Due::Busy, "{kind:?}");
    }
}

#[test]
fn a_deployment_that_may_not_have_more_pods_is_restarted() {
    let beyond_quota = json!({"spec": {"replicas": 5}});
    assert_eq!(due(Deployment, &beyond_quota), Due::Now);
}

#[test]
fn our_restart_for_an_earlier_token_is_in_progress_like_one_for_this_token() {
    let status = json!({"status": {"replicas": 4}});
    let ours = |at: &str| due(Deployment, &with(annotated(at, "another"), &status));
    assert_eq!(ours("2026-11-21T11:55:00Z"), Due::InProgress);
    assert_eq!(ours("2026-11-21T11:49:00Z"), Due::Busy);
    let others = json!({"spec": {"template": {"metadata": {"annotations": {
        "cube-operator.dev/restarted-at": "2026-11-21T11:55:00Z", "cube-operator.dev/restarted-for-other": "another",
    }}}}});
    assert_eq!(due(Deployment, &with(others, &status)), Due::Busy);
}

#[test]
fn a_rollout_in_progress_is_waited_for() {
    let progressing =
        json!([{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]);
    let ours = annotated("2026-11-21T11:59:59Z", MARK);
    for (kind, status) in [
        (Deployment, json!({"observedGeneration": 1})),
        (StatefulSet, json!({"observedGeneration": 1})),
        (DaemonSet, json!({"observedGeneration": 1})),
        (Deployment, json!({"updatedReplicas": 2})),
        (Deployment, json!({"replicas": 4})),
        (Deployment, json!({"conditions": progressing})),
        (
            Deployment,
            json!({"conditions": [], "availableReplicas": 2}),
        ),
        (StatefulSet, json!({"updateRevision": "s"})),
        (StatefulSet, json!({"updatedReplicas": 2})),
        (DaemonSet, json!({"updatedNumberScheduled": 2})),
    ] {
        let status = json!({"status": status});
        assert_eq!(due(kind, &status), Due::Busy, "{kind:?} {status}");
        let ours = with(ours.clone(), &status);
        assert_eq!(due(kind, &ours), Due::InProgress, "{kind:?} {status}");
    }
}

#[test]
fn pods_that_are_not_available_after_our_restart_are_waited_for_only_so_long() {
    for (kind, status) in [
        (StatefulSet, json!({"availableReplicas": 2})),
        (DaemonSet, json!({"numberAvailable": 2})),
    ] {
        let status = json!({"status": status});
        let since = |at: &str| due(kind, &with(annotated(at, MARK), &status));
        assert_eq!(since("2026-11-21T11:55:00Z"), Due::InProgress, "{kind:?}");
        assert_eq!(since("2026-11-21T11:49:00Z"), Due::Done, "{kind:?}");
        // An expired token may be why they are not available: only a restart helps then.
        assert_eq!(due(kind, &status), Due::Now, "{kind:?}");
    }
    let unavailable = json!({"status": {"availableReplicas": 0}});
    assert_eq!(due(Deployment, &unavailable), Due::Now);
}

#[test]
fn a_rollout_that_has_failed_is_not_in_progress() {
    let failed = json!({"status": {
        "updatedReplicas": 1, "replicas": 4, "availableReplicas": 0,
        "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}],
    }});
    assert_eq!(due(Deployment, &failed), Due::Now);
}

#[test]
fn a_restart_that_would_reach_no_pod_or_not_all_of_them_is_not_made() {
    let strategy = |strategy: Value| json!({"spec": {"updateStrategy": strategy}});
    for (kind, fields, obstacle) in [
        (
            Deployment,
            json!({"spec": {"paused": true}}),
            Obstacle::Paused,
        ),
        (
            StatefulSet,
            strategy(json!({"type": "OnDelete"})),
            Obstacle::OnDelete,
        ),
        (
            DaemonSet,
            strategy(json!({"type": "OnDelete"})),
            Obstacle::OnDelete,
        ),
        (
            StatefulSet,
            strategy(json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}})),
            Obstacle::Partition,
        ),
    ] {
        assert_eq!(
            due(kind, &fields),
            Due::Never(obstacle),
            "{kind:?} {fields}"
        );
    }
    let rolling = strategy(json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}));
    assert_eq!(due(StatefulSet, &rolling), Due::Now);
}

#[test]
fn no_annotation_of_others_is_kept() {
    let workload = json!({
        "metadata": {"uid": "u", "resourceVersion": "7"},
        "spec": {"template": {"metadata": {"annotations": {"theirs": "S3CRET"}}}},
    });
    let rollout: Rollout = serde_json::from_value(workload).unwrap();
    assert!(!format!("{rollout:?}").contains("S3CRET"));
}

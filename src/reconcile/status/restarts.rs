//! The sentences about pods that are annotated after a refresh, and about workloads that are restarted for it.

use super::{denial, message::span};
use crate::{
    api::WorkloadRef,
    api_error::ApiError,
    consumers::Obstacle,
    reconcile::{
        event::{Event, EventKind},
        memory::{Hindrance, NotRestarted, TooLate},
        settings::Settings,
    },
};

/// The event about a restart, on the workload and on the `CubeCredential`.
pub(in crate::reconcile) fn restarted(workload: &WorkloadRef, secret: &str) -> Event {
    let workload = named(workload);
    Event {
        kind: EventKind::WorkloadRestarted,
        note: format!(
            "{workload} is restarted, because the token in Secret {secret:?} was refreshed"
        ),
    }
}

/// The event about a workload that was not restarted.
pub(in crate::reconcile) fn not_restarted(found: &NotRestarted) -> Event {
    let workload = named(&found.workload);
    let why = match &found.why {
        Hindrance::Absent => "it does not exist".into(),
        Hindrance::Obstacle(Obstacle::Paused) => "it is paused".into(),
        Hindrance::Obstacle(Obstacle::OnDelete) => {
            "its update strategy is OnDelete: use RollingUpdate".into()
        }
        Hindrance::Obstacle(Obstacle::Partition) => {
            "its update strategy has a partition: remove that".into()
        }
        Hindrance::Busy => "another rollout is in progress: it follows after that".into(),
        Hindrance::TakenBack => {
            return Event {
                kind: EventKind::WorkloadNotRestarted,
                note: format!(
                    "another program takes the restart of {workload} back: let it keep annotations cube-operator.dev/restarted-..."
                ),
            };
        }
        Hindrance::Failed(error) => why(error),
    };
    Event {
        kind: EventKind::WorkloadNotRestarted,
        note: format!("{workload} was not restarted: {why}"),
    }
}

/// The event about restarts that wait for so long that the old token has ended.
pub(in crate::reconcile) fn waits_too_long() -> Event {
    Event {
        kind: EventKind::RestartTooLate,
        note: "the old token ends before all workloads of spec.consumers.restart are restarted: raise spec.refreshBefore".into(),
    }
}

pub(super) const NOT_ALLOWED: &str =
    "spec.consumers.restart has no effect: the operator was installed without restartWorkloads";

pub(super) fn pods_not_refreshed(error: &ApiError) -> String {
    format!("pods see the new token after up to 90 s: {}", why(error))
}

pub(super) fn too_late(why: TooLate, settings: &Settings) -> String {
    match why {
        TooLate::Rotation => {
            "a refresh may end the old token immediately: pods have no valid token until they have restarted".into()
        }
        TooLate::Interval => format!(
            "tokens are refreshed more often than spec.consumers.minInterval ({}) allows restarts: lower it",
            span(settings.restart_interval)
        ),
        TooLate::Rollout { margin } => {
            let remedy = if settings.refresh_before <= margin {
                "raise spec.refreshBefore"
            } else {
                "ask the provider for longer ones"
            };
            format!(
                "the old token ends {} after a refresh, perhaps before all rollouts are complete: {remedy}",
                span(margin)
            )
        }
    }
}

/// The role or policy that denied it, if the API server names one.
fn why(error: &ApiError) -> String {
    denial::denied_by(error).unwrap_or_else(|| error.to_string())
}

fn named(workload: &WorkloadRef) -> String {
    format!("{:?} {:?}", workload.kind, workload.name)
}

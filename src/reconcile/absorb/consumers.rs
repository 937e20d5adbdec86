//! Absorbs what was found and done about the consumers. Failures are remembered here, and end no reconcile.

use jiff::Timestamp;

use crate::{
    api::WorkloadRef,
    api_error::ApiError,
    consumers::{Due, Rollout, WorkloadVersion},
    reconcile::{
        case::Case,
        memory::{Change, Hindrance, NextRestart, NotRestarted, RestartMemory},
        observed::Observed,
        pace::delays,
        plan::WorkloadReading,
        time::later,
    },
};

/// Judges, once for each generation, whether the time between two tokens suffices for restarts.
pub(super) fn judge_restarts(observed: &mut Observed, now: Timestamp) {
    let Some(case) = Case::of(observed, now) else {
        return;
    };
    let credential = &observed.credential;
    let status = &credential.status;
    let is_new =
        status.observed_generation != Some(credential.generation) || status.issued_at.is_none();
    if case.settings.restart.is_empty() || !is_new {
        return;
    }
    let Some(token) = case.token_on_target() else {
        return;
    };
    let change = if observed.access.restarts_workloads {
        let why = case.restarts_too_late(token);
        why.map(|why| Change::RestartTooLate { why })
    } else {
        Some(Change::RestartsNotAllowed)
    };
    let generation = credential.generation;
    let memory = observed.memory.restart.get_or_insert_default();
    if memory.judge_once(generation)
        && let Some(change) = change
    {
        if let Change::RestartTooLate { .. } = change {
            memory.told_late(generation);
        }
        observed.memory.reporting.note(change);
    }
}

/// The status is about to name another token than the workloads have. Where earlier restarts are not over, they have an older one.
pub(super) fn token_replaced(observed: &mut Observed) {
    let Ok(settings) = &observed.settings else {
        return;
    };
    let before = &observed.credential.status;
    if settings.restart.is_empty() || before.restarted_for != before.token_fingerprint {
        return;
    }
    let ends = before.expires_at;
    let memory = observed.memory.restart.get_or_insert_default();
    memory.replaces(ends);
}

/// The consequence of one workload for the restarts.
enum Verdict {
    /// It has the token, or never gets it.
    Over,
    /// Its restart is in progress.
    InProgress,
    Restart(NextRestart),
    /// It waits for something that may last longer than the old token.
    Waits(Timestamp),
    Later(Timestamp),
}

pub(super) fn workloads_read(
    observed: &mut Observed,
    mark: &str,
    readings: Vec<WorkloadReading>,
    now: Timestamp,
) {
    let Some(case) = Case::of(observed, now) else {
        return;
    };
    let mut memory = observed.memory.restart.clone().unwrap_or_default();
    memory.retain_past(&case.settings.restart);
    let mut judged = Vec::new();
    for WorkloadReading { workload, found } in readings {
        let due = match &found {
            Ok(Some(rollout)) => {
                let past = memory.past(&workload);
                past.read(workload.kind, rollout, now);
                rollout.due(workload.kind, &case.restart(mark), past, now)
            }
            _ => Due::Done,
        };
        judged.push((workload, found, due));
    }
    let mut next = None;
    let mut waits_until = None;
    let mut wakes = Vec::new();
    let mut in_progress = false;
    for (workload, found, due) in judged {
        match verdict(&mut memory, workload, found, due, now) {
            Verdict::Over => {}
            Verdict::InProgress => {
                in_progress = true;
                waits_until = waits_until.max(Some(later(now, delays::RESTARTING)));
            }
            Verdict::Waits(at) => {
                waits_until = waits_until.max(Some(at));
                wakes.push(at);
            }
            Verdict::Restart(restart) => next = next.or(Some(restart)),
            Verdict::Later(at) => wakes.push(at),
        }
    }
    if in_progress {
        next = None;
        wakes.push(later(now, delays::RESTARTING));
    }
    let wait = wakes.into_iter().min().map(NextRestart::At);
    let next = next.or(wait).unwrap_or(NextRestart::Finished);
    memory.set_next(mark, next);
    let ends = memory.old_token_ends();
    let is_late = ends.is_some_and(|ends| waits_until.is_some_and(|until| until > ends));
    if is_late {
        memory.late(observed.credential.generation);
    }
    observed.memory.restart = Some(memory);
}

fn verdict(
    memory: &mut RestartMemory,
    workload: WorkloadRef,
    found: Result<Option<Rollout>, ApiError>,
    due: Due,
    now: Timestamp,
) -> Verdict {
    let (why, verdict) = match (found, due) {
        (Ok(None), _) => (Hindrance::Absent, Verdict::Over),
        (Err(error), _) => {
            let at = retry_at(&error, now);
            (Hindrance::Failed(error), Verdict::Later(at))
        }
        (Ok(Some(_)), Due::Never(obstacle)) => (Hindrance::Obstacle(obstacle), Verdict::Over),
        (Ok(Some(_)), Due::TakenBack) => (Hindrance::TakenBack, Verdict::Over),
        (Ok(Some(_)), Due::Busy) => {
            let at = later(now, delays::BUSY_WORKLOAD);
            (Hindrance::Busy, Verdict::Waits(at))
        }
        (Ok(Some(_)), Due::Done) => {
            memory.unhindered(&workload);
            return Verdict::Over;
        }
        (Ok(Some(_)), Due::InProgress) => {
            memory.begun(&workload);
            return Verdict::InProgress;
        }
        (Ok(Some(_)), Due::At(at)) => return Verdict::Waits(at),
        (Ok(Some(rollout)), Due::Now) => {
            return match memory.failed_until(&workload, now) {
                Some(at) => Verdict::Later(at),
                None => Verdict::Restart(NextRestart::Restart(rollout.version_of(&workload))),
            };
        }
    };
    memory.hindered(NotRestarted { workload, why });
    verdict
}

pub(super) fn restarted(
    observed: &mut Observed,
    mark: &str,
    of: &WorkloadVersion,
    error: Option<ApiError>,
    now: Timestamp,
) {
    let workload = &of.workload;
    let memory = observed.memory.restart.get_or_insert_default();
    let Some(error) = error else {
        memory.begun(workload);
        memory.past(workload).restarted(of, mark, now);
        return memory.set_next(mark, NextRestart::At(later(now, delays::RESTARTING)));
    };
    if error.is_conflict() || error.is_not_found() {
        let at = later(now, delays::RESTART_CONFLICT);
        return memory.set_next(mark, NextRestart::At(at));
    }
    memory.failed(workload.clone(), retry_at(&error, now));
    memory.hindered(NotRestarted {
        workload: workload.clone(),
        why: Hindrance::Failed(error),
    });
    memory.set_next(mark, NextRestart::Read);
}

fn retry_at(error: &ApiError, now: Timestamp) -> Timestamp {
    let delay = if error.is_refusal() {
        delays::REFUSED_RESTART
    } else {
        delays::BUSY_WORKLOAD
    };
    later(now, delay)
}

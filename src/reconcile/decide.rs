//! Decides the one next step from an observation.

use jiff::Timestamp;

use super::{
    case::Case,
    checks::{AFTER_THE_REPORT, CHECKS, Step},
    observed::Observed,
    plan::Next,
    settings::SettingsError,
    status::{self, Conditions},
};

/// Decides what to do now. Total and deterministic: the same observation at the same time gives the same step.
///
/// `now` is in whole seconds, like everything that is stored. Comparing finer values would make decisions flap.
#[must_use]
pub fn decide(observed: &Observed, now: Timestamp) -> Next {
    let settings = match &observed.settings {
        Ok(settings) => settings,
        Err(error) => return unreadable(observed, error, now),
    };
    let case = Case::with(observed, settings, now);
    let step = CHECKS
        .iter()
        .find_map(|check| check(&case))
        .expect("the last check always decides");
    let conditions = match step {
        Step::Do(next) => return next,
        Step::Settle(conditions) => conditions,
    };
    if let Some(next) = report(observed, Some(&case), &conditions, now) {
        return next;
    }
    if let Some(next) = after_the_report(&case) {
        return next;
    }
    let wakes = [
        conditions.wake_at,
        case.earlier_targets_wake_at(),
        case.probe_wakes_at(),
        case.restart_wakes_at(),
    ];
    let wake_at = wakes.into_iter().flatten().min();
    Next::Done { wake_at }
}

fn after_the_report(case: &Case<'_>) -> Option<Next> {
    match AFTER_THE_REPORT.iter().find_map(|check| check(case))? {
        Step::Do(next) => Some(next),
        Step::Settle(_) => None,
    }
}

/// Without a readable spec there is no case to check. A deleted object needs no report either.
fn unreadable(observed: &Observed, error: &SettingsError, now: Timestamp) -> Next {
    if observed.credential.deleting {
        return Next::Done { wake_at: None };
    }
    let conditions = Conditions::unreadable(error);
    let wake_at = conditions.wake_at;
    report(observed, None, &conditions, now).unwrap_or(Next::Done { wake_at })
}

/// The report of a status that changed. An unchanged status is not written again.
fn report(
    observed: &Observed,
    case: Option<&Case<'_>>,
    conditions: &Conditions,
    now: Timestamp,
) -> Option<Next> {
    let action = status::report(observed, case, conditions, now)?;
    Some(Next::Act(Box::new(action)))
}

//! Decides the one next step from an observation.

use jiff::Timestamp;

use super::{
    case::Case,
    checks::{AFTER_THE_REPORT, CHECKS, Step},
    observed::Observed,
    plan::{Next, Plan},
    settings::SettingsError,
    status::{self, Conditions},
};

/// Decides what to do now. Total and deterministic: the same observation at the same time gives the same plan.
///
/// `now` is in whole seconds, like everything that is stored. Comparing finer values would make decisions flap.
#[must_use]
pub fn decide(observed: &Observed, now: Timestamp) -> Plan {
    let settings = match &observed.settings {
        Ok(settings) => settings,
        Err(error) => return unreadable(observed, error, now),
    };
    let case = Case::with(observed, settings, now);
    let step = CHECKS
        .iter()
        .find_map(|check| check(&case))
        .expect("the last check always decides");
    match step {
        Step::Do(next) => Plan {
            next,
            wake_at: None,
        },
        Step::Rest(until) => Plan {
            next: Next::Done,
            wake_at: Some(until),
        },
        Step::Settle(conditions) => {
            let plan = settle(observed, Some(&case), &conditions, now);
            if matches!(plan.next, Next::Done)
                && let Some(next) = after_the_report(&case)
            {
                return Plan {
                    next,
                    wake_at: None,
                };
            }
            let wakes = [
                plan.wake_at,
                case.earlier_targets_wake_at(),
                case.probe_wakes_at(),
                case.restart_wakes_at(),
            ];
            Plan {
                wake_at: wakes.into_iter().flatten().min(),
                ..plan
            }
        }
    }
}

fn after_the_report(case: &Case<'_>) -> Option<Next> {
    let mut steps = AFTER_THE_REPORT.iter().filter_map(|check| check(case));
    match steps.next()? {
        Step::Do(next) => Some(next),
        Step::Rest(_) | Step::Settle(_) => None,
    }
}

/// Without a readable spec there is no case to check. A deleted object needs no report either.
fn unreadable(observed: &Observed, error: &SettingsError, now: Timestamp) -> Plan {
    if observed.credential.deleting {
        return Plan {
            next: Next::Done,
            wake_at: None,
        };
    }
    settle(observed, None, &Conditions::unreadable(error), now)
}

/// Reports a status that changed. An unchanged status is not written again.
fn settle(
    observed: &Observed,
    case: Option<&Case<'_>>,
    conditions: &Conditions,
    now: Timestamp,
) -> Plan {
    let report = status::report(observed, case, conditions, now);
    Plan {
        next: report.map_or(Next::Done, |action| Next::Act(Box::new(action))),
        wake_at: conditions.wake_at,
    }
}

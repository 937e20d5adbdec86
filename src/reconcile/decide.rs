//! From an observation to the one next step.

use jiff::Timestamp;

use super::{
    case::Case,
    checks::{CHECKS, Step},
    news::news,
    observed::Observed,
    plan::{Action, Next, Plan},
    report, rotation,
    verdict::Verdict,
};
use crate::api::CubeCredentialStatus;

/// Decides what to do now. Total and deterministic: the same observation at the same time gives the same plan.
///
/// `now` is in whole seconds, like everything that is stored: comparing finer values would make decisions flap.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan {
    if let (Some(pending), Ok(settings)) = (&seen.memory.pending, &seen.settings) {
        let case = Case {
            seen,
            settings,
            now,
        };
        return rotation::store_the_answer_first(&case, pending);
    }
    if seen.credential.deleting {
        // The garbage collector deletes what has an owner reference; the rest is to stay.
        return Plan {
            next: Next::Rest,
            wake_at: None,
        };
    }
    let settings = match &seen.settings {
        Ok(settings) => settings,
        Err(why) => {
            let verdict = Verdict::unreadable(why);
            let status = report::bare(seen, &verdict, now);
            return settle(seen, &verdict, status);
        }
    };
    let case = Case {
        seen,
        settings,
        now,
    };
    match CHECKS
        .iter()
        .find_map(|check| check(&case))
        .expect("the last check always decides")
    {
        Step::Do(next) => Plan {
            next,
            wake_at: None,
        },
        Step::Settle(verdict) => {
            let status = report::status(&case, &verdict);
            settle(seen, &verdict, status)
        }
    }
}

/// Reports what is new, then rests. Writing the same status twice writes nothing.
pub(super) fn settle(seen: &Observed, verdict: &Verdict, status: CubeCredentialStatus) -> Plan {
    if status == seen.credential.status {
        return Plan {
            next: Next::Rest,
            wake_at: verdict.wake_at,
        };
    }
    let news = news(
        &seen.credential.status,
        verdict,
        &seen.memory,
        seen.settings.as_ref().ok(),
    );
    Plan {
        next: Next::Act(Box::new(Action::Report { status, news })),
        wake_at: verdict.wake_at,
    }
}

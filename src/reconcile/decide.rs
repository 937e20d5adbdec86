//! From an observation to the one next step.

use jiff::Timestamp;

use super::{
    case::Case,
    checks::{CHECKS, Step},
    news::news,
    observed::Observed,
    plan::{Action, Next, Plan},
    report, rotation,
    verdict::Conditions,
};
use crate::api::CubeCredentialStatus;

/// Decides what to do now. Total and deterministic: the same observation at the same time gives the same plan.
///
/// `now` is in whole seconds, like everything that is stored: comparing finer values would make decisions flap.
#[must_use]
pub fn decide(observed: &Observed, now: Timestamp) -> Plan {
    if let (Some(pending), Ok(settings)) = (&observed.memory.pending, &observed.settings) {
        let case = Case {
            observed,
            settings,
            now,
        };
        return rotation::store_the_answer_first(&case, pending);
    }
    if observed.credential.deleting {
        // The garbage collector deletes what has an owner reference; the rest is to stay.
        return Plan {
            next: Next::Done,
            wake_at: None,
        };
    }
    let settings = match &observed.settings {
        Ok(settings) => settings,
        Err(why) => {
            let verdict = Conditions::unreadable(why);
            let status = report::bare(observed, &verdict, now);
            return settle(observed, &verdict, status);
        }
    };
    let case = Case {
        observed,
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
            settle(observed, &verdict, status)
        }
    }
}

/// Reports what is new, then rests. Writing the same status twice writes nothing.
pub(super) fn settle(
    observed: &Observed,
    verdict: &Conditions,
    status: CubeCredentialStatus,
) -> Plan {
    if status == observed.credential.status {
        return Plan {
            next: Next::Done,
            wake_at: verdict.wake_at,
        };
    }
    let news = news(
        &observed.credential.status,
        verdict,
        &observed.memory,
        observed.settings.as_ref().ok(),
    );
    Plan {
        next: Next::Act(Box::new(Action::Report { status, news })),
        wake_at: verdict.wake_at,
    }
}

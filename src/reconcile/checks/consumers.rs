//! The checks of the consumers: whether pods and workloads have the published token.

use std::collections::BTreeMap;

use super::step::{Step, act, read};
use crate::{
    api::annotation,
    reconcile::{
        case::Case,
        memory::NextRestart,
        pace::schedule::is_early,
        plan::{Action, Read, WorkloadRestart},
        status,
    },
};

/// A failure is absorbed like a success: no refresh waits for pods, and none is repeated for them.
pub(super) fn mounted_pods_are_told_of_a_refresh(case: &Case<'_>) -> Option<Step> {
    case.pods_refresh()
        .map(|refresh| act(Action::RefreshPods(refresh)))
}

pub(super) fn a_workload_that_was_not_restarted_is_announced(case: &Case<'_>) -> Option<Step> {
    let memory = case.observed.memory.restart.as_deref()?;
    let not_restarted = memory.unannounced().iter().map(status::not_restarted);
    let late = memory.is_late().then(status::waits_too_long);
    let events: Vec<_> = not_restarted.chain(late).collect();
    (!events.is_empty()).then(|| act(Action::Announce(events)))
}

pub(super) fn workloads_are_restarted_one_at_a_time(case: &Case<'_>) -> Option<Step> {
    let mark = case.restart_due()?;
    match case.next_restart(&mark) {
        NextRestart::At(at) if is_early(*at, case.now) => None,
        NextRestart::Finished => None,
        NextRestart::Read | NextRestart::At(_) => Some(read(Read::Workloads {
            workloads: case.settings.restart.clone(),
            mark,
        })),
        NextRestart::Restart(of) => Some(act(Action::Restart(WorkloadRestart {
            of: of.clone(),
            annotations: BTreeMap::from([
                (annotation::RESTARTED_AT.to_owned(), case.now.to_string()),
                (case.restart(&mark).annotation(), mark.clone()),
            ]),
            event: status::restarted(&of.workload, &case.settings.target_name),
            mark,
        }))),
    }
}

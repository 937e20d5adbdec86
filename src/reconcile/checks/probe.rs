//! The checks of the probe: a new token is tried at its API before it is published.

use super::{
    exchange::take_slot,
    step::{Step, act, read, settle},
};
use crate::reconcile::{
    case::{Case, Inputs},
    plan::Action,
    status::Conditions,
};

/// Nothing is sent for a token that is replaced anyway. One that consumers need is published first.
pub(super) fn the_token_is_probed(case: &Case<'_>) -> Option<Step> {
    let token = case.token_to_probe()?;
    if case.now < case.probe_at(token) || case.inputs(token) == Inputs::Changed {
        return None;
    }
    let is_new = case.observed.memory.target.unpublished().is_some();
    if is_new && case.held_back().is_none() {
        return None;
    }
    if let Some(what) = case.probe_needs() {
        return Some(read(what));
    }
    let probing = case.probing(token)?;
    take_slot(case).or_else(|| Some(act(Action::Probe(Box::new(probing)))))
}

/// A token that is held back is no reason for another exchange before its own refresh is due, or a person requests one.
pub(super) fn a_token_that_is_held_back_waits(case: &Case<'_>) -> Option<Step> {
    let token = case.held_back()?;
    if case.requested(token)
        || case.now >= case.refresh_at(token)
        || case.inputs(token) == Inputs::Changed
    {
        return None;
    }
    if let Some(rejection) = case.probe_rejection() {
        return Some(settle(Conditions::rejected_inputs(case, &rejection)));
    }
    let failure = case.probe_failure(token)?;
    Some(settle(Conditions::held_back(case, token, failure)))
}

//! The decision, as an ordered list of checks. The first one that returns a step decides.

mod consumers;
mod exchange;
mod login;
mod probe;
mod step;
mod target;

use super::case::Case;
pub(super) use step::Step;

type Check = fn(&Case<'_>) -> Option<Step>;

/// The whole decision for a spec that can be read. The checks of `login` concern a stored refresh token only.
pub(super) const CHECKS: &[Check] = &[
    // A response exists only in this process until it is stored: nothing else may happen before that, not even the object's
    // deletion.
    login::a_response_is_stored_first,
    // The garbage collector deletes Secrets with an owner reference, and the others should stay: nothing is left to do.
    target::a_deleted_credential_is_left_alone,
    // Only one of two credentials with one target may touch it, so this comes before anything is read or written for it.
    target::an_older_credential_owns_the_target,
    // The checks below depend on the owner of the Secret and on the token in it.
    target::the_target_is_read,
    // A foreign Secret is never written, so a token for it would be wasted.
    target::a_foreign_secret_is_left_alone,
    // Consumers may still use what a predecessor left: only its own client and endpoint, or a person, continue it.
    target::a_predecessors_secret_is_not_taken_over,
    // A token under the old name saves an exchange, so it is read before the new target counts as empty.
    target::a_moved_target_is_read,
    // So does the record of a token whose target is gone.
    target::the_record_is_read,
    // The state may hold a newer token than the target, or record that the login is dead.
    login::the_state_is_read,
    // The new token takes away the only trace of the earlier grant.
    login::a_state_of_an_earlier_grant_is_looked_for,
    // A rejection holds for every process only once it is stored; until then nothing else may send the token.
    login::a_rejection_is_stored,
    // A token that is still the right one is published, and any other one is replaced.
    exchange::the_inputs_are_confirmed,
    // An API that does not accept a new token leaves consumers with the one before.
    probe::the_token_is_probed,
    // A live token belongs to its consumers, whatever else is wrong.
    target::the_token_is_published,
    // Pods see the new token before anything else is done with it: the provider may have ended the old one.
    consumers::mounted_pods_are_told_of_a_refresh,
    // The old Secret goes only after the new one holds a good token.
    target::a_moved_target_is_deleted_when_no_pod_uses_it,
    // Repairs of our own Secrets end here: they also happen while the credential is suspended.
    login::the_state_follows_the_deletion_policy,
    // No exchange happens in a suspended credential, so no check below matters to it.
    exchange::a_suspended_credential_rests,
    // Nothing is known of where a request would go, and what of a login belongs there: nothing below may judge that.
    exchange::an_unusable_provider_is_waited_for,
    // A token that is held back has its own retries, and needs no exchange either.
    probe::a_token_that_is_held_back_waits,
    // A good token that is not due needs no exchange, whatever an earlier failure says.
    exchange::a_good_token_rests_until_it_is_due,
    // A claim that will not be used now must not make the next attempt one whose outcome is unknown.
    login::an_idle_claim_is_released,
    // A token for a Secret that cannot be written yet would be wasted.
    target::a_target_that_is_being_deleted_is_waited_for,
    // The delay after a failure protects the provider, so it comes before everything that leads to a request.
    exchange::a_failure_waits,
    // The distance between two exchanges also protects a provider whose tokens expire before the next one is due.
    exchange::a_token_of_a_few_seconds_is_not_replaced_immediately,
    // A queued credential can ask again without reading anything.
    exchange::a_place_in_the_queue_is_kept,
    // So can one that waits for other exchanges to end.
    exchange::a_slot_is_still_waited_for,
    // From here on the exchange is due: everything that it needs must be known.
    exchange::the_needs_of_the_request_are_read,
    // A token that templates hide must be kept.
    target::an_unusable_record_is_left_alone,
    // No refresh token may be sent without a place for its successor.
    login::an_unusable_state_is_left_alone,
    // A dead token must not be replayed.
    login::a_rejected_token_is_not_sent_again,
    // A token that another process may be sending must not be sent either.
    login::the_claim_of_another_is_waited_for,
    // A token that could not be claimed must not be sent either.
    login::an_unwritable_state_waits,
    // A token that another login knows ends that login. This is looked up once more after the claim, which the other one sees.
    login::a_refresh_token_of_another_login_is_not_sent,
    // Without the tokens of ServiceAccounts that it needs, no request can be sent.
    exchange::a_refused_account_token_waits,
    // Providers that do not respond must not use up the memory of the process. This comes before the budget, so that no permit is
    // held back meanwhile, and before the claim, which holds for seconds.
    exchange::a_slot_is_waited_for,
    // A permit may be minutes away, and a claim holds for seconds: the permit comes first.
    exchange::the_budget_is_waited_for,
    // A token of a ServiceAccount lives for minutes, so it is requested when its request may follow. It comes before the claim, which
    // holds for seconds.
    exchange::the_account_tokens_are_requested,
    // The claim is the last write before the request.
    login::the_refresh_token_is_claimed,
    // This one always decides.
    exchange::an_exchange_is_made_unless_the_inputs_are_rejected,
];

/// The checks once the status says everything: no refresh and no report waits for them. Each of them does something, or has no step.
pub(super) const AFTER_THE_REPORT: &[Check] = &[
    // The record is deleted only once the target or the state holds the same token, and nothing waits for the deletion.
    target::an_unneeded_record_is_deleted,
    // A workload that is never restarted must not be a silent one.
    consumers::a_workload_that_was_not_restarted_is_announced,
    // Only one of them at a time is without its pods.
    consumers::workloads_are_restarted_one_at_a_time,
];

//! Absorbs the refusal of one of two client secrets.

use crate::reconcile::{observed::Observed, plan::Exchanged, source::AccountTokens};

/// The provider has refused one of two client secrets, and the other one was not refused yet: the attempt continues with that one.
/// It is no failure, so it changes neither the delays nor their count. The permit has been used, and so was a token of a
/// ServiceAccount; a refresh token with this refusal was not: its claim is released, and made again before the second request.
pub(super) fn continues_with_the_other(observed: &mut Observed, exchanged: &Exchanged) -> bool {
    let (Err(error), Some(sent)) = (&exchanged.result, &exchanged.attempt.secret) else {
        return false;
    };
    if !error.refuses_client_secret() || error.outcome_unknown() || sent.other.is_none() {
        return false;
    }
    let memory = &mut observed.memory;
    let of = exchanged.attempt.inputs.digest();
    if memory
        .exchange
        .secrets
        .has_refused(sent.key.other(), || of.clone())
    {
        memory.exchange.secrets.forget_refused();
        return false;
    }
    memory.exchange.sent(exchanged.sent_at);
    memory.exchange.secrets.refused(sent.key, of);
    memory.login.release_claim();
    observed.permit = None;
    observed.account_tokens = AccountTokens::default();
    observed.source.read_again();
    observed.seed.read_again();
    true
}

//! The Secret with the current refresh token.

use jiff::SignedDuration;

use super::Inspection;
use crate::reconcile::{
    case::NextLogin,
    finding::{Finding, InputFact, LoginFact},
    login::{ClaimState, State, StoredLogin},
    plan::Read,
    token::LoginExpiry,
};

/// A person needs time for another sign-in. The chart's alert fires this long before the end too.
pub(crate) const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Inspection<'_> {
    /// The Secret with the current refresh token, with the grant that has one, or left by it.
    pub(crate) fn state(&self) -> Option<Finding> {
        let case = &self.0;
        if case.settings.grant.refresh_token().is_none() {
            let settings = Box::new(case.settings.clone());
            let left = case.observed.memory.login.left_behind() == Some(true);
            return left.then(|| Finding::notice(LoginFact::LeftBehind(settings)));
        }
        if let Some(conflict) = case.state_conflict() {
            return Some(Finding::bad(LoginFact::Conflict(conflict)));
        }
        if let Some(rejection) = case.other_login() {
            let settings = Box::new(case.settings.clone());
            return Some(Finding::bad(InputFact::Rejected(rejection, settings)));
        }
        let secret = case.settings.state_name.clone();
        if let (State::Absent, Err(rejection)) = (&case.observed.state, case.check_stored_token()) {
            let settings = Box::new(case.settings.clone());
            return Some(Finding::bad(InputFact::Rejected(rejection, settings)));
        }
        let State::Present(state) = &case.observed.state else {
            return Some(Finding::unseen(LoginFact::Absent { secret }));
        };
        if let Some(rejection) = &state.stored.record.rejection {
            let settings = Box::new(case.settings.clone());
            let fact = LoginFact::Rejected(rejection.clone(), settings);
            return Some(Finding::bad(fact));
        }
        if let NextLogin::New(_) = case.next_login() {
            return Some(Finding::notice(LoginFact::AnotherSignIn { secret }));
        }
        Some(self.stored(&state.stored, secret))
    }

    /// The end of the login, where the provider states it. The target states it to those who may not read the state.
    pub(crate) fn login_end(&self) -> Option<Finding> {
        let case = &self.0;
        case.settings.grant.refresh_token()?;
        let stored = case.observed.state.stored();
        let token = match stored {
            Some(stored) => stored.record.issued.clone(),
            None => case.token_on_target().cloned(),
        };
        let LoginExpiry { at, fixed } = token?.login?;
        if at <= case.now {
            return Some(Finding::bad(LoginFact::Ended { at }));
        }
        let fact = LoginFact::Ends { at, fixed };
        let is_near = at.duration_since(case.now) < SOON;
        Some(if fixed && is_near {
            Finding::notice(fact)
        } else {
            Finding::good(fact)
        })
    }

    /// The read that shows whether another login has the refresh token that would be sent; `None`: none would be sent that needs it.
    pub(crate) fn other_states(&self) -> Option<Read> {
        let case = &self.0;
        let token_hashes = case.unproven_tokens()?;
        Some(Read::other_states(case.settings, token_hashes))
    }

    /// A login whose refresh token is stored.
    fn stored(&self, stored: &StoredLogin, secret: String) -> Finding {
        let record = &stored.record;
        match self.0.claim_state(stored) {
            ClaimState::Others { until } => Finding::notice(LoginFact::Claimed { secret, until }),
            ClaimState::OutcomeUnknown => Finding::notice(LoginFact::OutcomeUnknown { secret }),
            _ if record.outcome_unknown => Finding::notice(LoginFact::OutcomeUnknown { secret }),
            _ if record.rotation == 0 => Finding::good(LoginFact::SignedIn { secret }),
            _ => Finding::good(LoginFact::Refreshed {
                secret,
                generation: record.rotation,
            }),
        }
    }
}

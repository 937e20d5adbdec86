//! A provider that does what the test says.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use crate::{
    api::Reason,
    oauth::{
        request::TokenRequest,
        response::{Issued, TokenError},
    },
    reconcile::{self, Exchanged, Outcome},
};

/// What the provider answers to one request.
#[derive(Clone, Debug)]
pub(super) enum Response {
    /// A token.
    Issue {
        lifetime: Option<i64>,
        scopes: Vec<String>,
        narrowed: bool,
        /// Seconds that the provider's clock is ahead.
        ahead: i64,
    },
    /// None.
    Refuse { reason: Reason, pause: Option<i64> },
}

pub(super) fn issue(lifetime: i64) -> Response {
    Response::Issue {
        lifetime: Some(lifetime),
        scopes: Vec::new(),
        narrowed: false,
        ahead: 0,
    }
}

/// A token for one of the two scopes that were asked for.
pub(super) fn issue_narrowed() -> Response {
    Response::Issue {
        lifetime: Some(3600),
        scopes: vec!["read".into()],
        narrowed: true,
        ahead: 0,
    }
}

pub(super) fn refuse(reason: Reason) -> Response {
    Response::Refuse {
        reason,
        pause: None,
    }
}

/// One exchange that was made.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) at: Timestamp,
    pub(super) known_at: Timestamp,
    pub(super) request: TokenRequest,
    pub(super) issued: bool,
}

pub(super) struct Provider {
    /// The answers to the next requests.
    pub(super) script: VecDeque<Response>,
    /// The answer to all others.
    pub(super) otherwise: Response,
    /// The only client secret that is accepted; `None`: any.
    pub(super) accepts: Option<String>,
    /// Seconds from request to answer.
    pub(super) latency: i64,
    pub(super) exchanges: Vec<Exchange>,
}

impl Provider {
    /// Issues tokens of an hour.
    pub(super) fn new() -> Self {
        Self {
            script: VecDeque::new(),
            otherwise: issue(3600),
            accepts: None,
            latency: 0,
            exchanges: Vec::new(),
        }
    }

    pub(super) fn exchange(
        &mut self,
        exchange: reconcile::Exchange,
        now: &mut Timestamp,
    ) -> Outcome {
        let reconcile::Exchange { request, attempt } = exchange;
        let sent_at = *now;
        *now += SignedDuration::from_secs(self.latency);
        let secret = request.client.secret.as_ref().unwrap().expose_secret();
        let answer = match &self.accepts {
            Some(accepted) if accepted != secret => refuse(Reason::InvalidClient),
            _ => self
                .script
                .pop_front()
                .unwrap_or_else(|| self.otherwise.clone()),
        };
        let number = self.exchanges.len();
        let (result, date) = match answer {
            Response::Issue {
                lifetime,
                scopes,
                narrowed,
                ahead,
            } => {
                let issued = Issued {
                    access_token: format!("S3CRET-token-{number}").into(),
                    lifetime: lifetime.map(SignedDuration::from_secs),
                    scopes,
                    narrowed,
                };
                (Ok(issued), Some(*now + SignedDuration::from_secs(ahead)))
            }
            Response::Refuse { reason, pause } => {
                let mut refusal = TokenError::new(reason, "the token endpoint answered no");
                refusal.pause = pause.map(SignedDuration::from_secs);
                (Err(refusal), None)
            }
        };
        self.exchanges.push(Exchange {
            at: sent_at,
            known_at: *now,
            request,
            issued: result.is_ok(),
        });
        Outcome::Exchanged(Box::new(Exchanged {
            attempt,
            sent_at,
            result,
            refresh_token: None,
            date,
        }))
    }
}

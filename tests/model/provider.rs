//! A provider of both grants, which responds as a test says.

use std::collections::VecDeque;

use cube_operator::{
    api::Reason,
    oauth::{
        request::TokenRequest,
        response::{Issued, TokenError},
    },
    reconcile::{self, Attempt, Exchanged},
};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::{
    cluster::number,
    logins::{Logins, Pair, Rules},
};

/// The response to one request.
#[derive(Clone, Debug)]
pub(crate) enum Response {
    /// A token, and with a refresh token its successor. A refresh token that is no good is rejected.
    Issue {
        lifetime: Option<i64>,
        scopes: Vec<String>,
        narrowed: bool,
        /// Seconds that the provider's clock is ahead.
        ahead: i64,
    },
    /// No token, and nothing is consumed.
    Refuse { reason: Reason, pause: Option<i64> },
    /// None that arrives. The request may have been `served`.
    Lost { reason: Reason, served: bool },
    /// The successor of the refresh token alone.
    NoAccessToken,
}

pub(crate) fn issue(lifetime: i64) -> Response {
    Response::Issue {
        lifetime: Some(lifetime),
        scopes: Vec::new(),
        narrowed: false,
        ahead: 0,
    }
}

/// A token for one of the two scopes that were asked for.
pub(crate) fn issue_narrowed() -> Response {
    Response::Issue {
        lifetime: Some(3600),
        scopes: vec!["read".into()],
        narrowed: true,
        ahead: 0,
    }
}

pub(crate) fn refuse(reason: Reason) -> Response {
    Response::Refuse {
        reason,
        pause: None,
    }
}

/// One exchange that was made.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) at: Timestamp,
    pub(crate) known_at: Timestamp,
    pub(crate) request: TokenRequest,
    pub(crate) issued: bool,
}

pub(crate) struct Provider {
    /// The responses to the next requests.
    pub(crate) script: VecDeque<Response>,
    /// The response to all others.
    pub(crate) otherwise: Response,
    /// The only client secret that is accepted; `None`: any.
    pub(crate) accepts: Option<String>,
    /// Seconds from request to response.
    pub(crate) latency: i64,
    pub(crate) exchanges: Vec<Exchange>,
    /// The logins behind the refresh tokens.
    pub(crate) logins: Logins,
}

impl Provider {
    /// Issues tokens of an hour, and rotates refresh tokens by these rules.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            script: VecDeque::new(),
            otherwise: issue(3600),
            accepts: None,
            latency: 0,
            exchanges: Vec::new(),
            logins: Logins::new(rules),
        }
    }

    /// Responds by the script, and moves the clock on.
    pub(crate) fn exchange(
        &mut self,
        exchange: reconcile::Exchange,
        now: &mut Timestamp,
    ) -> Exchanged {
        let reconcile::Exchange { request, attempt } = exchange;
        let sent_at = *now;
        *now += SignedDuration::from_secs(self.latency);
        let response = self.next_response(&request);
        let exchanged = self.respond(&request, attempt, response, *now);
        self.exchanges.push(Exchange {
            at: sent_at,
            known_at: *now,
            request,
            issued: exchanged.result.is_ok(),
        });
        Exchanged {
            sent_at,
            ..exchanged
        }
    }

    fn next_response(&mut self, request: &TokenRequest) -> Response {
        let secret = request.client.secret.as_ref();
        let sent = secret.map(ExposeSecret::expose_secret);
        if self.accepts.is_some() && self.accepts.as_deref() != sent {
            return refuse(Reason::InvalidClient);
        }
        let next = self.script.pop_front();
        next.unwrap_or_else(|| self.otherwise.clone())
    }

    /// Gives this response to a request.
    pub(crate) fn respond(
        &mut self,
        request: &TokenRequest,
        attempt: Attempt,
        response: Response,
        now: Timestamp,
    ) -> Exchanged {
        let (is_lost, served) = match response {
            Response::Issue { .. } | Response::NoAccessToken => (false, true),
            Response::Refuse { .. } => (false, false),
            Response::Lost { served, .. } => (true, served),
        };
        let pair = served.then(|| self.serve(request, now)).flatten();
        let successor = pair.filter(|_| request.refresh_token.is_some() && !is_lost);
        let date = match response {
            Response::Issue { ahead, .. } => Some(now + SignedDuration::from_secs(ahead)),
            _ => None,
        };
        let result = match pair {
            None if served => {
                let reason = Reason::RefreshTokenRejected;
                Err(TokenError::new(reason, "invalid_grant"))
            }
            pair => result(response, pair.map_or(0, |pair| pair.access)),
        };
        Exchanged {
            attempt,
            sent_at: now,
            result,
            refresh_token: successor.map(|pair| refresh_token(pair.refresh)),
            date,
        }
    }

    fn serve(&mut self, request: &TokenRequest, now: Timestamp) -> Option<Pair> {
        let Some(token) = &request.refresh_token else {
            let access = self.exchanges.len() as u64;
            return Some(Pair { refresh: 0, access });
        };
        let token = number(token.expose_secret())?;
        self.logins.refresh(token, now.as_second())
    }
}

/// What a client learns from a response, where the access token has this number.
fn result(response: Response, access: u64) -> Result<Issued, TokenError> {
    match response {
        Response::Issue {
            lifetime,
            scopes,
            narrowed,
            ..
        } => Ok(Issued {
            access_token: format!("S3CRET-token-{access}").into(),
            lifetime: lifetime.map(SignedDuration::from_secs),
            scopes,
            narrowed,
        }),
        Response::Refuse { reason, pause } => Err(TokenError {
            pause: pause.map(SignedDuration::from_secs),
            ..TokenError::new(reason, "the token endpoint answered no")
        }),
        Response::Lost { reason, .. } => Err(TokenError {
            outcome_unknown: true,
            ..TokenError::new(reason, "no response arrived")
        }),
        Response::NoAccessToken => {
            let reason = Reason::UnexpectedResponse;
            Err(TokenError::new(reason, "no access token"))
        }
    }
}

/// The refresh token with this number.
pub(crate) fn refresh_token(number: u64) -> SecretString {
    format!("S3CRET-refresh-{number}").into()
}

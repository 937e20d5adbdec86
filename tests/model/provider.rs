//! A provider of both grants, which responds as a test says.

use std::collections::{BTreeMap, VecDeque};

use cube_operator::{
    api::Reason,
    oauth::{
        error::TokenError,
        example,
        request::TokenRequest,
        response::{Issued, LoginEnd, Scalar},
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
    /// No token, or no response at all; nothing is consumed.
    Refuse { reason: Reason, pause: Option<i64> },
    /// A token and a successor that do not arrive.
    Lost(Reason),
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

/// How a provider treats a request while the token before lives for more than so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Early {
    /// It issues another token.
    Issues,
    /// It refuses.
    Refuses(i64),
    /// It issues the same token again, with the grant of a client.
    Repeats(i64),
}

pub(crate) struct Provider {
    pub(crate) early: Early,
    /// The number and the end of the last token.
    last: Option<(u64, Timestamp)>,
    /// The responses to the next requests.
    pub(crate) script: VecDeque<Response>,
    /// The response to all others.
    pub(crate) otherwise: Response,
    /// Seconds that its clock is ahead in a refusal, which otherwise has no date.
    pub(crate) refusal_ahead: Option<i64>,
    /// The only client secret that is accepted; `None`: any.
    pub(crate) accepts: Option<String>,
    /// The other fields of its responses.
    pub(crate) fields: BTreeMap<String, Scalar>,
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
            early: Early::Issues,
            last: None,
            script: VecDeque::new(),
            otherwise: issue(3600),
            refusal_ahead: None,
            accepts: None,
            fields: BTreeMap::new(),
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
        let secret = request.authentication.client_secret();
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
        let response = self.early_response(response, now);
        let served = !matches!(response, Response::Refuse { .. });
        let is_lost = matches!(response, Response::Lost(_));
        let pair = served.then(|| self.serve(request, now)).flatten();
        let successor = pair.filter(|_| request.grant.refresh_token().is_some() && !is_lost);
        let date = match response {
            Response::Issue { ahead, .. } => Some(now + SignedDuration::from_secs(ahead)),
            Response::Refuse { .. } => {
                let ahead = self.refusal_ahead.map(SignedDuration::from_secs);
                ahead.map(|ahead| now + ahead)
            }
            _ => None,
        };
        let result = match pair {
            None if served => Err(error(Reason::RefreshTokenRejected, None)),
            pair => self.result(response, pair.map_or(0, |pair| pair.access), now),
        };
        Exchanged {
            attempt,
            sent_at: now,
            result,
            refresh_token: successor.map(|pair| refresh_token(pair.refresh)),
            date,
        }
    }

    /// The response instead of this one, while the last token has much of its life left.
    fn early_response(&self, response: Response, now: Timestamp) -> Response {
        let lives_for = |seconds| {
            let end = self.last.map(|(_, end)| end.duration_since(now).as_secs());
            end.is_some_and(|left| left > seconds)
        };
        match (self.early, &response) {
            (Early::Refuses(seconds), Response::Issue { .. }) if lives_for(seconds) => {
                refuse(Reason::InvalidRequest)
            }
            _ => response,
        }
    }

    /// What a client learns from a response, where a new access token has this number.
    fn result(
        &mut self,
        response: Response,
        access: u64,
        now: Timestamp,
    ) -> Result<Issued, TokenError> {
        let mut issued = result(response, access)?;
        issued.fields.clone_from(&self.fields);
        if self.logins.rules.idle.is_some() {
            let idle = self.logins.rules.idle.map(SignedDuration::from_secs);
            issued.login_end = idle.map_or(LoginEnd::Unstated, LoginEnd::In);
        }
        if let (Early::Repeats(seconds), Some((number, end))) = (self.early, self.last)
            && end.duration_since(now).as_secs() > seconds
        {
            issued.access_token = format!("S3CRET-token-{number}").into();
            issued.lifetime = Some(end.duration_since(now));
        } else if let Some(lifetime) = issued.lifetime {
            self.last = Some((access, now + lifetime));
        }
        Ok(issued)
    }

    fn serve(&mut self, request: &TokenRequest, now: Timestamp) -> Option<Pair> {
        let Some(token) = request.grant.refresh_token() else {
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
            stated_end: None,
            login_end: LoginEnd::Unstated,
            scopes,
            narrowed,
            fields: BTreeMap::default(),
        }),
        Response::Refuse { reason, pause } => Err(error(reason, pause)),
        Response::Lost(reason) => {
            let error = error(reason, None);
            assert!(error.outcome_unknown());
            Err(error)
        }
        Response::NoAccessToken => Err(error(Reason::UnexpectedResponse, None)),
    }
}

fn error(reason: Reason, pause: Option<i64>) -> TokenError {
    let error = example::token_error(reason, pause.map(SignedDuration::from_secs));
    error.expect("an exchange can have this reason")
}

/// The refresh token with this number.
pub(crate) fn refresh_token(number: u64) -> SecretString {
    format!("S3CRET-refresh-{number}").into()
}

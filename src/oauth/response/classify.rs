//! Classifies a response.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    Body, Issued, LoginEnd, Parsed, RequestContext, Response,
    codes::is_same_name,
    ends,
    error::{Fault, ResponseError},
    fields::others,
    oauth_error::{OAuthError, Stated},
    parse::{fields, json, text, token},
    redirect,
    retry_after::{http_date, pause},
};
use crate::{api::Reason, scrub::Scrubber};

/// The most granted scopes that are shown in the status.
const MOST_SCOPES: usize = 64;
/// The scope for a refresh token (OpenID Connect Core, section 11).
const OFFLINE_ACCESS: &str = "offline_access";
/// The types of tokens that APIs take as bearer tokens. Slack and eBay name the holder of the token instead.
const BEARER: [&str; 6] = [
    "bearer",
    "bearer token",
    "bot",
    "user",
    "application access token",
    "user access token",
];

/// Reads a response. `scrubber` knows the secrets of the request; those of the response are added to it.
#[must_use]
pub fn read(response: &Response, request: RequestContext<'_>, mut scrubber: Scrubber) -> Parsed {
    let date = response.date.as_deref().and_then(http_date);
    let fields = match &response.body {
        Body::Complete(bytes) => fields(bytes, response.content_type.as_deref()),
        // Nothing is missing from an object that has its end. A form has none.
        Body::Cut { bytes, .. } => json(bytes),
        Body::TooLarge => None,
    };
    for name in ["access_token", "refresh_token", "id_token"] {
        if let Some(secret) = fields.as_ref().and_then(|fields| text(fields, name)) {
            scrubber.add(secret);
        }
    }
    let reader = Reader {
        response,
        request,
        scrubber,
        fields,
    };
    let refresh_token = reader.successor();
    let outcome = reader.outcome().map_err(|fault| match &refresh_token {
        // Whatever else the response says, the provider has consumed the token that was sent.
        Some(_) if fault != Fault::NotBearer => Fault::NoAccessToken(Stated::default()),
        _ => fault,
    });
    let outcome = outcome.map_err(|fault| {
        let mut error = ResponseError {
            status: response.status,
            fault,
            pause: None,
        };
        if matches!(error.reason(), Reason::RateLimited | Reason::Unavailable) {
            error.pause = pause(response.retry_after.as_deref(), date);
        }
        error
    });
    Parsed {
        outcome,
        refresh_token,
        date,
    }
}

struct Reader<'a> {
    response: &'a Response,
    request: RequestContext<'a>,
    scrubber: Scrubber,
    fields: Option<Map<String, Value>>,
}

impl Reader<'_> {
    /// The refresh token that replaces the one that was sent.
    fn successor(&self) -> Option<SecretString> {
        if !self.request.grant.has_successor() || !self.response.is_success() {
            return None;
        }
        let fields = self.fields.as_ref()?;
        token(fields, "refresh_token").map(Into::into)
    }

    fn outcome(&self) -> Result<Issued, Fault> {
        let status = self.response.status;
        if (300..400).contains(&status) {
            let location = self.response.location.as_deref();
            let target = location.and_then(|location| redirect::target(location, &self.scrubber));
            return Err(Fault::Redirect { target });
        }
        if matches!(self.response.body, Body::TooLarge) {
            return Err(Fault::TooLarge);
        }
        if self.response.is_success() {
            return self.success();
        }
        // The status wins: the body of a failing server is not evidence, not even `invalid_client`.
        if (500..600).contains(&status) || status == 429 {
            return Err(Fault::Status(self.stated()));
        }
        Err(self.oauth_error().unwrap_or_else(|| self.status()))
    }

    fn success(&self) -> Result<Issued, Fault> {
        let fields = self.fields.as_ref().ok_or_else(|| self.no_fields())?;
        let Some(access_token) = token(fields, "access_token") else {
            let unknown = || Fault::NoAccessToken(self.stated());
            return Err(self.oauth_error().unwrap_or_else(unknown));
        };
        if !is_bearer(fields.get("token_type")) {
            return Err(Fault::NotBearer);
        }
        let exchange = self.request.grant.token_exchange();
        if exchange.is_some_and(|sent| !sent.accepts(text(fields, "issued_token_type"))) {
            return Err(Fault::NoAccessTokenType);
        }
        let stated = text(fields, "scope").unwrap_or_default();
        let lifetime = ends::lifetime(fields);
        let login_end = if self.request.grant.has_successor() {
            ends::login_end(fields)
        } else {
            LoginEnd::Unstated
        };
        Ok(Issued {
            access_token: access_token.into(),
            lifetime,
            stated_end: match lifetime {
                Some(_) => None,
                None => ends::stated_end(fields, access_token),
            },
            login_end,
            scopes: self.scopes_shown(stated),
            narrowed: self.is_narrowed(stated),
            fields: others(fields, &self.refresh_tokens(fields), &self.scrubber),
        })
    }

    /// The refresh token that was sent, and the one that the response brings.
    fn refresh_tokens<'b>(&'b self, fields: &'b Map<String, Value>) -> Vec<&'b str> {
        let sent = self.request.grant.refresh_token();
        let sent = sent.map(ExposeSecret::expose_secret);
        sent.into_iter()
            .chain(text(fields, "refresh_token"))
            .collect()
    }

    /// The granted scopes as the status shows them: bounded and scrubbed like every other text of a provider.
    fn scopes_shown(&self, stated: &str) -> Vec<String> {
        let stated = self.scrubber.without_secrets(stated);
        let scopes = split_scopes(&stated).take(MOST_SCOPES);
        scopes
            .map(|scope| self.scrubber.clean(scope))
            .filter(|scope| !scope.is_empty())
            .collect()
    }

    /// A response without scopes grants all that were requested, and one with a refresh token grants `offline_access`, which Entra ID
    /// does not state.
    fn is_narrowed(&self, stated: &str) -> bool {
        let granted: Vec<&str> = split_scopes(stated).collect();
        let is_granted = |scope: &str| {
            granted.contains(&scope) || (scope == OFFLINE_ACCESS && self.successor().is_some())
        };
        let scopes = self.request.scopes.iter();
        let mut expected = scopes.flat_map(|scope| split_scopes(scope));
        !granted.is_empty() && expected.any(|scope| !is_granted(scope))
    }

    fn no_fields(&self) -> Fault {
        match &self.response.body {
            Body::Cut { cause, .. } => Fault::Cut(*cause),
            Body::Complete(_) | Body::TooLarge => Fault::NoFields,
        }
    }

    /// The error that the response states, if its code is known. It wins over a 4xx status.
    fn oauth_error(&self) -> Option<Fault> {
        let (status, grant) = (self.response.status, self.request.grant);
        let error = OAuthError::read(self.fields.as_ref()?, status, grant, &self.scrubber);
        error.map(Fault::OAuth)
    }

    /// The fault of a response without a known error code. A status counts even if the body was cut short. For a 403, it matters
    /// whether the provider sent it.
    fn status(&self) -> Fault {
        match (self.response.status, &self.fields, &self.response.body) {
            (403, None, Body::Complete(_)) => Fault::Page,
            _ => Fault::Status(self.stated()),
        }
    }

    /// The provider's own words.
    fn stated(&self) -> Stated {
        let fields = self.fields.as_ref();
        fields.map_or_else(Stated::default, |fields| {
            Stated::read(fields, &self.scrubber)
        })
    }
}

/// RFC 6749, section 3.3, puts blanks between scopes; Slack and Shopify put commas. A spec may have several in one text.
fn split_scopes(text: &str) -> impl Iterator<Item = &str> {
    let scopes = text.split(|c: char| c.is_whitespace() || c == ',');
    scopes.filter(|scope| !scope.is_empty())
}

/// An absent type counts as bearer, and servers differ in how they write it (RFC 6750): `bearer`, `BearerToken`, `bearer_token`.
fn is_bearer(token_type: Option<&Value>) -> bool {
    match token_type {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => {
            text.is_empty() || BEARER.iter().any(|name| is_same_name(text, name))
        }
        Some(_) => false,
    }
}

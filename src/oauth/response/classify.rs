//! Classifies a response.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    Body, Issued, LoginEnd, Parsed, RequestContext, Response, ends,
    error::{Fault, ResponseError},
    oauth_error::OAuthError,
    parse::{fields, text, token},
    redirect,
    retry_after::{http_date, pause},
};
use crate::{api::Reason, scrub::Scrubber};

/// The most granted scopes that are shown in the status.
const MOST_SCOPES: usize = 64;

/// Reads a response. `scrubber` knows the secrets of the request; those of the response are added to it.
#[must_use]
pub fn read(response: &Response, request: RequestContext<'_>, mut scrubber: Scrubber) -> Parsed {
    let date = response.date.as_deref().and_then(http_date);
    let fields = match &response.body {
        Body::Complete(bytes) => fields(bytes, response.content_type.as_deref()),
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
        Some(_) if fault != Fault::NotBearer => Fault::NoAccessToken,
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

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
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
        if !self.request.grant.has_successor() || !is_success(self.response.status) {
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
        if is_success(status) {
            return self.success();
        }
        // The status wins: the body of a failing server is not evidence, not even `invalid_client`.
        if (500..600).contains(&status) || status == 429 {
            return Err(Fault::Status { description: None });
        }
        Err(self.oauth_error().unwrap_or_else(|| self.bare_status()))
    }

    fn success(&self) -> Result<Issued, Fault> {
        let fields = self.fields.as_ref().ok_or(Fault::NoFields)?;
        let Some(access_token) = token(fields, "access_token") else {
            return Err(self.oauth_error().unwrap_or(Fault::NoAccessToken));
        };
        if !is_bearer(fields.get("token_type")) {
            return Err(Fault::NotBearer);
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
        })
    }

    /// The granted scopes as the status shows them: bounded and scrubbed like every other text of a provider.
    fn scopes_shown(&self, stated: &str) -> Vec<String> {
        let stated = self.scrubber.without_secrets(stated);
        let scopes = stated.split_whitespace().take(MOST_SCOPES);
        scopes
            .map(|scope| self.scrubber.clean(scope))
            .filter(|scope| !scope.is_empty())
            .collect()
    }

    /// A response without scopes grants all that were requested.
    fn is_narrowed(&self, stated: &str) -> bool {
        let granted: Vec<&str> = stated.split_whitespace().collect();
        let mut expected = self.request.scopes.iter();
        !granted.is_empty() && expected.any(|scope| !granted.contains(&scope.as_str()))
    }

    /// The meaning of the `error` field, if it is a known one. It wins over a 4xx status.
    fn oauth_error(&self) -> Option<Fault> {
        let code = text(self.fields.as_ref()?, "error")?;
        let (status, grant) = (self.response.status, self.request.grant);
        let error = OAuthError::read(code, status, grant, &self.scrubber, self.description());
        error.map(Fault::OAuth)
    }

    /// The fault of a response without a known error code. For a 403, it matters whether the provider sent it and how it explains
    /// it.
    fn bare_status(&self) -> Fault {
        match (self.response.status, &self.fields) {
            (403, None) => Fault::Page,
            (403, Some(_)) => Fault::Status {
                description: self.description(),
            },
            _ => Fault::Status { description: None },
        }
    }

    /// The provider's own description.
    fn description(&self) -> Option<String> {
        let description = text(self.fields.as_ref()?, "error_description")?;
        let shown = self.scrubber.clean(description);
        (!shown.is_empty()).then_some(shown)
    }
}

/// An absent type counts as bearer, and case does not matter: servers differ in both (RFC 6750).
fn is_bearer(token_type: Option<&Value>) -> bool {
    match token_type {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty() || text.eq_ignore_ascii_case("bearer"),
        Some(_) => false,
    }
}

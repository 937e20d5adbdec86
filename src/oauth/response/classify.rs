//! From an answer to its meaning.

use serde_json::{Map, Value};

use super::{
    Body, Issued, Parsed, RequestContext, Response, TokenError,
    parse::{fields, lifetime, text, token},
    retry_after::{http_date, pause},
};
use crate::{
    api::{Grant, Reason},
    oauth::scrub::Scrubber,
};

/// What stands before a provider's own sentence, so that nobody takes it for ours.
pub const PROVIDER_SAYS: &str = " (the provider says: \"";

/// Reads an answer. `scrubber` knows the secrets of the request; those of the answer are added to it.
#[must_use]
pub fn read(answer: &Response, asked: RequestContext<'_>, mut scrubber: Scrubber) -> Parsed {
    let date = answer.date.as_deref().and_then(http_date);
    let fields = match &answer.body {
        Body::Complete(bytes) => fields(bytes, answer.content_type.as_deref()),
        Body::TooLarge => None,
    };
    for name in ["access_token", "refresh_token", "id_token"] {
        if let Some(secret) = fields.as_ref().and_then(|fields| text(fields, name)) {
            scrubber.add(secret);
        }
    }
    let refresh_token = successor(answer, asked.grant, fields.as_ref());
    let reader = Reader {
        answer,
        asked,
        scrubber,
        fields,
    };
    let outcome = reader.outcome().map_err(|refusal| match &refresh_token {
        // Whatever else it says, it has used up the token that was sent.
        Some(_) if refusal.reason != Reason::UnsupportedTokenType => {
            reader.refusal(Reason::UnexpectedResponse, "without a usable access_token")
        }
        _ => refusal,
    });
    let outcome = outcome.map_err(|refusal| TokenError {
        pause: matches!(refusal.reason, Reason::RateLimited | Reason::Unavailable)
            .then(|| pause(answer.retry_after.as_deref(), date))
            .flatten(),
        outcome_unknown: leaves_doubt(answer.status, refusal.reason),
        ..refusal
    });
    Parsed {
        outcome,
        refresh_token,
        date,
    }
}

/// A server that fails, and a proxy that lost the server's answer, say nothing about what was done; and whoever answers 2xx
/// without a token that can be used may have issued one. A clear refusal (`error`, 4xx, a redirect) served nothing.
fn leaves_doubt(status: u16, reason: Reason) -> bool {
    let unusable = matches!(
        reason,
        Reason::UnexpectedResponse | Reason::UnsupportedTokenType | Reason::ResponseTooLarge
    );
    match status {
        // Also with more of a page than is read.
        500.. => true,
        200..300 | 408 => unusable || reason == Reason::Unavailable,
        _ => false,
    }
}

fn successor(
    answer: &Response,
    grant: Grant,
    fields: Option<&Map<String, Value>>,
) -> Option<secrecy::SecretString> {
    let consumed = grant == Grant::RefreshToken && is_success(answer.status);
    consumed
        .then(|| token(fields?, "refresh_token"))
        .flatten()
        .map(Into::into)
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

struct Reader<'a> {
    answer: &'a Response,
    asked: RequestContext<'a>,
    scrubber: Scrubber,
    fields: Option<Map<String, Value>>,
}

impl Reader<'_> {
    fn outcome(&self) -> Result<Issued, TokenError> {
        let status = self.answer.status;
        if (300..400).contains(&status) {
            return Err(self.redirected());
        }
        if matches!(self.answer.body, Body::TooLarge) {
            return Err(self.refusal(Reason::ResponseTooLarge, "with more than 256 KiB"));
        }
        if is_success(status) {
            return self.success();
        }
        if (500..600).contains(&status) {
            // The status wins: a failing server's body is not evidence, not even `invalid_client`.
            return Err(self.refusal(Reason::Unavailable, ""));
        }
        if status == 429 {
            return Err(self.refusal(Reason::RateLimited, ""));
        }
        Err(self.error_code().unwrap_or_else(|| self.bare_status()))
    }

    fn success(&self) -> Result<Issued, TokenError> {
        let Some(fields) = &self.fields else {
            return Err(self.refusal(
                Reason::UnexpectedResponse,
                "with neither a JSON object nor a form",
            ));
        };
        let Some(access_token) = token(fields, "access_token") else {
            let refusal = fields
                .contains_key("error")
                .then(|| self.error_code())
                .flatten();
            return Err(refusal.unwrap_or_else(|| {
                self.refusal(Reason::UnexpectedResponse, "without a usable access_token")
            }));
        };
        if !is_bearer(fields.get("token_type")) {
            return Err(self.refusal(
                Reason::UnsupportedTokenType,
                "with a token_type other than Bearer",
            ));
        }
        let stated = text(fields, "scope").map(|scope| self.scrubber.without_secrets(scope));
        let granted: Vec<&str> = stated
            .as_deref()
            .map(|scope| scope.split_whitespace().collect())
            .unwrap_or_default();
        let narrowed = !granted.is_empty()
            && self
                .asked
                .scopes
                .iter()
                .any(|scope| !granted.contains(&scope.as_str()));
        Ok(Issued {
            access_token: access_token.into(),
            lifetime: lifetime(fields),
            // Shown in status: bounded like every other text of a provider.
            scopes: granted
                .iter()
                .take(64)
                .map(|scope| self.scrubber.clean(scope))
                .filter(|scope| !scope.is_empty())
                .collect(),
            narrowed,
        })
    }

    /// The meaning of the `error` field (RFC 6749, section 5.2), if it has one. It wins over a 4xx status.
    fn error_code(&self) -> Option<TokenError> {
        let code = text(self.fields.as_ref()?, "error")?;
        let reason = match code {
            "invalid_client" | "incorrect_client_credentials" => Reason::InvalidClient,
            "access_denied" if self.answer.status == 401 => Reason::InvalidClient,
            "invalid_grant" if self.asked.grant == Grant::RefreshToken => {
                Reason::RefreshTokenRejected
            }
            "invalid_grant" => Reason::InvalidGrant,
            "unauthorized_client" => Reason::UnauthorizedClient,
            "unsupported_grant_type" => Reason::UnsupportedGrantType,
            "invalid_scope" => Reason::InvalidScope,
            "invalid_target" => Reason::InvalidTarget,
            "invalid_request" => Reason::InvalidRequest,
            "slow_down" => Reason::RateLimited,
            _ => return None,
        };
        Some(TokenError::new(
            reason,
            format!("{}{}", self.answered(), self.provider_words(code)),
        ))
    }

    fn bare_status(&self) -> TokenError {
        match self.answer.status {
            401 => self.refusal(Reason::InvalidClient, ""),
            403 if self.fields.is_some() => {
                let description = self.description();
                TokenError::new(
                    Reason::Forbidden,
                    format!("{}{description}", self.answered()),
                )
            }
            403 => self.refusal(
                Reason::Forbidden,
                "with a page, not JSON, so it may come from a proxy or firewall on the way",
            ),
            404 | 405 | 410 => self.refusal(Reason::EndpointNotFound, ""),
            408 => self.refusal(Reason::Unavailable, ""),
            400..500 => self.refusal(Reason::InvalidRequest, ""),
            _ => self.refusal(Reason::UnexpectedResponse, ""),
        }
    }

    fn redirected(&self) -> TokenError {
        let detail = match self.redirect_target() {
            Some(target) => format!("with a redirect to {target:?}, which is never followed"),
            None => "with a redirect, which is never followed".into(),
        };
        self.refusal(Reason::Redirected, &detail)
    }

    /// Scheme, host and path only: a query may hold a code or a token. Of a redirect on the same host the path.
    fn redirect_target(&self) -> Option<String> {
        let location = self
            .scrubber
            .without_secrets(self.answer.location.as_deref()?);
        let (target, on_same_host) = match url::Url::parse(&location) {
            Ok(target) => (target, false),
            Err(_) if location.starts_with('/') => {
                let base = url::Url::parse("https://same.host").expect("it is one");
                let target = base.join(&location).ok()?;
                let on_same_host = target.host() == base.host();
                (target, on_same_host)
            }
            Err(_) => return None,
        };
        // Part by part, because a whole URL looks like a token.
        let part = |text: &str| self.scrubber.clean(text);
        let host = target
            .host_str()?
            .split('.')
            .map(part)
            .collect::<Vec<_>>()
            .join(".");
        let path = target
            .path()
            .split('/')
            .map(part)
            .collect::<Vec<_>>()
            .join("/");
        // Once more: a URL drops what can cut a secret apart, tabs and steps such as `..`.
        let shown = if on_same_host {
            path
        } else {
            format!("{}://{host}{path}", target.scheme())
        };
        let mut shown = self.scrubber.without_secrets(&shown);
        shown.truncate(200);
        Some(shown)
    }

    fn refusal(&self, reason: Reason, detail: &str) -> TokenError {
        TokenError::new(reason, format!("{} {detail}", self.answered()).trim_end())
    }

    fn answered(&self) -> String {
        format!("the token endpoint answered {}", self.answer.status)
    }

    fn provider_words(&self, code: &str) -> String {
        let code = self
            .scrubber
            .code(code)
            .map(|code| format!(" {code}"))
            .unwrap_or_default();
        format!("{code}{}", self.description())
    }

    /// The provider's own sentence.
    fn description(&self) -> String {
        let description = self
            .fields
            .as_ref()
            .and_then(|fields| text(fields, "error_description"));
        let shown = description
            .map(|text| self.scrubber.clean(text))
            .unwrap_or_default();
        if shown.is_empty() {
            shown
        } else {
            format!("{PROVIDER_SAYS}{shown}\")")
        }
    }
}

/// Absent counts as bearer, in any case (RFC 6750 servers differ).
fn is_bearer(token_type: Option<&Value>) -> bool {
    match token_type {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty() || text.eq_ignore_ascii_case("bearer"),
        Some(_) => false,
    }
}

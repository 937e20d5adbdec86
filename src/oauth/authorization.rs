//! A sign-in with a browser: authorization code with PKCE (RFC 6749, section 4.1, and RFC 7636). Only `kubectl cube` signs in.
//!
//! ```text
//!  authorization URL ─▶ browser, provider ─▶ redirect with a code ─▶ code request ─▶ refresh token
//!        state, challenge                     state, code, iss        verifier
//! ```

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::{
    Url,
    form_urlencoded::{self, Serializer},
};

use super::{
    authentication::Authentication,
    ca_bundle::TrustedCa,
    endpoint::Endpoint,
    grant::Grant,
    response::{self, Parsed, RequestContext, Response},
};
use crate::scrub::Scrubber;

/// The randomness of a state or a verifier: more than RFC 7636 demands (section 7.1).
pub(crate) type Random = [u8; 32];

/// The longest code that is sent on. Real ones have 20 to 2,000 characters.
const LONGEST_CODE: usize = 8 * 1024;

/// A value that ties a code to this sign-in, or proves that both requests come from the same client.
pub(crate) fn unguessable(random: &Random) -> SecretString {
    URL_SAFE_NO_PAD.encode(random).into()
}

/// The request that the person's browser makes.
pub(crate) struct AuthorizationRequest<'a> {
    /// The authorization endpoint. Its query is kept.
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) scopes: &'a [String],
    /// Further parameters of the spec, such as audience.
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) state: &'a SecretString,
    pub(crate) verifier: &'a SecretString,
}

impl AuthorizationRequest<'_> {
    /// The URL. It holds the hash of the verifier, and nothing that has to be kept secret from the person who signs in.
    pub(crate) fn url(&self) -> Url {
        let challenge = Sha256::digest(self.verifier.expose_secret());
        let mut url = self.endpoint.url().clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("state", self.state.expose_secret())
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256");
        if !self.scopes.is_empty() {
            query.append_pair("scope", &self.scopes.join(" "));
        }
        for (name, value) in self.parameters {
            query.append_pair(name, value);
        }
        drop(query);
        url
    }
}

/// The issuer that a redirect may name (RFC 9207).
#[derive(Clone, Debug)]
pub(crate) enum ExpectedIssuer {
    /// The person named it, and its metadata was read.
    Known {
        issuer: String,
        /// True if the metadata says that each redirect names it.
        always: bool,
    },
    /// It is on the host of one of the endpoints.
    OnHostOf(Vec<Endpoint>),
}

impl ExpectedIssuer {
    /// Returns whether a redirect that names this issuer, or none, comes from the provider.
    fn allows(&self, named: Option<&str>) -> bool {
        match (self, named) {
            (Self::Known { issuer, .. }, Some(named)) => issuer == named,
            (Self::Known { always, .. }, None) => !always,
            (Self::OnHostOf(endpoints), Some(named)) => Endpoint::parse(named).is_ok_and(|named| {
                let mut hosts = endpoints.iter().map(Endpoint::authority);
                hosts.any(|host| host == named.authority())
            }),
            (Self::OnHostOf(_), None) => true,
        }
    }
}

/// A redirect that brings no code for this sign-in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum RedirectError {
    /// Another sign-in, or another site, sent the browser here.
    #[error("the redirect belongs to another sign-in")]
    WrongState,
    /// Another provider sent the code (a mix-up, RFC 9207).
    #[error("the redirect names another provider as its issuer")]
    WrongIssuer,
    /// A parameter that counts stands there twice.
    #[error("the redirect has parameter {0} more than once")]
    Repeated(&'static str),
    #[error("the sign-in was denied")]
    Denied,
    /// The code is one of RFC 6749, section 4.1.2.1, or the provider's own; both texts are scrubbed.
    #[error("the provider responded {code}{}", described(description.as_deref()))]
    Refused {
        code: String,
        description: Option<String>,
    },
    #[error("the redirect has neither a code nor an error")]
    NoCode,
}

fn described(description: Option<&str>) -> String {
    description.map_or_else(String::new, |text| {
        format!(" (the provider says: \"{text}\")")
    })
}

/// Returns whether a redirect belongs to the sign-in with this state.
pub(crate) fn belongs_to(query: &SecretString, state: &SecretString) -> bool {
    let all = form_urlencoded::parse(query.expose_secret().as_bytes());
    let mut states = all.filter(|(name, _)| name == "state");
    let is_ours = states
        .next()
        .is_some_and(|(_, found)| found == state.expose_secret());
    is_ours && states.next().is_none()
}

/// Reads the code from the query of a redirect.
///
/// # Errors
/// If it has no code that belongs to this state and comes from this issuer.
pub(crate) fn code(
    query: &SecretString,
    state: &SecretString,
    issuer: &ExpectedIssuer,
) -> Result<SecretString, RedirectError> {
    if !belongs_to(query, state) {
        return Err(RedirectError::WrongState);
    }
    let query = query.expose_secret();
    let one = |name: &'static str| {
        let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found == name);
        let value = found.next().map(|(_, value)| value.into_owned());
        match found.next() {
            Some(_) => Err(RedirectError::Repeated(name)),
            None => Ok(value.filter(|value| !value.is_empty())),
        }
    };
    if !issuer.allows(one("iss")?.as_deref()) {
        return Err(RedirectError::WrongIssuer);
    }
    if let Some(error) = one("error")? {
        return Err(refusal(&error, one("error_description")?.as_deref(), state));
    }
    match one("code")? {
        Some(code) if is_code(&code) => Ok(code.into()),
        _ => Err(RedirectError::NoCode),
    }
}

/// RFC 6749, appendix A.11.
fn is_code(code: &str) -> bool {
    code.len() <= LONGEST_CODE && code.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

fn refusal(error: &str, description: Option<&str>, state: &SecretString) -> RedirectError {
    if error == "access_denied" {
        return RedirectError::Denied;
    }
    let scrubber = Scrubber::of([state]);
    RedirectError::Refused {
        code: scrubber
            .code(error)
            .unwrap_or_else(|| "an error without a readable code".into()),
        description: description
            .map(|text| scrubber.clean(text))
            .filter(|text| !text.is_empty()),
    }
}

/// The request that exchanges a code for tokens (RFC 6749, section 4.1.3).
pub(crate) struct CodeRequest {
    pub(crate) endpoint: Endpoint,
    pub(crate) authentication: Authentication,
    pub(crate) code: SecretString,
    /// The same as in the authorization request.
    pub(crate) redirect_uri: String,
    pub(crate) verifier: SecretString,
    /// Further parameters of the spec.
    pub(crate) parameters: BTreeMap<String, String>,
    /// The trusted CA certificates; `None`: the system's.
    pub(crate) ca_bundle: Option<TrustedCa>,
}

impl CodeRequest {
    /// The form.
    pub(super) fn body(&self) -> SecretString {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", self.code.expose_secret())
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("code_verifier", self.verifier.expose_secret());
        self.authentication.add_fields(&mut form);
        for (name, value) in &self.parameters {
            form.append_pair(name, value);
        }
        form.finish().into()
    }

    /// The value of the Authorization header.
    pub(super) fn authorization(&self) -> Option<SecretString> {
        self.authentication.header()
    }

    /// The meaning of the response. A code is consumed as a refresh token is, and brings one.
    pub(crate) fn read(&self, response: &Response) -> Parsed {
        let mut scrubber = Scrubber::of([&self.code, &self.verifier]);
        self.authentication.add_secrets(&mut scrubber);
        let context = RequestContext {
            grant: &Grant::RefreshToken(self.code.clone()),
            scopes: &[],
        };
        response::read(response, context, scrubber)
    }
}

#[cfg(test)]
mod tests;

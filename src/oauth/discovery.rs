//! The metadata of an authorization server (RFC 8414, and `OpenID` Connect Discovery 1.0), which says where its endpoints are. The
//! operator asks for it where a provider object has an issuer, and `kubectl cube create --issuer` does. Reading it is pure.

use serde::Deserialize;
use thiserror::Error;

use super::{
    endpoint::{Endpoint, EndpointError},
    response::{Body, Response},
};
use crate::api::ClientAuthentication;

/// The longest URL that is accepted, as in a spec.
const LONGEST_URL: usize = 512;
/// The most entries of a list that are read.
const MOST_ENTRIES: usize = 64;
/// The longest scope that a spec may have.
const LONGEST_SCOPE: usize = 256;

/// The identifier of an authorization server: an https URL without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

/// The metadata that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The token endpoint.
    pub token_endpoint: Endpoint,
    /// The authorization endpoint, if the server has one that can be used.
    pub authorization_endpoint: Option<Endpoint>,
    /// The methods of client authentication by their registered names; `None`: the server does not say.
    pub authentication_methods: Option<Vec<String>>,
    /// The scopes that the server lists, if it lists any.
    pub scopes: Vec<String>,
    /// The code challenge methods (RFC 7636); `None`: the server does not say.
    pub challenge_methods: Option<Vec<String>>,
    /// True if each redirect after a sign-in names the issuer (RFC 9207).
    pub redirects_name_issuer: bool,
}

/// The error of [`Issuer::parse`] and [`read`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum DiscoveryError {
    #[error("the issuer {error}")]
    BadIssuer { error: EndpointError },
    #[error(
        "the issuer must name a host, have neither query nor fragment, and at most {LONGEST_URL} characters"
    )]
    NoIssuer,
    #[error("responded {status}")]
    Status { status: u16 },
    #[error("sent no metadata: its response is not a JSON object with the fields of RFC 8414")]
    NotMetadata,
    /// The name may differ in a slash at its end only, which counts.
    #[error("names another issuer, {issuer}")]
    OtherIssuer { issuer: String },
    #[error("names an issuer that is none")]
    OtherNoIssuer,
    #[error("has no {field}")]
    Missing { field: &'static str },
    #[error(
        "has a {field} that is longer than {LONGEST_URL} characters, or has others than printable ASCII"
    )]
    Unwritable { field: &'static str },
    #[error("has an unusable {field}: it {error}")]
    BadEndpoint {
        field: &'static str,
        error: EndpointError,
    },
    #[error(
        "wants client authentication by a method that is not supported here: client_secret_basic, client_secret_post, private_key_jwt and none are"
    )]
    NoMethod,
}

/// The fields of the response. Others are not kept.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    token_endpoint: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl Issuer {
    /// Reads an issuer as it was typed.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(text: &str) -> Result<Self, DiscoveryError> {
        let parsed = Endpoint::parse(text).map_err(|error| DiscoveryError::BadIssuer { error });
        // `Url` skips further slashes before the host.
        if text.contains(['?', '#']) || text.starts_with("https:///") || text.len() > LONGEST_URL {
            return Err(DiscoveryError::NoIssuer);
        }
        parsed.map(|_| Self(text.to_owned()))
    }

    /// The issuer as it was written: another spelling is another issuer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `host` or `host:port`, for messages.
    #[must_use]
    pub(in crate::oauth) fn authority(&self) -> String {
        Endpoint::parse(&self.0).map_or_else(|_| self.0.clone(), |endpoint| endpoint.authority())
    }

    /// The addresses of its metadata, the likeliest first: of `OpenID` Connect, which appends to the path, and of RFC 8414, which
    /// inserts before it. Servers mix the two.
    #[must_use]
    pub fn addresses(&self) -> Vec<Endpoint> {
        const OPENID: &str = "/.well-known/openid-configuration";
        const OAUTH: &str = "/.well-known/oauth-authorization-server";
        let issuer = self.0.trim_end_matches('/');
        let path = issuer["https://".len()..].find('/');
        let (origin, path) = issuer.split_at(path.map_or(issuer.len(), |at| at + "https://".len()));
        let mut addresses = Vec::new();
        for (before, after) in [(path, OPENID), (OAUTH, path), (OPENID, path), (path, OAUTH)] {
            let address = Endpoint::parse(&format!("{origin}{before}{after}"));
            addresses.extend(address.ok().filter(|new| !addresses.contains(new)));
        }
        addresses
    }
}

/// Reads the metadata in a response.
///
/// # Errors
/// If the response has none, or the metadata of another issuer (RFC 8414, section 3.3), or the token endpoint in it cannot be used.
pub fn read(response: &Response, issuer: &Issuer) -> Result<Metadata, DiscoveryError> {
    let status = response.status;
    if status != 200 {
        return Err(DiscoveryError::Status { status });
    }
    let Body::Complete(bytes) = &response.body else {
        return Err(DiscoveryError::NotMetadata);
    };
    let document = serde_json::from_slice(bytes).map_err(|_| DiscoveryError::NotMetadata)?;
    metadata(document, issuer)
}

fn metadata(document: Document, issuer: &Issuer) -> Result<Metadata, DiscoveryError> {
    if document.issuer != issuer.0 {
        // Other characters could make a message look like another one.
        let other = Issuer::parse(&document.issuer).ok();
        let other = other.filter(|Issuer(name)| is_printable(name));
        return Err(match other {
            Some(Issuer(issuer)) => DiscoveryError::OtherIssuer { issuer },
            None => DiscoveryError::OtherNoIssuer,
        });
    }
    let token = endpoint("token_endpoint", document.token_endpoint.as_deref())?;
    // A place to sign in that cannot be used costs no tokens.
    let authorization = document.authorization_endpoint.as_deref();
    let authorization = endpoint("authorization_endpoint", authorization).unwrap_or_default();
    Ok(Metadata {
        token_endpoint: token.ok_or(DiscoveryError::Missing {
            field: "token_endpoint",
        })?,
        authorization_endpoint: authorization,
        authentication_methods: document.token_endpoint_auth_methods_supported,
        scopes: scopes(document.scopes_supported.unwrap_or_default()),
        challenge_methods: document.code_challenge_methods_supported,
        redirects_name_issuer: document
            .authorization_response_iss_parameter_supported
            .unwrap_or_default(),
    })
}

fn endpoint(field: &'static str, url: Option<&str>) -> Result<Option<Endpoint>, DiscoveryError> {
    let Some(url) = url else { return Ok(None) };
    let parsed = Endpoint::parse(url);
    let endpoint = parsed.map_err(|error| DiscoveryError::BadEndpoint { field, error })?;
    // Parsing makes three characters of one that has to be encoded.
    let length = endpoint.url().as_str().len().max(url.len());
    if length > LONGEST_URL || !is_printable(url) {
        return Err(DiscoveryError::Unwritable { field });
    }
    Ok(Some(endpoint))
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The scopes that a spec may have.
fn scopes(told: Vec<String>) -> Vec<String> {
    let of_a_scope = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    let is_scope = |scope: &String| {
        (1..=LONGEST_SCOPE).contains(&scope.len()) && scope.bytes().all(of_a_scope)
    };
    told.into_iter()
        .filter(is_scope)
        .take(MOST_ENTRIES)
        .collect()
}

impl Metadata {
    /// The method of a client: one with a secret if the server supports that. A server that names none supports
    /// `client_secret_basic` (RFC 8414, section 2).
    ///
    /// # Errors
    /// If the server supports none of ours.
    pub fn client_authentication(&self) -> Result<ClientAuthentication, DiscoveryError> {
        let supports = |method: &str| match &self.authentication_methods {
            Some(methods) => methods.iter().any(|known| known == method),
            None => method == "client_secret_basic",
        };
        if supports("client_secret_basic") {
            return Ok(ClientAuthentication::Basic);
        }
        if supports("client_secret_post") {
            return Ok(ClientAuthentication::Body);
        }
        if supports("none") {
            return Ok(ClientAuthentication::None);
        }
        if supports("private_key_jwt") {
            return Ok(ClientAuthentication::PrivateKeyJwt);
        }
        Err(DiscoveryError::NoMethod)
    }

    /// The scopes without which many servers give no refresh token (`OpenID` Connect Core, section 11).
    #[must_use]
    pub fn offline_scopes(&self) -> Vec<String> {
        let supported = |scope: &&str| self.scopes.iter().any(|known| known == scope);
        if !supported(&"offline_access") {
            return Vec::new();
        }
        let scopes = ["offline_access", "openid"].into_iter();
        scopes.filter(supported).map(str::to_owned).collect()
    }

    /// Returns whether the server says that it does not know the code challenge method of a sign-in here.
    #[must_use]
    pub fn lacks_s256(&self) -> bool {
        let methods = self.challenge_methods.as_ref();
        methods.is_some_and(|methods| methods.iter().all(|method| method != "S256"))
    }
}

#[cfg(test)]
mod tests;

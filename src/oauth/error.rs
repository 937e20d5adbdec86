//! The errors of an exchange and of a probe.

use std::fmt;

use jiff::SignedDuration;
use thiserror::Error;

pub use super::client::error::{
    MetadataError, NetworkError, ProxyFault, ProxyVariableError, Unreachable, Untrusted,
};
use super::{endpoint::Endpoint, response::ResponseError};
use crate::api::{Reason, RetryClass};

/// An exchange that gave no token. The message describes the cause and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// There is no complete response.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The response holds no token that can be used.
    #[error(transparent)]
    Response(#[from] ResponseError),
}

impl TokenError {
    /// The reason for conditions, events and metrics. It also decides how the exchange is retried.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Network(error) => error.reason(),
            Self::Response(error) => error.reason(),
        }
    }

    /// The pause that the provider asked for, 10 seconds to 1 hour.
    #[must_use]
    pub fn pause(&self) -> Option<SignedDuration> {
        match self {
            Self::Response(error) => error.pause(),
            Self::Network(_) => None,
        }
    }

    /// Returns whether the provider may have served the request anyway, so that a refresh token that was sent may be consumed.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Network(error) => error.outcome_unknown(),
            Self::Response(error) => error.outcome_unknown(),
        }
    }

    /// Returns whether the provider has refused the client secret in clear words, and served nothing.
    #[must_use]
    pub(crate) fn refuses_client_secret(&self) -> bool {
        match self {
            Self::Response(error) => error.refuses_client_secret(),
            Self::Network(_) => false,
        }
    }

    /// Returns whether the token endpoint may be at another URL by now.
    #[must_use]
    pub(crate) fn endpoint_may_have_moved(&self) -> bool {
        match self {
            Self::Network(NetworkError::Unreachable { .. } | NetworkError::Hidden { .. }) => true,
            Self::Network(_) => false,
            Self::Response(error) => matches!(
                error.reason(),
                Reason::EndpointNotFound | Reason::Redirected
            ),
        }
    }

    /// The same without the details of the network at this endpoint: whether a host exists there, what listens at its port, how
    /// that responds. All such errors become one, with one reason and so one schedule of retries.
    ///
    /// What a token endpoint itself says (RFC 6749, section 5.2) is left as it is. Of another request to pause, only the words are
    /// removed, because anything may stand in them.
    #[must_use]
    pub(crate) fn without_network_detail(self, endpoint: &Endpoint) -> Self {
        let is_of_token_endpoint = match &self {
            Self::Response(error) => error.names_an_error(),
            Self::Network(error) => matches!(
                error.reason(),
                Reason::CABundleInvalid | Reason::ClientSecretMalformed | Reason::ClientKeyInvalid
            ),
        };
        if is_of_token_endpoint {
            return self;
        }
        let asks_for_pause = self.asks_for_pause();
        match self {
            Self::Response(error) if asks_for_pause => return error.without_words().into(),
            Self::Response(_) | Self::Network(_) => {}
        }
        Self::Network(NetworkError::Hidden {
            endpoint: endpoint.authority(),
            outcome_unknown: self.outcome_unknown(),
        })
    }

    /// Returns whether nothing may be sent for this client for a while (429, `slow_down`, Retry-After).
    #[must_use]
    pub(crate) fn asks_for_pause(&self) -> bool {
        self.pause().is_some() || self.reason().retry_class() == Some(RetryClass::RateLimited)
    }
}

/// A probe that did not prove its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// The API responded with another status than expected.
    Status(u16),
    /// There is no response.
    Network(NetworkError),
}

impl ProbeError {
    /// An error without the details of the network: neither the status of an inner service nor whether there is one. All of them
    /// become this one.
    #[must_use]
    pub(crate) fn hidden(endpoint: &Endpoint) -> Self {
        Self::Network(NetworkError::Hidden {
            endpoint: endpoint.authority(),
            outcome_unknown: false,
        })
    }
}

/// A [`NetworkError`] speaks of a token endpoint, where it names the host by its part.
impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Status(status) => return write!(f, "the API responded {status}"),
            Self::Network(error) => error,
        };
        match error {
            NetworkError::RefusedNetwork {
                endpoint, network, ..
            } => write!(
                f,
                "probe host {endpoint} is on a network that {}",
                network.refused_by()
            ),
            NetworkError::Unreachable { endpoint, cause } => {
                write!(f, "probe host {endpoint} could not be reached: {cause}")
            }
            NetworkError::ClientCertificateRequired { endpoint } => {
                write!(f, "probe host {endpoint} requires a TLS client certificate")
            }
            NetworkError::NoResponse { endpoint, cause } => {
                write!(f, "probe host {endpoint} sent no complete response {cause}")
            }
            NetworkError::Hidden { endpoint, .. } => write!(
                f,
                "probe host {endpoint} did not accept the new token (details are in the operator's log)"
            ),
            NetworkError::SecretNotSendable => {
                f.write_str("the token cannot be sent in an HTTP header")
            }
            NetworkError::Untrusted { .. }
            | NetworkError::Proxy { .. }
            | NetworkError::NoTlsClient
            | NetworkError::ClientCertificateRefused { .. }
            | NetworkError::NotSigned => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        oauth::{
            grant::Grant,
            response::{Body, RequestContext, Response, read},
        },
        scrub::Scrubber,
    };

    fn shown(status: u16, body: &str, retry_after: Option<&str>) -> String {
        let response = Response {
            status,
            retry_after: retry_after.map(Into::into),
            body: Body::Complete(body.into()),
            ..Response::default()
        };
        let context = RequestContext {
            grant: &Grant::ClientCredentials,
            scopes: &[],
        };
        let error = read(&response, context, Scrubber::default()).outcome;
        let endpoint = Endpoint::parse("https://inner.example/token").unwrap();
        let error = TokenError::from(error.unwrap_err());
        error.without_network_detail(&endpoint).to_string()
    }

    #[test]
    fn no_word_of_another_server_is_shown_where_the_network_is_hidden() {
        let hidden = shown(404, "", None);
        for (status, code) in [
            (200, "planted"),
            (400, "planted"),
            (403, "planted"),
            (401, "planted"),
            (500, "invalid_client"),
            (400, "service_unavailable"),
            (400, "server_error"),
        ] {
            let body = format!(r#"{{"error":"{code}","error_description":"planted"}}"#);
            assert_eq!(shown(status, &body, None), hidden, "{status} {code}");
        }
        let body = r#"{"error":"planted","error_description":"planted"}"#;
        for status in [429, 503] {
            let pause = format!("token endpoint responded {status}");
            assert_eq!(shown(status, body, Some("30")), pause);
        }
        let body = r#"{"error":"invalid_client","error_description":"text"}"#;
        assert!(shown(400, body, None).contains("invalid_client (the provider says: \"text\")"));
    }
}

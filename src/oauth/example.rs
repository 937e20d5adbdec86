//! Errors for tests, made as an exchange makes them.

use jiff::SignedDuration;

use super::{
    client::error::{NetworkError, NoResponse, Unreachable, Untrusted},
    error::TokenError,
    grant::Grant,
    networks::RefusedNetwork,
    response::{Body, RequestContext, Response, read},
};
use crate::{api::Reason, scrub::Scrubber};

/// An error with this reason, as an exchange returns it; `None` if no exchange fails with it. The response that it is read from
/// asks for `pause`.
#[must_use]
pub fn token_error(reason: Reason, pause: Option<SignedDuration>) -> Option<TokenError> {
    let endpoint = || "token.example.com".to_owned();
    let network = match reason {
        Reason::HostNotAllowed => NetworkError::RefusedNetwork {
            endpoint: endpoint(),
            network: RefusedNetwork::Loopback,
            looked_up: true,
        },
        Reason::Unreachable => NetworkError::Unreachable {
            endpoint: endpoint(),
            cause: Unreachable::ConnectionRefused,
        },
        Reason::TLSUntrusted => NetworkError::Untrusted {
            endpoint: endpoint(),
            cause: Untrusted::SelfSigned,
        },
        Reason::ClientCertificateRequired => NetworkError::ClientCertificateRequired {
            endpoint: endpoint(),
        },
        Reason::ClientCertificateRefused => NetworkError::ClientCertificateRefused {
            endpoint: endpoint(),
            alert: None,
        },
        Reason::NoResponse => NetworkError::NoResponse {
            endpoint: endpoint(),
            cause: NoResponse::Incomplete,
        },
        Reason::CABundleInvalid => NetworkError::NoTlsClient,
        Reason::ClientKeyInvalid => NetworkError::NotSigned,
        Reason::ClientSecretMalformed => NetworkError::SecretNotSendable,
        _ => return response_error(reason, pause),
    };
    Some(network.into())
}

fn response_error(reason: Reason, pause: Option<SignedDuration>) -> Option<TokenError> {
    let code = |status, code: &str| (status, format!(r#"{{"error":"{code}"}}"#));
    let bare = |status| (status, String::new());
    let (status, body) = match reason {
        Reason::InvalidClient => code(401, "invalid_client"),
        Reason::InvalidGrant | Reason::RefreshTokenRejected => code(400, "invalid_grant"),
        Reason::UnauthorizedClient => code(400, "unauthorized_client"),
        Reason::UnsupportedGrantType => code(400, "unsupported_grant_type"),
        Reason::InvalidScope => code(400, "invalid_scope"),
        Reason::InvalidTarget => code(400, "invalid_target"),
        Reason::InvalidRequest => code(400, "invalid_request"),
        Reason::Forbidden => bare(403),
        Reason::Redirected => bare(302),
        Reason::EndpointNotFound => bare(404),
        Reason::UnexpectedResponse | Reason::ResponseTooLarge => bare(200),
        Reason::UnsupportedTokenType => {
            (200, r#"{"access_token":"t","token_type":"mac"}"#.to_owned())
        }
        Reason::Unavailable => bare(503),
        Reason::RateLimited => bare(429),
        _ => return None,
    };
    let response = Response {
        status,
        retry_after: pause.map(|pause| pause.as_secs().to_string()),
        body: match reason {
            Reason::ResponseTooLarge => Body::TooLarge,
            _ => Body::Complete(body.into_bytes()),
        },
        ..Response::default()
    };
    let grant = match reason {
        Reason::RefreshTokenRejected => Grant::RefreshToken("r".into()),
        _ => Grant::ClientCredentials,
    };
    let context = RequestContext {
        grant: &grant,
        scopes: &[],
    };
    let error = read(&response, context, Scrubber::default()).outcome.err();
    error.map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_its_reason() {
        let made = Reason::ALL.map(|reason| (reason, token_error(reason, None)));
        for (reason, error) in made {
            let exchange = reason.is_exchange_failure() && reason != Reason::RefreshTokenLost;
            assert!(error.is_some() || !exchange, "{reason}");
            assert!(
                error.is_none_or(|error| error.reason() == reason),
                "{reason}"
            );
        }
    }
}

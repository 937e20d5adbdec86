//! The advice in messages, once for each reason of a failed exchange.

use cube_operator::api::{Grant, Reason};

use super::row::Retry;

pub(super) const OF_A_NEW_CLIENT: &str =
    "check client-id and client-secret in Secret {client}, or spec.clientAuthentication (now Body)";
pub(super) const OF_A_CLIENT_THAT_WORKED: &str = "if there is a newer secret, write it to client-secret of Secret {client}; \
                                                  else ask the provider";
/// What a retry risks is said in place of the remedy.
pub(super) const MAY_BE_CONSUMED: &str =
    "if the retry fails too, the refresh token was consumed: sign in again";

pub(super) fn remedy(reason: Reason, grant: Grant) -> &'static str {
    let stored = grant == Grant::RefreshToken;
    match reason {
        // The default of the preset CubeSoftware.
        Reason::InvalidClient if stored => {
            "check client-id and client-secret in Secret {client}, or spec.clientAuthentication (now Basic)"
        }
        Reason::InvalidClient => OF_A_NEW_CLIENT,
        Reason::InvalidGrant => {
            "check spec.parameters, then ask the provider (an unusual error for client_credentials)"
        }
        Reason::UnauthorizedClient if stored => {
            "ask the provider to allow this client to use grant refresh_token"
        }
        Reason::UnauthorizedClient => {
            "ask the provider to allow this client to use grant client_credentials"
        }
        Reason::UnsupportedGrantType => {
            "check spec.tokenURL, and whether the provider supports client_credentials"
        }
        Reason::InvalidScope if stored => {
            "ask the provider about this login: the refresh requested no scope"
        }
        Reason::InvalidScope => {
            "set spec.scopes to what the provider allows this client (requested: \"read write\")"
        }
        Reason::InvalidTarget => "check audience and resource in spec.parameters",
        Reason::InvalidRequest => {
            "check spec.parameters and spec.clientAuthentication, or ask the provider what it means"
        }
        Reason::Forbidden => {
            "ask the provider why; often this cluster's egress IP address is not allowed"
        }
        Reason::Redirected => "correct spec.tokenURL (redirects never get credentials)",
        Reason::EndpointNotFound => "correct the path in spec.tokenURL (a trailing slash matters)",
        Reason::UnexpectedResponse => "check that spec.tokenURL is a token endpoint",
        Reason::UnsupportedTokenType => "ask the provider to issue bearer tokens to this client",
        Reason::ResponseTooLarge => "check that spec.tokenURL is a token endpoint, not a web page",
        Reason::NoResponse => "check the proxy, the firewall and the provider's status page",
        Reason::Unavailable => {
            "no action needed; if this persists, check the provider's status page"
        }
        Reason::RateLimited => {
            "no action needed; if this persists, find the other users of this client id"
        }
        other => panic!("{other} is no failure of an exchange"),
    }
}

/// The time of the next attempt, or what it waits for.
pub(super) fn retry_sentence(retry: Retry) -> &'static str {
    match retry {
        Retry::Never => "retrying only after a change",
        _ => "retrying at {time}",
    }
}

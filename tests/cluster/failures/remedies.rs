//! The advice in messages, once for each reason of a failed exchange.

use cube_operator::api::{Grant, Reason};

use super::row::Retry;

pub(super) fn remedy(reason: Reason, grant: Grant) -> &'static str {
    let stored = grant == Grant::RefreshToken;
    match reason {
        Reason::InvalidClient => {
            "check client-id and client-secret in Secret {client}, and whether the provider wants spec.clientAuthentication Basic"
        }
        Reason::InvalidGrant | Reason::UnauthorizedClient | Reason::UnsupportedGrantType
            if stored =>
        {
            "ask the provider to permit this client the refresh_token grant, or set spec.grant to one that it may use"
        }
        Reason::InvalidGrant | Reason::UnauthorizedClient | Reason::UnsupportedGrantType => {
            "ask the provider to permit this client the client_credentials grant, or set spec.grant to one that it may use"
        }
        Reason::InvalidScope if stored => {
            "ask the provider what is wrong with this login: a refresh asks for no scope"
        }
        Reason::InvalidScope => {
            "set spec.scopes to what the provider permits this client, which asked for \"read write\""
        }
        Reason::InvalidTarget => "correct audience or resource in spec.parameters",
        Reason::InvalidRequest => {
            "compare spec.parameters, spec.scopes and spec.clientAuthentication with the provider's documentation"
        }
        Reason::Forbidden => {
            "ask the provider to allow the egress IP addresses of this cluster and to permit this client to request tokens"
        }
        Reason::Redirected => {
            "set spec.tokenURL to the token endpoint itself (a slash at its end matters)"
        }
        Reason::EndpointNotFound => {
            "correct the path in spec.tokenURL (a slash at its end matters)"
        }
        Reason::UnexpectedResponse => {
            "check that spec.tokenURL is an OAuth 2 token endpoint, and ask the provider if it is"
        }
        Reason::UnsupportedTokenType => "ask the provider to issue bearer tokens to this client",
        Reason::ResponseTooLarge => {
            "check that spec.tokenURL is an OAuth 2 token endpoint, not a web page"
        }
        Reason::NoResponse => {
            "check the proxy or firewall on the way to it, and the provider's status page"
        }
        Reason::Unavailable => "wait, and look at the provider's status page if it lasts",
        Reason::RateLimited => "wait, and look for other users of this client id if it comes again",
        other => panic!("{other} is no failure of an exchange"),
    }
}

/// When it is tried again, and which changes make an attempt immediately.
pub(super) fn retry_sentence(reason: Reason, retry: Retry) -> String {
    let bundle = match reason {
        Reason::TLSUntrusted => ", ConfigMap {roots}",
        _ => "",
    };
    match retry {
        Retry::Pause(_) => "next try at {time}, and not before".into(),
        Retry::Never => {
            "it is not tried again until Secret {client}, the spec or annotation cube-operator.dev/refresh-requested-at changes".into()
        }
        _ => format!(
            "next try at {{time}}, or at once when Secret {{client}}{bundle}, the spec or annotation \
             cube-operator.dev/refresh-requested-at changes"
        ),
    }
}

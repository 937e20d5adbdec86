//! The remedies for failed exchanges.

mod network;

use crate::{
    api::{ClientAuthentication, Reason},
    oauth::error::TokenError,
    reconcile::settings::Settings,
};

const PARAMETERS: &str = "correct audience or resource in spec.parameters";
const REQUEST: &str = "compare spec.parameters, spec.scopes and spec.clientAuthentication with the provider's documentation";
const PERMISSION: &str = "ask the provider to allow the egress IP addresses of this cluster and to permit this client to request tokens";
const ENDPOINT_ITSELF: &str =
    "set spec.tokenURL to the token endpoint itself (a slash at its end matters)";
const PATH: &str = "correct the path in spec.tokenURL (a slash at its end matters)";
const NO_TOKEN_ENDPOINT: &str =
    "check that spec.tokenURL is an OAuth 2 token endpoint, and ask the provider if it is";
const BEARER: &str = "ask the provider to issue bearer tokens to this client";
const WEB_PAGE: &str = "check that spec.tokenURL is an OAuth 2 token endpoint, not a web page";
const OUTAGE: &str = "wait, and look at the provider's status page if it lasts";
const OTHER_USERS: &str = "wait, and look for other users of this client id if it comes again";
const SPEC: &str = "check the spec";

/// The remedy for a failed exchange.
pub(super) fn remedy(error: &TokenError, settings: &Settings) -> String {
    match error {
        TokenError::Network(error) => network::remedy(error, settings),
        TokenError::Response(error) => of_response(error.reason(), settings),
    }
}

/// The remedy for a response with this reason.
pub(super) fn of_response(reason: Reason, settings: &Settings) -> String {
    match reason {
        Reason::InvalidClient => check_client(settings),
        Reason::InvalidGrant | Reason::UnauthorizedClient | Reason::UnsupportedGrantType => {
            format!(
                "ask the provider to permit this client the {} grant, or set spec.grant to one that it may use",
                settings.grant.name()
            )
        }
        Reason::InvalidScope => scopes(settings),
        Reason::InvalidTarget => PARAMETERS.into(),
        Reason::InvalidRequest => REQUEST.into(),
        Reason::Forbidden => PERMISSION.into(),
        Reason::Redirected => ENDPOINT_ITSELF.into(),
        Reason::EndpointNotFound => PATH.into(),
        Reason::UnexpectedResponse => NO_TOKEN_ENDPOINT.into(),
        Reason::UnsupportedTokenType => BEARER.into(),
        Reason::ResponseTooLarge => WEB_PAGE.into(),
        Reason::Unavailable => OUTAGE.into(),
        Reason::RateLimited => OTHER_USERS.into(),
        Reason::NoResponse => network::INTERMEDIARY.into(),
        // No response has these; the rooms that report them have remedies of their own.
        Reason::Synced
        | Reason::TokenIssued
        | Reason::Pending
        | Reason::Suspended
        | Reason::RateBudget
        | Reason::ClientSecretNotFound
        | Reason::ClientSecretKeyMissing
        | Reason::ClientSecretNotLabelled
        | Reason::ClientSecretMalformed
        | Reason::RefreshTokenNotFound
        | Reason::RefreshTokenNotLabelled
        | Reason::RefreshTokenMalformed
        | Reason::RefreshTokenInUse
        | Reason::InvalidSpec
        | Reason::CABundleInvalid
        | Reason::HostNotAllowed
        | Reason::TLSUntrusted
        | Reason::ClientCertificateRequired
        | Reason::Unreachable
        | Reason::TargetConflict
        | Reason::TargetDuplicate
        | Reason::TargetNotWritable
        | Reason::StateConflict
        | Reason::StateNotWritable
        | Reason::RefreshTokenRejected
        | Reason::RefreshTokenLost => SPEC.into(),
    }
}

fn scopes(settings: &Settings) -> String {
    if !settings.grant.sends_scopes() {
        if let Some(asked) = settings.parameters.get("scope") {
            return format!(
                "set spec.refreshScopes to what the provider allows this login, which asked for {asked:?}"
            );
        }
        return "ask the provider what is wrong with this login: a refresh asks for no scope"
            .into();
    }
    let asked = match settings.scopes.as_slice() {
        [] => "none".into(),
        scopes => format!("{:?}", scopes.join(" ")),
    };
    format!("set spec.scopes to what the provider permits this client, which asked for {asked}")
}

fn check_client(settings: &Settings) -> String {
    let source = &settings.source;
    let (id, secret, name) = (
        &source.client_id_key,
        &source.client_secret_key,
        &source.name,
    );
    let other = match settings.authentication {
        ClientAuthentication::BasicEmptySecret | ClientAuthentication::None => {
            return format!(
                "check {id} in Secret {name:?}, and that the provider has this client as a public one"
            );
        }
        ClientAuthentication::Body => ClientAuthentication::Basic,
        ClientAuthentication::Basic => ClientAuthentication::Body,
    };
    format!(
        "check {id} and {secret} in Secret {name:?}, and whether the provider wants spec.clientAuthentication {other:?}"
    )
}

//! The remedies for failed exchanges.

use crate::{
    api::{ClientAuthentication, Reason},
    reconcile::{settings::Settings, source::ca_bundle_name},
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
const ROUTE: &str = "check the host in spec.tokenURL, the cluster's DNS, and network policies, firewall and proxy on the way to it";
const INTERMEDIARY: &str =
    "check the proxy or firewall on the way to it, and the provider's status page";
const OUTAGE: &str = "wait, and look at the provider's status page if it lasts";
const OTHER_USERS: &str = "wait, and look for other users of this client id if it comes again";
const NETWORK: &str = "set spec.tokenURL to another host, or have the operator's installer permit the network with --allow-network";
const CA_BUNDLE: &str = "check the PEM certificates that spec.caBundleRef names";
const SPEC: &str = "check the spec";

/// The remedy for a failed exchange with this reason.
pub(super) fn remedy(reason: Reason, settings: &Settings) -> String {
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
        Reason::TLSUntrusted => trust(settings),
        Reason::Unreachable => ROUTE.into(),
        Reason::NoResponse => INTERMEDIARY.into(),
        Reason::Unavailable => OUTAGE.into(),
        Reason::RateLimited => OTHER_USERS.into(),
        Reason::HostNotAllowed => NETWORK.into(),
        Reason::CABundleInvalid => CA_BUNDLE.into(),
        // No exchange fails with these; the rooms that report them have remedies of their own.
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
        ClientAuthentication::None => {
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

fn trust(settings: &Settings) -> String {
    let host = settings.endpoint.authority();
    let put = match &settings.ca_bundle {
        Some(reference) => {
            let (bundle, key) = (ca_bundle_name(reference), &reference.key);
            format!("add that to key {key:?} of {bundle}")
        }
        None => "put that into a ConfigMap and name it in spec.caBundleRef".into(),
    };
    format!(
        "have the owner of {host} correct it; if only its authority is not trusted (a private one, or that of a proxy), {put}"
    )
}

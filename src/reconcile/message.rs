//! What people read in `kubectl describe`: what happened, what to do, and when the next try is.

use jiff::{SignedDuration, Timestamp};

use super::settings::Settings;
use crate::{api::Reason, oauth::answer::Refusal};

pub(super) fn synced(target: &str, expires_at: Timestamp) -> String {
    format!("Secret {target:?} holds a token that expires at {expires_at}")
}

/// The whole sentence about a failed exchange.
pub(super) fn failure(
    refusal: &Refusal,
    settings: &Settings,
    next_try: Option<Timestamp>,
) -> String {
    let what = &refusal.what;
    let remedy = remedy(refusal.reason, settings);
    let sooner = sooner(refusal.reason);
    match next_try {
        Some(time) => format!(
            "{what}: {remedy}; next try at {}, or at once when {sooner}",
            time.strftime("%H:%M:%SZ")
        ),
        None => format!("{what}: {remedy}; next try when {sooner}"),
    }
}

/// The API server's own words name the quota or the policy.
pub(super) fn not_writable(why: &str, next_try: Timestamp) -> String {
    let time = next_try.strftime("%H:%M:%SZ");
    format!(
        "{why}: raise the quota, or have the policy permit this Secret; next try at {time}, or at once when the spec changes"
    )
}

fn remedy(reason: Reason, settings: &Settings) -> String {
    let source = &settings.source;
    let host = settings.endpoint.authority();
    match reason {
        Reason::InvalidClient => {
            let (id, secret) = (&source.client_id_key, &source.client_secret_key);
            format!("check {id} and {secret} in Secret {:?}", source.name)
        }
        Reason::InvalidGrant => "check that the provider permits this client the client_credentials grant".into(),
        Reason::UnauthorizedClient | Reason::UnsupportedGrantType => {
            "ask the provider to permit this client the client_credentials grant".into()
        }
        Reason::InvalidScope => "check spec.scopes against what the provider permits this client".into(),
        Reason::InvalidTarget => "check audience and resource in spec.parameters".into(),
        Reason::InvalidRequest => "check spec.parameters, spec.scopes and spec.clientAuthentication".into(),
        Reason::Forbidden => {
            "ask the provider to allow the egress IP addresses of this cluster and to permit this client to request tokens"
                .into()
        }
        Reason::Redirected => "set spec.tokenURL to the token endpoint itself".into(),
        Reason::EndpointNotFound => "check the path in spec.tokenURL; a trailing slash matters".into(),
        Reason::UnexpectedResponse => "check that spec.tokenURL is an OAuth 2 token endpoint".into(),
        Reason::UnsupportedTokenType => "ask the provider for bearer tokens".into(),
        Reason::ResponseTooLarge => "check that spec.tokenURL is an OAuth 2 token endpoint, not a web page".into(),
        Reason::TLSUntrusted => {
            format!("check the certificate of {host}; if its authority is private, put that into a ConfigMap and name it in spec.caBundleRef")
        }
        Reason::Unreachable => {
            "check the host in spec.tokenURL, the cluster's DNS, and network policies, firewall and proxy on the way to it".into()
        }
        Reason::NoResponse => "check the proxy or firewall on the way to it, and the provider's status page".into(),
        Reason::Unavailable => "wait, or look at the provider's status page".into(),
        Reason::RateLimited => "wait; if it comes again, look for other users of this client id".into(),
        Reason::HostNotAllowed => {
            "set spec.tokenURL to another host, or have the operator's installer permit the network with --allow-network".into()
        }
        Reason::CABundleInvalid => "check the PEM certificates that spec.caBundleRef names".into(),
        _ => "check the spec".into(),
    }
}

fn sooner(reason: Reason) -> &'static str {
    match reason {
        Reason::InvalidClient => "that Secret changes",
        Reason::TLSUntrusted | Reason::CABundleInvalid => "the CA bundle or the spec changes",
        _ => "the spec or the Secret changes",
    }
}

/// A span of time in whole seconds, as people write it.
pub(super) fn span(duration: SignedDuration) -> String {
    format!("{duration:#}")
}

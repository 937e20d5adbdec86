//! What people read in `kubectl describe`: what happened, what to do, and when the next try is.

use jiff::{SignedDuration, Timestamp};

use super::{settings::Settings, state::Rejection};
use crate::{
    api::{ClientAuthentication, Grant, Reason},
    oauth::answer::Refusal,
};

const NEXT_TRY: &str = "; next try at ";

pub(super) fn synced(target: &str, expires_at: Timestamp) -> String {
    format!("Secret {target:?} holds a token that expires at {expires_at}")
}

/// The whole sentence about a failed exchange.
pub(super) fn failure(
    refusal: &Refusal,
    settings: &Settings,
    next_try: Option<Timestamp>,
) -> String {
    let doubt = if refusal.in_doubt && settings.seed.is_some() {
        "; it may have used up the refresh token, which is sent again to find out"
    } else {
        ""
    };
    let what = format!("{}{doubt}", refusal.what);
    let sentence = format!("{what}: {}", remedy(refusal.reason, settings));
    match next_try {
        Some(at) if refusal.asks_for_pause() => {
            format!("{sentence}{NEXT_TRY}{}, and not before", time(at))
        }
        _ => next(&sentence, next_try, sooner(refusal.reason)),
    }
}

fn next(sentence: &str, next_try: Option<Timestamp>, sooner: &str) -> String {
    match next_try {
        Some(at) => format!("{sentence}{NEXT_TRY}{}, or at once when {sooner}", time(at)),
        None => format!("{sentence}; next try when {sooner}"),
    }
}

/// The same sentence about a failure whose next try waits for its turn.
pub(super) fn postponed(sentence: &str, at: Timestamp) -> String {
    let rest = sentence.rsplit_once(NEXT_TRY).and_then(|(before, after)| {
        let after = after.get(time(at).len()..)?;
        Some((before, after))
    });
    match rest {
        Some((before, after)) => format!("{before}{NEXT_TRY}{}{after}", time(at)),
        None => format!("{sentence}{NEXT_TRY}{}", time(at)),
    }
}

pub(super) fn waits_for_turn(at: Timestamp, paused: bool) -> String {
    let time = time(at);
    if paused {
        format!(
            "the provider has asked this client to pause, so the next token request waits until {time}: nothing has to be done"
        )
    } else {
        format!(
            "the next token request waits for its turn at {time}, because those of all CubeCredentials with this client id and \
             token URL are sent one after the other: nothing has to be done"
        )
    }
}

/// The reason and the whole sentence about a dead refresh token.
pub(super) fn rejected(rejection: &Rejection, settings: &Settings) -> (Reason, String) {
    let (name, key) = settings
        .seed
        .as_ref()
        .map_or(("", ""), |seed| (&seed.name, &seed.key));
    let (reason, why) = if rejection.lost {
        (
            Reason::RefreshTokenLost,
            "the provider used up the refresh token in an earlier request whose answer was lost",
        )
    } else {
        (
            Reason::RefreshTokenRejected,
            "the refresh token was revoked or has expired",
        )
    };
    let sentence = format!(
        "{}: {why}: sign in at the provider again and write the new refresh token into key {key:?} of Secret {name:?}",
        rejection.what
    );
    let sooner = "that Secret has a new one";
    (reason, next(&sentence, rejection.next_try(), sooner))
}

/// The one message that must keep people from the usual first try.
pub(super) fn storing(why: &str) -> String {
    format!(
        "{why}: remove what is in the way, and do not restart the operator: the new refresh token is in its memory \
         alone; it is written again every 5 s"
    )
}

pub(super) fn state_conflict(name: &str, why: &str) -> String {
    format!(
        "Secret {name:?}, where the refresh token is to be kept, {why}, so nothing is sent: restore it, or delete it and sign in \
         again; it is looked at again every minute"
    )
}

/// The API server's own words name the quota or the policy.
pub(super) fn not_writable(why: &str, next_try: Timestamp) -> String {
    next(
        &format!("{why}: raise the quota, or have the policy permit this Secret"),
        Some(next_try),
        "the spec changes",
    )
}

/// What to do about a failed exchange.
#[must_use]
pub fn remedy(reason: Reason, settings: &Settings) -> String {
    let source = &settings.source;
    let host = settings.endpoint.authority();
    match reason {
        Reason::InvalidClient => {
            let (id, secret) = (&source.client_id_key, &source.client_secret_key);
            match settings.authentication {
                ClientAuthentication::None => format!(
                    "check {id} in Secret {:?}, and that the provider has this client as a public one",
                    source.name
                ),
                _ => format!("check {id} and {secret} in Secret {:?}", source.name),
            }
        }
        Reason::InvalidGrant => "check that the provider permits this client the client_credentials grant".into(),
        Reason::UnauthorizedClient | Reason::UnsupportedGrantType => {
            let grant = match settings.grant() {
                Grant::ClientCredentials => "client_credentials",
                Grant::RefreshToken => "refresh_token",
            };
            format!("ask the provider to permit this client the {grant} grant")
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

fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// A span of time in whole seconds, as people write it.
pub(super) fn span(duration: SignedDuration) -> String {
    format!("{duration:#}")
}

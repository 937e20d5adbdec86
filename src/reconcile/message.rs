//! What people read in `kubectl describe`: what happened, what to do, and what happens next if nobody does anything.

use jiff::{SignedDuration, Timestamp};

use super::{local::ca_bundle_name, settings::Settings, state::Rejection};
use crate::{
    api::{ClientAuthentication, Reason, annotation},
    oauth::error::TokenError,
};

const NEXT_TRY: &str = "; next try at ";

pub(super) fn synced(target: &str, expires_at: Timestamp) -> String {
    format!("Secret {target:?} holds a token that expires at {expires_at}")
}

/// The same while the next token cannot be got.
pub(super) fn synced_until(target: &str, expires_at: Timestamp) -> String {
    let synced = synced(target, expires_at);
    format!("{synced}; it cannot be replaced so far, and condition Refreshed says why")
}

/// Nothing is Ready, but consumers that never heard of the trouble may go on for a while.
pub(super) fn until(trouble: &str, target: &str, expires_at: Timestamp) -> String {
    format!(
        "{trouble}; until {expires_at} Secret {target:?} still holds the token that was issued before the last change"
    )
}

/// The whole sentence about a failed exchange.
pub(super) fn failure(
    refusal: &TokenError,
    outcome_unknown: bool,
    settings: &Settings,
    next_try: Option<Timestamp>,
) -> String {
    let doubt = if outcome_unknown && settings.seed().is_some() {
        "; it may have used up the refresh token, which is sent again to find out"
    } else {
        ""
    };
    format!(
        "{refusal}{doubt}: {}{}",
        remedy(refusal.reason(), settings),
        next(refusal, settings, next_try)
    )
}

fn next(refusal: &TokenError, settings: &Settings, next_try: Option<Timestamp>) -> String {
    let sooner = sooner(refusal.reason(), settings);
    match next_try {
        Some(at) if refusal.asks_for_pause() => not_before(at),
        Some(at) => format!("{NEXT_TRY}{}, or at once when {sooner} changes", time(at)),
        None => format!("; it is not tried again until {sooner} changes"),
    }
}

/// What cuts the delay short. The last of it helps where somebody else has to act: the cluster cannot see that they did.
fn sooner(reason: Reason, settings: &Settings) -> String {
    let bundle = match (&settings.ca_bundle, reason) {
        (Some(bundle), Reason::TLSUntrusted | Reason::CABundleInvalid) => {
            format!(", {}", ca_bundle_name(bundle))
        }
        _ => String::new(),
    };
    format!(
        "Secret {:?}{bundle}, the spec or annotation {}",
        settings.source.name,
        annotation::REFRESH_REQUESTED_AT
    )
}

/// All that is left of a failure which something else came after.
pub(super) fn paused(until: Timestamp) -> String {
    format!(
        "the provider has asked this client to pause: wait{}",
        not_before(until)
    )
}

fn not_before(at: Timestamp) -> String {
    format!("{NEXT_TRY}{}, and not before", time(at))
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

/// `too_late`: there is a token, and it does not last until then.
pub(super) fn waits_for_turn(at: Timestamp, paused: bool, too_late: bool) -> String {
    let time = time(at);
    let (waits, remedy) = if paused {
        (
            format!(
                "the provider has asked this client to pause, so the next token request waits until {time}"
            ),
            "look for other users of this client id",
        )
    } else {
        (
            format!(
                "the next token request waits for its turn at {time}, because those of all CubeCredentials with this client id \
                 and token URL are sent one after the other"
            ),
            "let those that need the same token share a CubeCredential, or get another client id for some of them",
        )
    };
    if too_late {
        format!("{waits}; the token does not last until then: if this comes again, {remedy}")
    } else {
        format!("{waits}: nothing has to be done")
    }
}

/// The reason and the whole sentence about a dead refresh token.
pub(super) fn rejected(rejection: &Rejection, settings: &Settings) -> (Reason, String) {
    let (name, key) = settings
        .seed()
        .map_or(("", ""), |seed| (&seed.name, &seed.key));
    let (reason, why) = if rejection.lost {
        (
            Reason::RefreshTokenLost,
            "the provider used up the refresh token in an earlier request whose answer was lost",
        )
    } else {
        (
            Reason::RefreshTokenRejected,
            "the refresh token was revoked, has expired, or was used by somebody else",
        )
    };
    let next = match rejection.next_try() {
        Some(at) => format!(
            "sent once more at {}, to make sure, and then never",
            time(at)
        ),
        None => "never sent again".into(),
    };
    let sentence = format!(
        "{}: {why}: sign in at the provider again and write the new refresh token into key {key:?} of Secret {name:?}, where it \
         is used at once; the old one is {next}",
        rejection.what
    );
    (reason, sentence)
}

pub(super) fn claimed(until: Timestamp) -> String {
    format!(
        "another process of the operator has claimed the refresh token; what came of it is looked at when its claim ends, at {}",
        time(until)
    )
}

/// The one message that must keep people from the usual first try.
pub(super) fn storing(why: &str) -> String {
    format!(
        "do not restart the operator: the new refresh token is in its memory alone; {why}: remove what is in the way; it is \
         written again every 5 s"
    )
}

pub(super) fn foreign_state(name: &str) -> String {
    format!(
        "Secret {name:?}, where the refresh token is to be kept, exists and does not belong to this CubeCredential, so it is left \
         alone and nothing is sent: delete it, or give this CubeCredential another name; it is looked at again every minute"
    )
}

pub(super) fn damaged_state(name: &str) -> String {
    format!(
        "Secret {name:?}, where the refresh token is kept, was edited and cannot be read any more, so nothing is sent: restore it, \
         or delete it and sign in again; it is looked at again every minute"
    )
}

/// The API server's own words name the quota or the policy.
pub(super) fn not_writable(why: &str, next_try: Timestamp) -> String {
    format!(
        "{why}: raise the quota, or have the policy or the role permit this Secret{NEXT_TRY}{}, or at once when the spec changes",
        time(next_try)
    )
}

/// What to do about a failed exchange.
#[must_use]
pub fn remedy(reason: Reason, settings: &Settings) -> String {
    match reason {
        Reason::InvalidClient => check_client(settings),
        Reason::InvalidGrant | Reason::UnauthorizedClient | Reason::UnsupportedGrantType => {
            let grant = settings.grant.name();
            format!("ask the provider to permit this client the {grant} grant, or set spec.grant to one that it may use")
        }
        Reason::InvalidScope if settings.seed().is_some() => {
            "ask the provider what is wrong with this login: a refresh asks for no scope".into()
        }
        Reason::InvalidScope => {
            let asked = match settings.scopes.as_slice() {
                [] => "none".into(),
                scopes => format!("{:?}", scopes.join(" ")),
            };
            format!("set spec.scopes to what the provider permits this client, which asked for {asked}")
        }
        Reason::InvalidTarget => "correct audience or resource in spec.parameters".into(),
        Reason::InvalidRequest => {
            "compare spec.parameters, spec.scopes and spec.clientAuthentication with the provider's documentation".into()
        }
        Reason::Forbidden => {
            "ask the provider to allow the egress IP addresses of this cluster and to permit this client to request tokens"
                .into()
        }
        Reason::Redirected => {
            "set spec.tokenURL to the token endpoint itself (a slash at its end matters)".into()
        }
        Reason::EndpointNotFound => {
            "correct the path in spec.tokenURL (a slash at its end matters)".into()
        }
        Reason::UnexpectedResponse => {
            "check that spec.tokenURL is an OAuth 2 token endpoint, and ask the provider if it is".into()
        }
        Reason::UnsupportedTokenType => {
            "ask the provider to issue bearer tokens to this client".into()
        }
        Reason::ResponseTooLarge => {
            "check that spec.tokenURL is an OAuth 2 token endpoint, not a web page".into()
        }
        Reason::TLSUntrusted => trust(settings),
        Reason::Unreachable => {
            "check the host in spec.tokenURL, the cluster's DNS, and network policies, firewall and proxy on the way to it".into()
        }
        Reason::NoResponse => {
            "check the proxy or firewall on the way to it, and the provider's status page".into()
        }
        Reason::Unavailable => {
            "wait, and look at the provider's status page if it lasts".into()
        }
        Reason::RateLimited => {
            "wait, and look for other users of this client id if it comes again".into()
        }
        Reason::HostNotAllowed => {
            "set spec.tokenURL to another host, or have the operator's installer permit the network with --allow-network".into()
        }
        Reason::CABundleInvalid => "check the PEM certificates that spec.caBundleRef names".into(),
        _ => "check the spec".into(),
    }
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

fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// A span of time in whole seconds, as people write it.
pub(super) fn span(duration: SignedDuration) -> String {
    format!("{duration:#}")
}

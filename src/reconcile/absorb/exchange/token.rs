//! Absorbs an exchange that brought a token. It goes to the target's memory, or with its refresh token to the login's: no path
//! drops it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::SecretString;

use super::ends::{self, Lifetime, Times};
use crate::{
    api::CubeCredentialStatus,
    oauth::response::{Issued, Scalar},
    reconcile::{
        case::Case,
        memory::{LifetimeSource, TokenFacts},
        observed::Observed,
        pace::{delays, schedule},
        plan::Attempt,
        settings::Settings,
        time::later,
        token::{Details, LoginExpiry, Token, TokenMetadata},
    },
};

pub(super) fn issued(
    observed: &mut Observed,
    attempt: &Attempt,
    issued: Issued,
    refresh_token: Option<SecretString>,
    lifetime: Lifetime,
    times: Times,
) {
    let case = Case::of_attempt(observed, attempt, times.now);
    let before = case.token().cloned();
    let before = before.as_ref();
    let login = ends::login(attempt, &issued, refresh_token.is_some(), times);
    let metadata = metadata(attempt, &issued, before, login, lifetime, times.sent_at);
    let maximum = attempt.settings.maximum_lifetime;
    let metadata = ends::of_first_response(metadata, before, maximum, lifetime);
    let same = before.filter(|before| ends::repeats(&metadata, before, lifetime));
    let metadata = match same {
        Some(before) => TokenMetadata {
            issued_at: before.issued_at,
            expires_at: before.expires_at,
            ..metadata
        },
        None => metadata,
    };
    let repeated = same.map(|before| before.expires_at);
    let facts = facts(
        &case, attempt, &issued, &metadata, repeated, lifetime, times,
    );
    observed.memory.reporting.token_arrived(facts);
    observed.memory.exchange.sent(times.sent_at);
    observed.memory.exchange.succeeded(times.now);
    let secret = attempt.secret.as_ref();
    observed.memory.exchange.secrets.worked(secret);
    match same {
        Some(_) => observed
            .memory
            .exchange
            .repeated(metadata.expires_at, times.now),
        None => observed.memory.exchange.replaced(before, times.sent_at),
    }
    let token = Token {
        value: issued.access_token,
        metadata,
        details: details(attempt, issued.fields),
    };
    let Some(sent) = &attempt.login else {
        if before != Some(&token.metadata) {
            observed.memory.target.receive(token);
        }
        return;
    };
    let published = before.and_then(|before| before.rotation);
    let login = sent.succeeded(refresh_token, Some(token), published);
    observed.memory.login.receive(login, sent);
}

/// The details of a response. A stored refresh token keeps them in any case, because templates may come later, and only the
/// next refresh would bring them again.
fn details(attempt: &Attempt, fields: BTreeMap<String, Scalar>) -> Option<Box<Details>> {
    let templates = attempt.settings.templates();
    let wanted = templates.is_some() || attempt.login.is_some();
    let id_token = matches!(templates, Some(Ok(templates)) if templates.names_id_token());
    wanted.then(|| Box::new(Details::of(&attempt.client_id, fields, id_token)))
}

/// Keeps the successor of the refresh token that was sent, even if the rest of the response is useless, because the provider has
/// consumed the old one. Returns whether there is a successor.
pub(super) fn keep_successor(
    observed: &mut Observed,
    attempt: &Attempt,
    refresh_token: Option<SecretString>,
    now: Timestamp,
) -> bool {
    let (Some(sent), Some(successor)) = (&attempt.login, refresh_token) else {
        return false;
    };
    let case = Case::of_attempt(observed, attempt, now);
    let published = case.token().and_then(|before| before.rotation);
    let login = sent.succeeded(Some(successor), None, published);
    observed.memory.login.receive(login, sent);
    true
}

fn metadata(
    attempt: &Attempt,
    issued: &Issued,
    before: Option<&TokenMetadata>,
    login: Option<LoginExpiry>,
    lifetime: Lifetime,
    sent_at: Timestamp,
) -> TokenMetadata {
    let served = before.and_then(|before| before.refresh_request.clone());
    let requested = attempt.attempted.refresh_request.clone();
    let token = TokenMetadata {
        owner_uid: attempt.owner_uid.clone(),
        issued_at: sent_at,
        expires_at: later(sent_at, lifetime.duration),
        inputs_hash: attempt.inputs.hash(&issued.access_token),
        generation: attempt.attempted.generation,
        source_version: attempt.attempted.source_resource_version.clone(),
        seed_version: match attempt.settings.grant.refresh_token() {
            Some(_) => attempt.attempted.seed_resource_version.clone(),
            None => None,
        },
        provider_version: attempt.attempted.provider_version.clone(),
        rotation: None,
        consumed_seed: None,
        refresh_request: requested.or(served),
        scopes: issued.scopes.clone(),
        login,
        unproven: false,
    };
    token.limited_to(attempt.settings.maximum_lifetime)
}

fn facts(
    case: &Case<'_>,
    attempt: &Attempt,
    issued: &Issued,
    metadata: &TokenMetadata,
    repeated: Option<Timestamp>,
    lifetime: Lifetime,
    times: Times,
) -> TokenFacts {
    let before = case.token();
    let margin = schedule::margin(metadata, &attempt.settings);
    let status = last_status_with_a_target(case.observed);
    let requested = &attempt.attempted.refresh_request;
    let served = before.and_then(|before| before.refresh_request.as_ref());
    TokenFacts {
        lifetime_from: lifetime.source,
        long_lifetime: is_doubtful(lifetime, &attempt.settings).then_some(lifetime.duration),
        repeated,
        clock_skew: times.skew().filter(|skew| skew.abs() > delays::CLOCK_SKEW),
        short_margin: Some(margin).filter(|margin| *margin < delays::PROPAGATION),
        unlimited_secret: case.unlimited_secret(),
        left_out: case.observed.ca_bundle.left_out(),
        scope_narrowed: issued.narrowed && !scopes_are_known(status, before, metadata),
        served_request: requested.is_some()
            && requested.as_ref() != served
            && *requested != status.refresh_request,
    }
}

/// Returns whether a lifetime is longer than those of client credentials ever are, and may have been stated in milliseconds.
fn is_doubtful(lifetime: Lifetime, settings: &Settings) -> bool {
    lifetime.duration > delays::LONG_LIFETIME
        && lifetime.source != LifetimeSource::Assumed
        && settings.maximum_lifetime.is_none()
        && settings.grant.refresh_token().is_none()
}

/// Returns whether the previous token already had these scopes. Without one, the last status decides, which may already describe
/// a new spec that had to wait for this token.
fn scopes_are_known(
    status: &CubeCredentialStatus,
    before: Option<&TokenMetadata>,
    token: &TokenMetadata,
) -> bool {
    let (scopes, generation) = match before {
        Some(before) => (&before.scopes, Some(before.generation)),
        None => (&status.scopes, status.observed_generation),
    };
    *scopes == token.scopes && generation == Some(token.generation)
}

fn last_status_with_a_target(observed: &Observed) -> &CubeCredentialStatus {
    let missing = observed.memory.target.missing();
    missing.unwrap_or(&observed.credential.status)
}

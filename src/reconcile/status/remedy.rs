//! The remedies for failed exchanges: one for each cause.

mod network;
#[cfg(test)]
mod tests;

pub(super) use network::of_issuer;

use jiff::SignedDuration;

use crate::{
    api::{ClientAuthentication, Reason},
    oauth::error::{ProbeError, TokenError},
    reconcile::{
        settings::Settings,
        status::{inputs::sign_in_command, message::shortened},
    },
};

/// The remedy for a failed exchange. `worked`: an earlier exchange of this credential succeeded.
pub(super) fn remedy(error: &TokenError, settings: &Settings, worked: bool) -> String {
    let error = match error {
        TokenError::Network(error) => {
            return network::remedy(error, settings, &settings.url_field());
        }
        TokenError::Response(error) => error,
    };
    if error.is_page() {
        return "check the proxy or firewall between the cluster and the token endpoint".into();
    }
    if error.wants_person()
        && let Some(remedy) = ask_person(settings)
    {
        return remedy;
    }
    if error.reason() == Reason::UnauthorizedClient && error.refuses_client_secret() {
        return unauthorized(settings);
    }
    let reason = if error.names_error_in_success() {
        Reason::InvalidRequest
    } else {
        error.reason()
    };
    of_response(reason, settings, worked)
}

/// The remedy where a person has to sign in or to consent; `None`: the token is for no person.
fn ask_person(settings: &Settings) -> Option<String> {
    if settings.grant.refresh_token().is_some() {
        return Some(format!("sign in again with {}", sign_in_command(settings)));
    }
    settings.grant.assertion()?;
    Some("have the user or an administrator consent to this client once".into())
}

/// The remedy for a token that its API did not accept.
pub(super) fn of_probe(error: &ProbeError, settings: &Settings) -> String {
    let status = match error {
        ProbeError::Network(error) => {
            return network::remedy(error, settings, "spec.probe.url");
        }
        ProbeError::Status(status) => *status,
    };
    let fixed = match status {
        401 => {
            let url = settings.url_field();
            return format!(
                "check that this API accepts tokens of {url}, and audience and scopes in the spec"
            );
        }
        403 => {
            "ask the API's owner to allow this cluster's egress IP address, or to give this client the missing role"
        }
        429 => "no action needed; if this persists, ask the API's owner for its limit",
        300..=399 => "correct spec.probe.url (redirects are not followed)",
        404 | 405 | 410 => "correct spec.probe.url or spec.probe.method",
        500.. => "no action needed; if this persists, check the API's status page",
        _ => "correct spec.probe, or add that status to spec.probe.expectStatus",
    };
    fixed.into()
}

/// The remedy for a response with this reason.
pub(super) fn of_response(reason: Reason, settings: &Settings, worked: bool) -> String {
    match settings.discovered_by() {
        // Nobody has written this URL, and another issuer would be another provider.
        Some(provider) if is_about_endpoint(reason) => format!(
            "the issuer's metadata is read again within a day; if it is wrong, set tokenURL in place of issuer in {provider}"
        ),
        _ => of_reason(reason, settings, worked),
    }
}

fn of_reason(reason: Reason, settings: &Settings, worked: bool) -> String {
    let fixed = match reason {
        Reason::InvalidClient => return refused_client(settings, worked),
        Reason::InvalidGrant => return check_grant(settings),
        Reason::UnauthorizedClient => return allow_grant(settings),
        Reason::UnsupportedGrantType => {
            let (url, grant) = (settings.url_field(), settings.grant.name());
            return format!("check {url}, and whether the provider supports {grant}");
        }
        Reason::InvalidScope => return scopes(settings),
        Reason::InvalidTarget if settings.grant.token_exchange().is_some() => {
            "correct audience and resource in spec.tokenExchange, or allow them for this client there"
        }
        Reason::InvalidTarget => "check audience and resource in spec.parameters",
        // A subject token that cannot be used is an invalid request (RFC 8693, section 2.2.2).
        Reason::InvalidRequest if settings.grant.token_exchange().is_some() => {
            return check_subject(settings);
        }
        Reason::InvalidRequest => {
            "check spec.parameters and spec.clientAuthentication, or ask the provider what it means"
        }
        Reason::Forbidden => {
            "ask the provider why; often this cluster's egress IP address is not allowed"
        }
        Reason::Redirected => {
            let url = settings.url_field();
            return format!("correct {url} (redirects never get credentials)");
        }
        Reason::EndpointNotFound => {
            let url = settings.url_field();
            return format!("correct the path in {url} (a trailing slash matters)");
        }
        Reason::UnexpectedResponse => {
            let url = settings.url_field();
            return format!("check that {url} is a token endpoint");
        }
        Reason::UnsupportedTokenType if settings.grant.token_exchange().is_some() => {
            "correct spec.tokenExchange.requestedTokenType, or ask the provider to issue bearer access tokens"
        }
        Reason::UnsupportedTokenType => "ask the provider to issue bearer tokens to this client",
        Reason::ResponseTooLarge => {
            let url = settings.url_field();
            return format!("check that {url} is a token endpoint, not a web page");
        }
        Reason::Unavailable => {
            "no action needed; if this persists, check the provider's status page"
        }
        Reason::RateLimited => {
            "no action needed; if this persists, find the other users of this client id"
        }
        Reason::NoResponse => network::INTERMEDIARY,
        // No response has these; the modules that report them have remedies of their own.
        Reason::Synced
        | Reason::TokenIssued
        | Reason::Pending
        | Reason::ProviderNotFound
        | Reason::ProviderNotReady
        | Reason::ProviderNotAllowed
        | Reason::Suspended
        | Reason::RateBudget
        | Reason::TokenTooShort
        | Reason::ClientSecretNotFound
        | Reason::ClientSecretKeyMissing
        | Reason::ClientSecretNotLabelled
        | Reason::ClientSecretMalformed
        | Reason::ClientKeyInvalid
        | Reason::ClientCertificateExpired
        | Reason::ClientCertificateRefused
        | Reason::ServiceAccountNotFound
        | Reason::ServiceAccountNotLabelled
        | Reason::ServiceAccountTokenFailed
        | Reason::RefreshTokenNotFound
        | Reason::RefreshTokenNotLabelled
        | Reason::RefreshTokenMalformed
        | Reason::SubjectTokenNotFound
        | Reason::SubjectTokenNotLabelled
        | Reason::SubjectTokenMalformed
        | Reason::RefreshTokenInUse
        | Reason::TemplateInvalid
        | Reason::InvalidSpec
        | Reason::CABundleInvalid
        | Reason::HostNotAllowed
        | Reason::TLSUntrusted
        | Reason::ClientCertificateRequired
        | Reason::Unreachable
        | Reason::TargetConflict
        | Reason::TargetDuplicate
        | Reason::TargetNotWritable
        | Reason::ProbeFailed
        | Reason::StateConflict
        | Reason::StateNotWritable
        | Reason::RefreshTokenRejected
        | Reason::RefreshTokenLost => "check the spec",
    };
    fixed.into()
}

/// The endpoint is none, or has moved.
fn is_about_endpoint(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Redirected
            | Reason::EndpointNotFound
            | Reason::UnexpectedResponse
            | Reason::ResponseTooLarge
    )
}

fn scopes(settings: &Settings) -> String {
    if !settings.grant.sends_scopes() {
        if let Some(requested) = settings.parameters.get("scope") {
            return format!(
                "set spec.refreshScopes to what this login may have (requested: {:?})",
                shortened(requested)
            );
        }
        return "ask the provider about this login: the refresh requested no scope".into();
    }
    let requested = match settings.scopes.as_slice() {
        [] => "none".into(),
        scopes => format!("{:?}", shortened(&scopes.join(" "))),
    };
    format!("set spec.scopes to what the provider allows this client (requested: {requested})")
}

fn check_grant(settings: &Settings) -> String {
    if settings.grant.assertion().is_some() {
        return check_bearer(settings);
    }
    if settings.grant.token_exchange().is_some() {
        return check_subject(settings);
    }
    let grant = settings.grant.name();
    format!("check spec.parameters, then ask the provider (an unusual error for {grant})")
}

/// An assertion names a subject and scopes, and the client needs the right to them: Google's domain-wide delegation, for example.
fn allow_grant(settings: &Settings) -> String {
    if settings.grant.assertion().is_some() {
        let grant = settings.grant.spec_name();
        return format!(
            "ask the provider to allow this client to use {grant} for this subject and these scopes"
        );
    }
    let grant = settings.grant.name();
    format!("ask the provider to allow this client to use grant {grant}")
}

/// With a 401, Keycloak calls both a wrong client secret and a client that may not use the grant `unauthorized_client`.
fn unauthorized(settings: &Settings) -> String {
    if settings.grant.assertion().is_some() {
        return allow_grant(settings);
    }
    let client = match settings.authentication {
        ClientAuthentication::Body | ClientAuthentication::Basic => {
            let (secret, name) = (keys(settings, " and "), &settings.source.name);
            format!("check {secret} in Secret {name:?}")
        }
        _ => check_client(settings),
    };
    let (client, grant) = (or_audience(client, settings), settings.grant.name());
    format!("{client}; else ask the provider to allow grant {grant}")
}

fn refused_client(settings: &Settings, worked: bool) -> String {
    let remedy = if worked {
        write_new_secret(settings)
    } else {
        check_client(settings)
    };
    or_audience(remedy, settings)
}

/// Keycloak calls an unknown audience of a token exchange an invalid client.
fn or_audience(remedy: String, settings: &Settings) -> String {
    let exchange = settings.grant.token_exchange();
    match exchange.filter(|exchange| !exchange.audience.is_empty()) {
        Some(_) => format!("{remedy}, or correct spec.tokenExchange.audience"),
        None => remedy,
    }
}

/// The provider did not accept the subject token.
fn check_subject(settings: &Settings) -> String {
    if let Some(account) = settings.grant.subject_account() {
        let subject = account.subject(&settings.namespace);
        return format!(
            "have the provider trust {subject} of this cluster's issuer, or correct spec.tokenExchange"
        );
    }
    let token = settings.grant.own_token();
    let (name, key) = token.map_or(("", ""), |token| (&token.name, &token.key));
    format!(
        "write a subject token that is valid now to key {key} of Secret {name:?}, or correct spec.tokenExchange"
    )
}

/// The provider did not accept the assertion of the grant, which names the client too.
fn check_bearer(settings: &Settings) -> String {
    let key = register_key(settings);
    format!("{key}, or correct spec.jwtBearer")
}

/// A client that has worked before was changed at the provider, so its authentication method is right.
fn write_new_secret(settings: &Settings) -> String {
    let (secret, name) = (keys(settings, " or "), &settings.source.name);
    match settings.authentication {
        ClientAuthentication::None if settings.grant.assertion().is_some() => {
            check_bearer(settings)
        }
        ClientAuthentication::BasicEmptySecret | ClientAuthentication::None => {
            "ask the provider whether the client was disabled".into()
        }
        ClientAuthentication::MutualTls => format!(
            "{}; else ask the provider whether the client was disabled",
            network::register_certificate(settings)
        ),
        ClientAuthentication::PrivateKeyJwt => format!(
            "{}; else ask the provider whether the client was disabled",
            register_key(settings)
        ),
        ClientAuthentication::ServiceAccountToken => trust_issuer(settings),
        ClientAuthentication::Body | ClientAuthentication::Basic => format!(
            "if there is a newer secret, write it to {secret} of Secret {name:?}; else ask the provider"
        ),
    }
}

/// The keys of the client secret.
fn keys(settings: &Settings, joined_by: &str) -> String {
    settings.source.client_secret_key.replace(',', joined_by)
}

/// A provider knows a private key by its public key.
fn register_key(settings: &Settings) -> String {
    let name = &settings.source.name;
    format!("register the public key of Secret {name:?} at the provider")
}

/// The remedy for an assertion that the provider's clock does not accept. `skew`: the lead of the provider's clock.
pub(super) fn of_clock(skew: SignedDuration) -> String {
    let seconds = skew.as_secs().abs();
    let side = if skew.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    format!("check the clocks, as the provider's is {seconds} s {side} the operator's")
}

/// The provider did not accept the token of a ServiceAccount.
fn trust_issuer(settings: &Settings) -> String {
    let account = settings.service_account.as_ref();
    let audience = account.map_or("", |account| &account.audience);
    let subject = account.map(|account| account.subject(&settings.namespace));
    format!(
        "check that the provider trusts this cluster's issuer, audience {:?} and subject {}",
        shortened(audience),
        subject.unwrap_or_default()
    )
}

fn check_client(settings: &Settings) -> String {
    let source = &settings.source;
    let (id, name) = (&source.client_id_key, &source.name);
    let secret = keys(settings, " and ");
    let method = match settings.authentication {
        ClientAuthentication::None if settings.grant.assertion().is_some() => {
            return check_bearer(settings);
        }
        ClientAuthentication::BasicEmptySecret | ClientAuthentication::None => {
            return format!(
                "check {id} in Secret {name:?}, and that the provider has it as a public client"
            );
        }
        ClientAuthentication::MutualTls => {
            let certificate = network::register_certificate(settings);
            return format!("{certificate}, and check the client id");
        }
        ClientAuthentication::PrivateKeyJwt => {
            let key = register_key(settings);
            return format!("{key}, and check client id and spec.clientAssertion");
        }
        ClientAuthentication::ServiceAccountToken => {
            return trust_issuer(settings);
        }
        ClientAuthentication::Body => "Body",
        ClientAuthentication::Basic => "Basic",
    };
    let and = if settings.two_secret_keys().is_some() {
        ","
    } else {
        " and"
    };
    format!(
        "check {id}{and} {secret} in Secret {name:?}, or spec.clientAuthentication (now {method})"
    )
}

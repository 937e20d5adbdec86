//! No response, or half of one.

use cube_operator::api::{
    Grant,
    Reason::{
        self, ClientCertificateRequired, HostNotAllowed, NoResponse, TLSUntrusted, Unreachable,
    },
};

use super::super::{
    remedies::retry_sentence,
    row::{
        Repair,
        Retry::{self, Fast, Never, OutcomeUnknown, Slow},
        Row,
    },
};
use crate::scripted::Reply;

use super::{UNKNOWN, token};

/// These take 30 s, so they begin first.
#[rustfmt::skip]
pub(super) fn silent() -> Vec<Row> {
    let what = "{host} gave no complete answer within 30s";
    vec![
        Row::c("silent",     Reply::silence(), NoResponse, what, Fast).repaired_by(Repair::Time),
        Row::r("r-silent",   Reply::silence(), NoResponse, &format!("{what}{UNKNOWN}"), OutcomeUnknown).repaired_by(Repair::Time),
        Row::c("bytewise",   token(r#""expires_in":3600"#).one_byte_a_second(), NoResponse, what, Fast).repaired_by(Repair::Time),
    ]
}

/// No response, or half of one.
#[rustfmt::skip]
pub(super) fn broken() -> Vec<Row> {
    let what = "{host} gave no complete answer (the connection ended early, or what came cannot be read)";
    let outcome_unknown = format!("{what}{UNKNOWN}");
    let cut = "answered 200 with an incomplete body (the connection ended early)";
    vec![
        Row::c("closed",     Reply::close(), NoResponse, what, Fast),
        Row::c("cut",        token(r#""expires_in":3600"#).cut_after(9), NoResponse, cut, Fast),
        Row::c("babble",     Reply::raw("220 ready\r\n"), NoResponse, what, Fast),
        Row::r("r-closed",   Reply::close(), NoResponse, &outcome_unknown, OutcomeUnknown),
        Row::r("r-cut",      token(r#""expires_in":3600"#).cut_after(9), NoResponse, &format!("{cut}{UNKNOWN}"), OutcomeUnknown),
        Row::r("r-babble",   Reply::raw("220 ready\r\n"), NoResponse, &outcome_unknown, OutcomeUnknown),
    ]
}

/// No request was sent, and nothing counts as sent. Each cause has a remedy of its own.
fn unsent(name: &'static str, reason: Reason, what: &str, remedy: &str, retry: Retry) -> Row {
    let message = format!("{what}: {remedy}; {}", retry_sentence(reason, retry));
    Row {
        replies: vec![Reply::close()],
        repair: Repair::of(reason, retry),
        ..Row::failing(name, Grant::ClientCredentials, reason, &message, retry)
    }
}

/// No response, because no request was sent.
#[rustfmt::skip]
pub(super) fn unreachable() -> Vec<Row> {
    let untrusted = |name, why: &str, remedy: &str| {
        let what = format!("the certificate of the token endpoint {{host}} is not trusted: {why}");
        unsent(name, TLSUntrusted, &what, remedy, Slow)
    };
    let unreachable = |name, why: &str, remedy: &str| {
        let what = format!("the token endpoint {{host}} could not be reached: {why}");
        unsent(name, Unreachable, &what, remedy, Fast)
    };
    vec![
        untrusted("misnamed",     "it is for \"other.example\", and not for this host",
                                  "set spec.tokenURL to a host of that certificate, or have the owner of {host} add this one")
            .with_fault(|objects, setup| objects.at(&setup.misnamed.url("/"))),
        untrusted("expired",      "it expired at 2020-01-01T00:00:00Z", "the owner of {host} has to renew it")
            .with_fault(|objects, setup| objects.at(&setup.expired.url("/"))),
        untrusted("untrusted",    "it was issued by \"CN=private\", a CA that is not trusted",
                                  "if that CA is to be trusted, add its certificate to key \"ca.crt\" of ConfigMap {roots}; if it is an \
                                   intermediate CA, have the owner of {host} send the whole chain")
            .with_fault(|objects, setup| objects.trusting("row-untrusted-roots", "ca.crt", &setup.stranger.pem()))
            .repaired_by(Repair::Change(|objects, setup| objects.trusting("row-untrusted-roots", "ca.crt", &setup.authority.pem()))),
        unsent("mutual", ClientCertificateRequired, "the token endpoint {host} wants a TLS client certificate, and the operator has none",
               "ask the provider for a token endpoint without mutual TLS, or to exempt this client", Slow)
            .with_fault(|objects, setup| objects.at(&setup.mutual.url("/"))),
        unreachable("refused",    "the connection was refused",
                                  "check network policies, firewall and proxy between the cluster and it, and the port in spec.tokenURL")
            .with_fault(|objects, setup| objects.at(&setup.refusing)),
        unreachable("unresolved", "its name does not resolve", "check the host in spec.tokenURL, and the cluster's DNS")
            .with_fault(|objects, _| objects.at("https://nowhere.invalid/")),
        unsent("metadata", HostNotAllowed, "the token endpoint {host} is on a network that is refused by default (link-local)",
               "set spec.tokenURL to another host, or have the operator's installer permit the network with --allow-network", Never)
            .with_fault(|objects, _| objects.at("https://169.254.169.254/")),
    ]
}

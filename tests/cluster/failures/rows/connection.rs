//! No response, or half of one.

use cube_operator::api::{
    Grant,
    Reason::{
        self, ClientCertificateRefused, ClientCertificateRequired, HostNotAllowed, NoResponse,
        TLSUntrusted, Unreachable,
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
    let what = "{host} sent no complete response within 30s";
    vec![
        Row::c("silent",     Reply::silence(), NoResponse, what, Fast).repaired_by(Repair::Time),
        Row::r("r-silent",   Reply::silence(), NoResponse, &format!("{what}{UNKNOWN}"), OutcomeUnknown).repaired_by(Repair::Time),
        Row::c("bytewise",   token(r#""expires_in":3600"#).one_byte_a_second(), NoResponse, what, Fast).repaired_by(Repair::Time),
    ]
}

/// No response, or half of one.
#[rustfmt::skip]
pub(super) fn broken() -> Vec<Row> {
    let what = "{host} sent no complete response (connection closed, or not HTTP)";
    let outcome_unknown = format!("{what}{UNKNOWN}");
    let cut = "responded 200 with an incomplete body (connection closed early)";
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
    let message = format!("{what}: {remedy}; {}", retry_sentence(retry));
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
        let what = format!("TLS certificate of {{host}} {why}");
        unsent(name, TLSUntrusted, &what, remedy, Slow)
    };
    let unreachable = |name, why: &str, remedy: &str| {
        let what = format!("token endpoint {{host}} could not be reached: {why}");
        unsent(name, Unreachable, &what, remedy, Fast)
    };
    vec![
        untrusted("misnamed",     "is for \"other.example\", not for this host",
                                  "correct spec.tokenURL, or ask the server's owner to add this host")
            .with_fault(|objects, setup| objects.at(&setup.misnamed.url("/"))),
        untrusted("expired",      "expired at 2020-01-01T00:00:00Z (issuer \"CN=private\")", "the server's owner must renew it")
            .with_fault(|objects, setup| objects.at(&setup.expired.url("/"))),
        untrusted("untrusted",    "is signed by \"CN=private\", an unknown CA",
                                  "if you trust that CA, add it to key \"ca.crt\" of ConfigMap {roots}")
            .with_fault(|objects, setup| objects.trusting("row-untrusted-roots", "ca.crt", &setup.stranger.pem()))
            .repaired_by(Repair::Change(|objects, setup| objects.trusting("row-untrusted-roots", "ca.crt", &setup.authority.pem()))),
        unsent("mutual", ClientCertificateRequired, "token endpoint {host} requires a TLS client certificate",
               "set spec.clientAuthentication to MutualTLS, or ask the provider for another endpoint", Slow)
            .with_fault(|objects, setup| objects.at(&setup.mutual.url("/"))),
        unsent("refused-cert", ClientCertificateRefused,
               "token endpoint {host} refused the client certificate (alert UnknownCA)",
               "register tls.crt of Secret {client}, or its CA, at the provider", Slow)
            .with_fault(|objects, setup| {
                objects.at(&setup.mutual.url("/"));
                objects.present(&setup.stranger.certificate(&["client"]));
            }),
        unreachable("refused",    "connection refused",
                                  "check the port in spec.tokenURL, and whether the server runs")
            .with_fault(|objects, setup| objects.at(&setup.refusing)),
        unreachable("unresolved", "name not found in DNS", "correct the host in spec.tokenURL")
            .with_fault(|objects, _| objects.at("https://nowhere.invalid/")),
        unsent("metadata", HostNotAllowed, "token endpoint {host} is on a network that is refused by default (link-local)",
               "correct spec.tokenURL; never allow it, because cloud metadata services are there", Never)
            .with_fault(|objects, _| objects.at("https://169.254.169.254/")),
    ]
}

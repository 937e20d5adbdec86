//! No response, or half of one.

use cube_operator::api::Reason::{HostNotAllowed, NoResponse, TLSUntrusted, Unreachable};

use super::super::row::{
    Repair,
    Retry::{Fast, Never, OutcomeUnknown, Slow},
    Row,
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

/// No response, because no request was sent.
#[rustfmt::skip]
pub(super) fn unreachable() -> Vec<Row> {
    let untrusted = |name, why| {
        let what = format!("the certificate of the token endpoint {{host}} is not trusted: {why}");
        Row { requests: 0, ..Row::c(name, Reply::close(), TLSUntrusted, &what, Slow) }
    };
    let unreachable = |name, why| {
        let what = format!("{{host}} could not be reached: {why}");
        Row { requests: 0, ..Row::c(name, Reply::close(), Unreachable, &what, Fast) }
    };
    vec![
        untrusted("misnamed",     "it is for another host name").with_fault(|objects, setup| objects.at(&setup.misnamed.url("/"))),
        untrusted("expired",      "it has expired").with_fault(|objects, setup| objects.at(&setup.expired.url("/"))),
        untrusted("untrusted",    "it was issued by an authority that is not trusted")
            .with_fault(|objects, setup| objects.trusting("row-untrusted-roots", "ca.crt", &setup.stranger.pem()))
            .repaired_by(Repair::Change(|objects, setup| objects.trusting("row-untrusted-roots", "ca.crt", &setup.authority.pem()))),
        unreachable("refused",    "the connection was refused").with_fault(|objects, setup| objects.at(&setup.refusing)),
        unreachable("unresolved", "its name does not resolve").with_fault(|objects, _| objects.at("https://nowhere.invalid/")),
        Row { requests: 0, ..Row::c("metadata", Reply::close(), HostNotAllowed,
            "{host} is on a network that is refused by default (link-local)", Never)
            .with_fault(|objects, _| objects.at("https://169.254.169.254/")) },
    ]
}

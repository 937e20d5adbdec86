//! What went wrong on the network, in words of our own: an error's text may quote what the other side sent.

use std::{error::Error, io, time::Duration};

use rustls::CertificateError;

use super::resolver::{NotResolved, RefusedNetwork};
use crate::{api::Reason, oauth::response::TokenError};

/// The refusal for a token endpoint on a network that is refused by default.
pub(super) fn refused_network(authority: &str, why: &str) -> TokenError {
    TokenError::new(
        Reason::HostNotAllowed,
        format!(
            "the token endpoint {authority} is on a network that is refused by default ({why})"
        ),
    )
}

/// The name has no address.
pub(super) const NO_NAME: &str = "its name does not resolve";
/// The limit of `CONNECT_TIMEOUT` was reached.
pub(super) const NO_CONNECTION: &str = "no connection within 5 s";
/// The same with TLS: whether there was a connection without is not known.
const NO_TLS_CONNECTION: &str = "no TLS connection within 5 s";

/// The refusal for a token endpoint to which nothing could be sent.
pub(super) fn unreachable(authority: &str, why: &str) -> TokenError {
    TokenError::new(
        Reason::Unreachable,
        format!("the token endpoint {authority} could not be reached: {why}"),
    )
}

/// The refusal for a certificate.
pub(super) fn untrusted(error: &rustls::Error, authority: &str) -> TokenError {
    tls_trouble(error, true, authority)
}

/// What an error of the HTTP client, which waits no longer than `limit`, means. `NoResponse` if the request may have arrived.
pub(super) fn describe(error: &reqwest::Error, authority: &str, limit: Duration) -> TokenError {
    if let Some(RefusedNetwork(why)) = cause(error) {
        return refused_network(authority, why);
    }
    if let Some(tls) = cause::<rustls::Error>(error) {
        return tls_trouble(tls, error.is_connect(), authority);
    }
    if error.is_connect() {
        return unreachable(authority, connect_trouble(error));
    }
    if error.is_timeout() {
        return no_response(authority, &format!("within {limit:?}"));
    }
    no_response(
        authority,
        "(the connection ended early, or what came cannot be read)",
    )
}

/// The request may have arrived, and been served.
fn no_response(authority: &str, why: &str) -> TokenError {
    let what = format!("the token endpoint {authority} gave no complete answer {why}");
    TokenError {
        outcome_unknown: true,
        ..TokenError::new(Reason::NoResponse, what)
    }
}

fn tls_trouble(error: &rustls::Error, connecting: bool, authority: &str) -> TokenError {
    use rustls::Error::{InvalidCertificate, InvalidMessage, NoCertificatesPresented};
    let why = match error {
        InvalidCertificate(CertificateError::UnknownIssuer) => {
            "it was issued by an authority that is not trusted"
        }
        InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "it has expired"
        }
        InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "it is not valid yet",
        InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "it is for another host name",
        InvalidCertificate(CertificateError::Revoked) => "it was revoked",
        InvalidCertificate(CertificateError::Other(_)) => {
            "a server cannot use it, mostly because it is self-signed and made for an authority"
        }
        InvalidCertificate(_) | NoCertificatesPresented => "it cannot be used",
        InvalidMessage(_) if connecting => {
            return unreachable(authority, "what answers there does not speak TLS");
        }
        _ if connecting => return unreachable(authority, "the TLS handshake failed"),
        _ => return no_response(authority, "before the TLS connection broke"),
    };
    TokenError::new(
        Reason::TLSUntrusted,
        format!("the certificate of the token endpoint {authority} is not trusted: {why}"),
    )
}

fn connect_trouble(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return NO_TLS_CONNECTION;
    }
    if cause::<NotResolved>(error).is_some() {
        return NO_NAME;
    }
    let kind = cause::<io::Error>(error).map(io::Error::kind);
    connection(kind.unwrap_or(io::ErrorKind::Other))
}

/// Why no connection could be opened.
pub(super) fn connection(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "the connection was refused",
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe => "the connection was closed",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "there is no route to it"
        }
        io::ErrorKind::TimedOut => "the connection timed out",
        _ => "the connection failed",
    }
}

/// The innermost cause of this type. `io::Error` hides a wrapped error from `source()`: it is asked for it by hand.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        found = error.downcast_ref().or(found);
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = wrapped
            .map(|inner| inner as &(dyn Error + 'static))
            .or_else(|| error.source());
    }
    found
}

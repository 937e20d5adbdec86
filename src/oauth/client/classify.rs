//! Classifies errors of the HTTP client, of TLS and of sockets.

use std::{error::Error, io};

use rustls::CertificateError;

use super::error::{NetworkError, NoResponse, Unreachable, Untrusted};

/// The meaning of an error of the HTTP client. `timed_out` is the meaning of a connection that was not opened in time.
pub(in crate::oauth) fn http(
    error: &reqwest::Error,
    endpoint: &str,
    timed_out: Unreachable,
) -> NetworkError {
    let endpoint = endpoint.to_owned();
    if let Some(tls) = cause::<rustls::Error>(error) {
        return handshake(tls, error.is_connect(), endpoint);
    }
    if error.is_connect() {
        let cause = connect(error, timed_out);
        return NetworkError::Unreachable { endpoint, cause };
    }
    let cause = NoResponse::Incomplete;
    NetworkError::NoResponse { endpoint, cause }
}

/// The meaning of an error of a TLS handshake that got as far as the certificate.
pub(in crate::oauth) fn certificate(error: &rustls::Error, endpoint: &str) -> NetworkError {
    handshake(error, true, endpoint.to_owned())
}

/// The cause of a connection that could not be opened.
pub(in crate::oauth) fn connection(kind: io::ErrorKind) -> Unreachable {
    match kind {
        io::ErrorKind::ConnectionRefused => Unreachable::ConnectionRefused,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe => Unreachable::ConnectionClosed,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Unreachable::NoRoute,
        io::ErrorKind::TimedOut => Unreachable::ConnectionTimedOut,
        _ => Unreachable::ConnectionFailed,
    }
}

fn handshake(error: &rustls::Error, connecting: bool, endpoint: String) -> NetworkError {
    use rustls::Error::{InvalidCertificate, InvalidMessage, NoCertificatesPresented};
    let unreachable = |endpoint, cause| NetworkError::Unreachable { endpoint, cause };
    let cause = match error {
        InvalidCertificate(error) => untrusted(error),
        NoCertificatesPresented => Untrusted::Unusable,
        InvalidMessage(_) if connecting => return unreachable(endpoint, Unreachable::NotTls),
        _ if connecting => return unreachable(endpoint, Unreachable::HandshakeFailed),
        _ => {
            let cause = NoResponse::TlsBroke;
            return NetworkError::NoResponse { endpoint, cause };
        }
    };
    NetworkError::Untrusted { endpoint, cause }
}

fn untrusted(error: &CertificateError) -> Untrusted {
    match error {
        CertificateError::UnknownIssuer => Untrusted::UnknownIssuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Untrusted::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Untrusted::NotValidYet
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Untrusted::WrongHost
        }
        CertificateError::Revoked => Untrusted::Revoked,
        CertificateError::Other(_)
        | CertificateError::InvalidPurpose
        | CertificateError::InvalidPurposeContext { .. } => Untrusted::NotForServers,
        _ => Untrusted::Unusable,
    }
}

fn connect(error: &reqwest::Error, timed_out: Unreachable) -> Unreachable {
    if error.is_timeout() {
        return timed_out;
    }
    if error.is_dns() {
        return Unreachable::NameNotFound;
    }
    let kind = cause::<io::Error>(error).map(io::Error::kind);
    connection(kind.unwrap_or(io::ErrorKind::Other))
}

/// The innermost cause of this type. `io::Error` hides a wrapped error from `source()`, so `get_ref` is called as well.
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

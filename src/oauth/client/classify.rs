//! Classifies errors of the HTTP library, of TLS and of sockets.

use std::{error::Error, io};

use rustls::{AlertDescription, PeerIncompatible};

use super::{
    error::{NetworkError, NoResponse, ProxyFault, Unreachable, Untrusted},
    verifier::Verifier,
};
use crate::oauth::endpoint::Endpoint;

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

/// The meaning of a handshake that failed.
pub(super) fn handshake(
    error: &io::Error,
    endpoint: &Endpoint,
    verifier: &Verifier,
) -> NetworkError {
    let tls = cause::<rustls::Error>(error);
    if let Some(alert) = tls.and_then(|tls| about_certificate(tls, verifier)) {
        return certificate(endpoint, verifier, Some(alert));
    }
    let endpoint = endpoint.authority();
    match tls {
        Some(tls) if is_untrusted(tls) => NetworkError::Untrusted {
            endpoint,
            cause: verifier.refused().unwrap_or(Untrusted::Unusable),
        },
        Some(tls) => NetworkError::Unreachable {
            endpoint,
            cause: refused(tls),
        },
        None => NetworkError::Unreachable {
            endpoint,
            cause: connection(error.kind()),
        },
    }
}

/// The fault of a proxy whose own handshake failed.
pub(super) fn handshake_of_proxy(error: &io::Error, verifier: &Verifier) -> ProxyFault {
    match cause::<rustls::Error>(error) {
        Some(tls) if is_untrusted(tls) => {
            ProxyFault::Untrusted(verifier.refused().unwrap_or(Untrusted::Unusable))
        }
        Some(tls) => ProxyFault::Unreachable(refused(tls)),
        None => ProxyFault::Unreachable(connection(error.kind())),
    }
}

/// The fault of a tunnel that a proxy has opened; `None`: the token endpoint itself ended the handshake in it.
pub(super) fn tunnel(error: &io::Error, endpoint: &Endpoint) -> Option<ProxyFault> {
    let cause = match cause::<rustls::Error>(error) {
        Some(tls @ rustls::Error::InvalidMessage(_)) => refused(tls),
        Some(_) => return None,
        None => connection(error.kind()),
    };
    let endpoint = endpoint.authority();
    Some(ProxyFault::Unusable { endpoint, cause })
}

/// The meaning of an error after the handshake: the request may have arrived.
pub(super) fn response(
    error: &hyper::Error,
    endpoint: &Endpoint,
    verifier: &Verifier,
) -> NetworkError {
    let tls = cause::<rustls::Error>(error);
    // With TLS 1.3, the request has been sent by then. A server reads it only after the handshake, which such an alert ends: it comes
    // before any byte of a response.
    if let Some(alert) = tls.and_then(|tls| about_certificate(tls, verifier))
        && verifier.may_end_late()
        && !verifier.response_began()
        && (!verifier.certificate_sent() || proves_refusal(alert))
    {
        return certificate(endpoint, verifier, Some(alert));
    }
    let endpoint = endpoint.authority();
    let cause = match tls {
        Some(_) => NoResponse::TlsBroke,
        None => NoResponse::Incomplete,
    };
    NetworkError::NoResponse { endpoint, cause }
}

/// The meaning of a refusal that is about the client's certificate: it sent one, or none.
pub(super) fn certificate(
    endpoint: &Endpoint,
    verifier: &Verifier,
    alert: Option<AlertDescription>,
) -> NetworkError {
    let endpoint = endpoint.authority();
    if verifier.certificate_sent() {
        return NetworkError::ClientCertificateRefused { endpoint, alert };
    }
    NetworkError::ClientCertificateRequired { endpoint }
}

fn is_untrusted(error: &rustls::Error) -> bool {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
    matches!(error, InvalidCertificate(_) | NoCertificatesPresented)
}

/// The alert with which a server ended a handshake because of the client's certificate, or because it got none.
fn about_certificate(error: &rustls::Error, verifier: &Verifier) -> Option<AlertDescription> {
    match error {
        rustls::Error::AlertReceived(alert) if verifier.certificate_wanted() => {
            is_about_certificate(*alert).then_some(*alert)
        }
        _ => None,
    }
}

/// Returns whether a server sends this alert about a client's certificate. RFC 8446 has one for a missing certificate, which older
/// servers and TLS 1.2 do not know.
fn is_about_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    proves_refusal(alert) || matches!(alert, A::HandshakeFailure | A::NoCertificate)
}

/// Returns whether this alert has no other meaning.
fn proves_refusal(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::CertificateRequired
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::AccessDenied
            | A::UnknownCA
    )
}

/// The cause of a handshake that did not get as far as the certificate.
fn refused(error: &rustls::Error) -> Unreachable {
    use AlertDescription as A;
    use PeerIncompatible as P;
    use rustls::Error::{
        AlertReceived, InvalidMessage, NoApplicationProtocol, PeerIncompatible as Incompatible,
    };
    match error {
        InvalidMessage(_) => Unreachable::NotTls,
        AlertReceived(A::ProtocolVersion)
        | Incompatible(
            P::ServerDoesNotSupportTls12Or13
            | P::ServerTlsVersionIsDisabledByOurConfig
            | P::Tls12NotOffered
            | P::Tls12NotOfferedOrEnabled
            | P::SupportedVersionsExtensionRequired,
        ) => Unreachable::TlsVersion,
        AlertReceived(A::HandshakeFailure | A::InsufficientSecurity)
        | Incompatible(
            P::NoCipherSuitesInCommon
            | P::NoKxGroupsInCommon
            | P::NoSignatureSchemesInCommon
            | P::NoEcPointFormatsInCommon,
        ) => Unreachable::NoCommonCipher,
        AlertReceived(A::UnrecognisedName) => Unreachable::UnknownHostName,
        AlertReceived(A::NoApplicationProtocol) | NoApplicationProtocol => Unreachable::NoHttp1,
        AlertReceived(alert) => Unreachable::HandshakeRefused(*alert),
        _ => Unreachable::HandshakeFailed,
    }
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

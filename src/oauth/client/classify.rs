//! Classifies errors of the HTTP client, of TLS and of sockets.

use std::{error::Error, io};

use rustls::{AlertDescription, PeerIncompatible};

use super::error::{NetworkError, NoResponse, ProxyFault, Unreachable, Untrusted};

/// What is known of a connection besides its error.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// `host` or `host:port`.
    pub(super) endpoint: &'a str,
    /// `host:port` of the proxy.
    pub(super) proxy: Option<&'a str>,
    /// Why a certificate was refused, if one was.
    pub(super) untrusted: Option<Untrusted>,
    /// Whether the server asked for a client certificate, and got none.
    pub(super) certificate_wanted: bool,
}

/// The meaning of an error of the HTTP client.
pub(super) fn http(error: &reqwest::Error, facts: Facts<'_>) -> NetworkError {
    let endpoint = facts.endpoint.to_owned();
    if let Some(proxy) = facts.proxy {
        let tunnel = tunnel_error(error);
        let cause = match tunnel {
            Some(tunnel) => Some(proxy_fault(&tunnel, error, &facts)),
            None if error.is_connect() => tunnel_fault(error, &endpoint),
            None => None,
        };
        if let Some(cause) = cause {
            let proxy = proxy.to_owned();
            return NetworkError::Proxy { proxy, cause };
        }
    }
    if let Some(tls) = cause::<rustls::Error>(error) {
        return handshake(tls, error.is_connect(), facts);
    }
    if error.is_connect() {
        let cause = connect(error);
        return NetworkError::Unreachable { endpoint, cause };
    }
    let cause = NoResponse::Incomplete;
    NetworkError::NoResponse { endpoint, cause }
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

fn handshake(error: &rustls::Error, connecting: bool, facts: Facts<'_>) -> NetworkError {
    use rustls::Error::{AlertReceived, InvalidCertificate, NoCertificatesPresented};
    let endpoint = facts.endpoint.to_owned();
    match error {
        InvalidCertificate(_) | NoCertificatesPresented => NetworkError::Untrusted {
            endpoint,
            cause: facts.untrusted.unwrap_or(Untrusted::Unusable),
        },
        // With TLS 1.3, the request has been sent by then. A server reads it only after the handshake, which such an alert ends.
        AlertReceived(alert) if facts.certificate_wanted && is_about_certificate(*alert) => {
            NetworkError::ClientCertificateRequired { endpoint }
        }
        _ if connecting => NetworkError::Unreachable {
            endpoint,
            cause: refused(error),
        },
        _ => {
            let cause = NoResponse::TlsBroke;
            NetworkError::NoResponse { endpoint, cause }
        }
    }
}

/// Whether a server sends this alert when it gets no client certificate. RFC 8446 has one for it, which older servers and TLS 1.2
/// do not know.
fn is_about_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::CertificateRequired
            | A::HandshakeFailure
            | A::BadCertificate
            | A::NoCertificate
            | A::UnsupportedCertificate
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

/// The HTTP client's error about a tunnel. Its type is private, but its text is its own, and not one of the other side.
fn tunnel_error(error: &reqwest::Error) -> Option<String> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(text) = cause.to_string().strip_prefix("tunnel error: ") {
            return Some(text.to_owned());
        }
        next = cause.source();
    }
    None
}

fn proxy_fault(tunnel: &str, error: &reqwest::Error, facts: &Facts<'_>) -> ProxyFault {
    let endpoint = facts.endpoint.to_owned();
    match tunnel {
        "proxy authorization required" => ProxyFault::AuthenticationRequired,
        "unexpected end of file" => ProxyFault::Closed { endpoint },
        "failed to create underlying connection" | "io error establishing tunnel" => {
            match cause::<rustls::Error>(error) {
                Some(rustls::Error::InvalidCertificate(_)) => {
                    ProxyFault::Untrusted(facts.untrusted.clone().unwrap_or(Untrusted::Unusable))
                }
                Some(tls) => ProxyFault::Unreachable(refused(tls)),
                None => ProxyFault::Unreachable(connect(error)),
            }
        }
        _ => ProxyFault::Refused {
            endpoint,
            status: None,
        },
    }
}

/// The fault of a tunnel that a proxy has opened; `None`: the token endpoint itself ended the handshake in it.
fn tunnel_fault(error: &reqwest::Error, endpoint: &str) -> Option<ProxyFault> {
    let endpoint = endpoint.to_owned();
    if error.is_timeout() {
        return Some(ProxyFault::TimedOut { endpoint });
    }
    let cause = match cause::<rustls::Error>(error) {
        Some(tls @ rustls::Error::InvalidMessage(_)) => refused(tls),
        Some(_) => return None,
        None => connect(error),
    };
    Some(ProxyFault::Unusable { endpoint, cause })
}

fn connect(error: &reqwest::Error) -> Unreachable {
    if error.is_timeout() {
        return Unreachable::HandshakeTimedOut;
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

//! Observes a TLS handshake: whether it has begun, and whether the server asked for a client certificate. The HTTP client tells
//! neither.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rustls::{
    ClientConfig, NamedGroup, SignatureScheme,
    client::{
        ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue,
        Tls13ClientSessionValue,
    },
    pki_types::ServerName,
    sign::CertifiedKey,
};

/// What is known of the handshake of an exchange.
#[derive(Clone, Debug, Default)]
pub(super) struct Observer(Arc<Observed>);

#[derive(Debug, Default)]
struct Observed {
    begun: AtomicBool,
    certificate_wanted: AtomicBool,
}

impl Observer {
    /// Observes the handshakes of a configuration.
    pub(super) fn observe(&self, tls: &mut ClientConfig) {
        tls.resumption = Resumption::store(Arc::new(self.clone()));
        tls.client_auth_cert_resolver = Arc::new(self.clone());
    }

    /// Whether the connection is open, and so the handshake has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Whether the server asked for a client certificate, and got none.
    pub(super) fn certificate_wanted(&self) -> bool {
        self.0.certificate_wanted.load(Ordering::Relaxed)
    }
}

/// The TLS library looks for a session to resume when it begins a handshake, and finds none here: each exchange has a connection
/// of its own.
impl ClientSessionStore for Observer {
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.begun.store(true, Ordering::Relaxed);
        None
    }

    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// The TLS library looks for a client certificate when the server asks for one, and finds none here.
impl ResolvesClientCert for Observer {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.certificate_wanted.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

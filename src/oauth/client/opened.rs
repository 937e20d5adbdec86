//! Records when a connection is open, to distinguish a connection that cannot be opened from a slow TLS handshake.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rustls::{
    NamedGroup,
    client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue},
    pki_types::ServerName,
};

/// Whether the connection of an exchange is open.
///
/// The HTTP client does not tell. The TLS library looks for a session to resume when it begins a handshake, and finds none here:
/// each exchange has a connection of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Opened(Arc<AtomicBool>);

impl Opened {
    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn resumption(&self) -> Resumption {
        Resumption::store(Arc::new(self.clone()))
    }
}

impl ClientSessionStore for Opened {
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.store(true, Ordering::Relaxed);
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

//! The ticket with which a TLS 1.3 server lets its session be resumed (RFC 8446, section 2.2).

use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::{
    NamedGroup,
    client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue},
    pki_types::ServerName,
};

use crate::lock::lock;

/// The last ticket of one server. Each is used at most once, so that nobody on the way can tell who comes again (RFC 8446, appendix
/// C.4).
#[derive(Default)]
pub(super) struct Ticket {
    last: Mutex<Option<Tls13ClientSessionValue>>,
    was_used: AtomicBool,
}

impl Ticket {
    pub(super) fn is_there(&self) -> bool {
        lock(&self.last).is_some()
    }

    pub(super) fn begin(&self) {
        self.was_used.store(false, Ordering::Relaxed);
    }

    /// Returns whether a handshake has begun with one since.
    pub(super) fn was_used(&self) -> bool {
        self.was_used.load(Ordering::Relaxed)
    }
}

/// It would show the server's text.
impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The names of servers do not matter: it has only one.
impl ClientSessionStore for Ticket {
    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        *lock(&self.last) = Some(ticket);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let ticket = lock(&self.last).take();
        self.was_used.store(ticket.is_some(), Ordering::Relaxed);
        ticket
    }

    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
}

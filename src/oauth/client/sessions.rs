//! TLS sessions that wait for the next exchange with their server. Its connection is another one, and so are the request and the
//! client: all that is shared is the proof of who the server is, which is a tenth of the work of an exchange.
//!
//! ```text
//!  take ─▶ handshake ─▶ exchange ─▶ it succeeded ─▶ keep
//!                                └▶ it did not   ─▶ forget this server
//! ```

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, Weak},
};

use super::{tls::Tls, trust::Trusted};
use crate::{lock::lock, oauth::endpoint::Endpoint};

/// The most sessions that wait. The ticket and the certificates of a server may have 64 KiB each, and anybody can have a server.
const MOST: usize = 32;

/// The sessions that no exchange uses now, the last used one at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(Arc<Mutex<VecDeque<Session>>>);

#[derive(Debug)]
struct Session {
    /// It belongs to these CA certificates, and ends with them.
    trusted: Weak<Trusted>,
    /// Host and port.
    server: String,
    tls: Tls,
}

impl Sessions {
    /// The TLS of an exchange, which resumes a session with this server if one waits.
    pub(super) fn take(&self, trusted: &Arc<Trusted>, endpoint: &Endpoint) -> Tls {
        let server = endpoint.authority();
        let mut waiting = self.waiting();
        let at = waiting.iter().rposition(|one| one.is(trusted, &server));
        let session = at.and_then(|at| waiting.remove(at));
        session.map_or_else(|| Tls::resumable(trusted), |session| session.tls)
    }

    /// An exchange has succeeded.
    pub(super) fn keep(&self, trusted: &Arc<Trusted>, endpoint: &Endpoint, tls: Tls) {
        if !tls.can_be_resumed() {
            return;
        }
        let mut waiting = self.waiting();
        waiting.retain(|one| one.trusted.strong_count() > 0);
        if waiting.len() == MOST {
            waiting.pop_front();
        }
        waiting.push_back(Session {
            trusted: Arc::downgrade(trusted),
            server: endpoint.authority(),
            tls,
        });
    }

    /// An exchange has failed. The next one makes a full handshake, which tells everything that can be known of this server.
    pub(super) fn forget(&self, trusted: &Arc<Trusted>, endpoint: &Endpoint) {
        let server = endpoint.authority();
        self.waiting().retain(|one| !one.is(trusted, &server));
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Session>> {
        lock(&self.0)
    }
}

impl Session {
    fn is(&self, trusted: &Arc<Trusted>, server: &str) -> bool {
        std::ptr::eq(self.trusted.as_ptr(), Arc::as_ptr(trusted)) && self.server == server
    }
}

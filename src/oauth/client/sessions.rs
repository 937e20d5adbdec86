//! TLS sessions that wait for the next exchange with their server. Its connection is another one, and so are the request and the
//! client: all that is shared is the proof of who the server is, which is a tenth of the work of an exchange.
//!
//! ```text
//!                                ┌▶ it succeeded       ─▶ wait
//!  take ─▶ handshake ─▶ exchange ┼▶ it was refused     ─▶ forget the sessions with this server
//!                                └▶ no response to one
//!                                   that resumes       ─▶ the same, and resume none until its CA certificates are read again
//! ```

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, Weak},
};

use super::{error::NetworkError, tls::Tls, trust::Trusted};
use crate::{
    lock::lock,
    oauth::{endpoint::Endpoint, response::Response},
};

/// The most sessions that wait. The ticket and the certificates of a server may have 64 KiB each, and anybody may have a server.
const MOST: usize = 32;

/// The sessions that no exchange uses now, the last used one at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(Arc<Mutex<VecDeque<Session>>>);

#[derive(Debug)]
struct Session {
    server: Server,
    /// `None`: this server stumbles over tickets, and gets full handshakes.
    tls: Option<Tls>,
}

/// A server, and the CA certificates that vouch for it. A session ends with them.
#[derive(Clone, Debug)]
struct Server {
    trusted: Weak<Trusted>,
    /// Host and port.
    authority: String,
}

impl Server {
    fn new(trusted: &Arc<Trusted>, endpoint: &Endpoint) -> Self {
        Self {
            trusted: Arc::downgrade(trusted),
            authority: endpoint.authority(),
        }
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.trusted.ptr_eq(&other.trusted) && self.authority == other.authority
    }
}

impl Session {
    fn stumbles(&self, server: &Server) -> bool {
        self.tls.is_none() && self.server == *server
    }
}

impl Sessions {
    /// The TLS of an exchange, which resumes a session with this server if one waits.
    pub(super) fn take(&self, trusted: &Arc<Trusted>, endpoint: &Endpoint) -> Tls {
        let server = Server::new(trusted, endpoint);
        let mut waiting = self.waiting();
        let Some(at) = waiting.iter().rposition(|one| one.server == server) else {
            return Tls::resumable(trusted);
        };
        let Some(tls) = waiting[at].tls.take() else {
            return Tls::new(trusted);
        };
        waiting.remove(at);
        tls.begin();
        tls
    }

    /// An exchange has ended.
    pub(super) fn end(
        &self,
        trusted: &Arc<Trusted>,
        endpoint: &Endpoint,
        tls: Tls,
        result: &Result<Response, NetworkError>,
    ) {
        let server = Server::new(trusted, endpoint);
        match result {
            // A server that asks for a certificate of the client does not ask again in a session, and nobody would know why it
            // refuses.
            Ok(response) if response.is_success() && !tls.verifier.certificate_wanted() => {
                if tls.has_ticket() {
                    self.wait(server, Some(tls));
                }
            }
            // The next handshake is a full one, which tells everything that can be known of this server.
            Ok(_) => self.forget(&server),
            // A server may stumble over a ticket, and must not do so each time.
            Err(_) => {
                self.forget(&server);
                if tls.used_ticket() {
                    self.wait(server, None);
                }
            }
        }
    }

    fn wait(&self, server: Server, tls: Option<Tls>) {
        let mut waiting = self.waiting();
        if waiting.iter().any(|one| one.stumbles(&server)) {
            return;
        }
        if waiting.len() == MOST {
            // A session is easily replaced by another one. A server that stumbles must not do so again.
            let first = waiting.iter().position(|one| one.tls.is_some());
            waiting.remove(first.unwrap_or(0));
        }
        waiting.push_back(Session { server, tls });
    }

    fn forget(&self, server: &Server) {
        let mut waiting = self.waiting();
        waiting.retain(|one| one.server != *server || one.stumbles(server));
    }

    /// Those whose CA certificates are still in use.
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Session>> {
        let mut waiting = lock(&self.0);
        waiting.retain(|one| one.server.trusted.strong_count() > 0);
        waiting
    }
}

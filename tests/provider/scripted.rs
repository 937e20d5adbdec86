//! A token endpoint over TLS with a private CA. Its responses come from the test, and it records the requests.
//!
//! Threads and blocking I/O only, so that tests with and without a runtime can use it. It keeps connections open, as real
//! servers do, so that a test sees a client that reuses one.

#![allow(
    dead_code,
    unused_imports,
    reason = "each crate of tests uses a part of it"
)]
#![allow(clippy::unwrap_used, reason = "a test fails where its world does")]

mod authority;
mod reply;
mod request;

use std::{
    io::{self, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use rustls::{
    HandshakeKind, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

pub(crate) use authority::{Authority, Certificate};
use reply::Then;
pub(crate) use reply::{Reply, held, in_turn};
pub(crate) use request::Request;
use request::read;

/// The names of this machine.
pub(crate) const LOCAL: [&str; 2] = ["localhost", "127.0.0.1"];

/// A port at which nothing listens. A port that is only free may belong to another test a moment later.
pub(crate) const CLOSED: u16 = 1;

type Stream = StreamOwned<ServerConnection, TcpStream>;
type Script = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A running server; it ends when it is dropped.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    config: Mutex<Arc<ServerConfig>>,
    script: Script,
    connections: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    /// The certificates of the clients, one for each request.
    clients: Mutex<Vec<Option<Vec<u8>>>>,
    /// The handshakes, one for each request.
    handshakes: Mutex<Vec<HandshakeKind>>,
    /// The connections with data before the end of the handshake.
    early_data: AtomicUsize,
    stopped: AtomicBool,
}

impl Provider {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn start(
        certificate: &Certificate,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with_tls(certificate, rustls::DEFAULT_VERSIONS, script)
    }

    /// Speaks these versions of TLS only.
    pub(crate) fn start_with_tls(
        certificate: &Certificate,
        versions: &[&'static SupportedProtocolVersion],
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(certificate.config(versions), script)
    }

    /// With any configuration of TLS.
    pub(crate) fn start_with(
        config: ServerConfig,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            config: Mutex::new(config.into()),
            script: Box::new(script),
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
            clients: Mutex::default(),
            handshakes: Mutex::default(),
            early_data: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for socket in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
                let shared = shared.clone();
                // A test may want a client that goes away.
                thread::spawn(move || shared.serve(socket.unwrap(), number).ok());
            }
        });
        Self { address, state }
    }

    /// Uses another configuration of TLS from now on, as a server that starts again: it knows none of its sessions.
    #[allow(dead_code, reason = "few tests depend on it")]
    pub(crate) fn reconfigure(&self, config: ServerConfig) {
        *self.state.config.lock().unwrap() = config.into();
    }

    /// The URL of `target` (path and query) on this server, by the name `localhost`.
    pub(crate) fn url(&self, target: &str) -> String {
        format!("https://localhost:{}{target}", self.address.port())
    }

    /// The requests that it has received.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The certificate of the client of each request.
    #[allow(dead_code, reason = "not every test has a client with a certificate")]
    pub(crate) fn clients(&self) -> Vec<Option<Vec<u8>>> {
        self.state.clients.lock().unwrap().clone()
    }

    /// Whether each request came after a full handshake.
    #[allow(dead_code, reason = "few tests depend on it")]
    pub(crate) fn handshakes(&self) -> Vec<HandshakeKind> {
        self.state.handshakes.lock().unwrap().clone()
    }

    /// How many connections had data before the end of the handshake.
    #[allow(dead_code, reason = "few tests depend on it")]
    pub(crate) fn early_data(&self) -> usize {
        self.state.early_data.load(Ordering::SeqCst)
    }

    /// How many connections were opened, with or without a request.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // Wakes the listening thread.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn serve(&self, socket: TcpStream, connection: usize) -> io::Result<()> {
        let config = self.config.lock().unwrap().clone();
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut reader = BufReader::new(StreamOwned::new(tls, socket));
        while let Some(request) = read(&mut reader, connection)? {
            let tls = &mut reader.get_mut().conn;
            if tls.early_data().is_some() {
                self.early_data.fetch_add(1, Ordering::SeqCst);
            }
            let client = tls.peer_certificates().map(|chain| chain[0].to_vec());
            let handshake = tls.handshake_kind().unwrap();
            self.handshakes.lock().unwrap().push(handshake);
            self.clients.lock().unwrap().push(client);
            self.requests.lock().unwrap().push(request.clone());
            if (self.script)(&request).send(reader.get_mut())? == Then::End {
                break;
            }
        }
        Ok(())
    }
}

//! A token endpoint that answers whatever a test says, over TLS with a private authority, and records what it was sent.
//!
//! Threads and blocking I/O only, so that tests with and without a runtime can use it. It keeps connections open, as real
//! servers do: a client that reuses one is seen.

#![allow(dead_code, reason = "each crate of tests uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails where its world does")]

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ProtocolVersion, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
    crypto::ring, pki_types::PrivateKeyDer,
};

/// The names of this machine.
pub(crate) const LOCAL: [&str; 2] = ["localhost", "127.0.0.1"];

/// A port at which nothing listens. One that is merely free may be that of another test a moment later.
pub(crate) const CLOSED: u16 = 1;

/// A certificate authority that nobody trusts yet.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// What a CA bundle holds to trust it.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names and addresses.
    pub(crate) fn certificate(&self, names: &[&str]) -> Certificate {
        self.certificate_with(names, |_| {})
    }

    /// The same, changed before it is signed: expired, say.
    pub(crate) fn certificate_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.0).unwrap();
        Certificate { signed, key }
    }
}

/// A certificate and its key.
pub(crate) struct Certificate {
    signed: rcgen::Certificate,
    key: KeyPair,
}

impl Certificate {
    fn config(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.signed.der().clone()], key)
            .unwrap();
        config.into()
    }
}

/// A request as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The number of its connection; the first is 1.
    pub(crate) connection: usize,
    pub(crate) tls: ProtocolVersion,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names as they were sent, in the order in which they were sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// An answer, and how it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    delay: Duration,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
    abrupt: bool,
}

#[derive(Clone, Debug)]
enum Manner {
    Whole,
    /// So many bytes of the body, and the connection closes.
    Cut(usize),
    OneByteASecond,
    /// The connection closes without an answer.
    Close,
    /// The connection stays open without an answer.
    Silence,
    /// These bytes instead of HTTP.
    Raw(Vec<u8>),
}

impl Reply {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            delay: Duration::ZERO,
            status,
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: body.into(),
            manner: Manner::Whole,
            abrupt: false,
        }
    }

    /// A token that lives for an hour.
    pub(crate) fn token(access_token: &str) -> Self {
        let body = format!(
            r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":3600}}"#
        );
        Self::json(200, body)
    }

    /// The connection closes instead.
    pub(crate) fn close() -> Self {
        Self::token("").sent(Manner::Close)
    }

    /// Nothing ever comes.
    pub(crate) fn silence() -> Self {
        Self::token("").sent(Manner::Silence)
    }

    /// Something that is not HTTP.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::token("").sent(Manner::Raw(bytes.into()))
    }

    /// With this header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a body that is compressed.
    pub(crate) fn gzip(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.header("Content-Encoding", "gzip")
    }

    /// Sent only after this time.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Cut after so many bytes of the body.
    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        self.sent(Manner::Cut(bytes))
    }

    /// Sent one byte a second.
    pub(crate) fn one_byte_a_second(self) -> Self {
        self.sent(Manner::OneByteASecond)
    }

    /// If the connection closes, it does so without the TLS message that says so: like a process that was killed.
    pub(crate) fn abruptly(self) -> Self {
        Self {
            abrupt: true,
            ..self
        }
    }

    fn sent(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut lines = vec![format!("HTTP/1.1 {} Scripted", self.status)];
        for (name, value) in &self.headers {
            lines.push(format!("{name}: {value}"));
        }
        lines.push(format!("Content-Length: {}\r\n\r\n", self.body.len()));
        [lines.join("\r\n").into_bytes(), self.body.clone()].concat()
    }

    /// Sends it, and closes the connection unless it can be used again.
    fn send(&self, stream: &mut Stream) -> io::Result<Then> {
        thread::sleep(self.delay);
        let bytes = self.bytes();
        match &self.manner {
            Manner::Whole => stream.write_all(&bytes)?,
            Manner::Cut(body) => {
                stream.write_all(&bytes[..bytes.len() - self.body.len() + body])?;
            }
            Manner::OneByteASecond => {
                for byte in bytes {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    thread::sleep(Duration::from_secs(1));
                }
            }
            Manner::Close => {}
            Manner::Silence => drop(stream.read(&mut [0])?),
            Manner::Raw(bytes) => stream.write_all(bytes)?,
        }
        stream.flush()?;
        if matches!(self.manner, Manner::Whole) {
            return Ok(Then::Next);
        }
        if !self.abrupt {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        Ok(Then::End)
    }
}

/// What follows on the same connection.
#[derive(PartialEq)]
enum Then {
    Next,
    End,
}

/// A script of these answers, one after the other; the last one is repeated.
pub(crate) fn in_turn(
    replies: impl IntoIterator<Item = Reply>,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let replies = Mutex::new(replies.into_iter().collect::<VecDeque<_>>());
    move |_| {
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 {
            replies.pop_front().unwrap()
        } else {
            replies[0].clone()
        }
    }
}

/// A script whose answers wait until the sender is dropped.
pub(crate) fn held(reply: Reply) -> (mpsc::Sender<()>, impl Fn(&Request) -> Reply + Send + Sync) {
    let (release, gate) = mpsc::channel();
    let gate = Mutex::new(gate);
    let script = move |_: &Request| {
        // It ends with an error: nobody sends anything.
        let _ = gate.lock().unwrap().recv();
        reply.clone()
    };
    (release, script)
}

type Stream = StreamOwned<ServerConnection, TcpStream>;
type Script = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A running server; it ends when it is dropped.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    config: Arc<ServerConfig>,
    script: Script,
    connections: AtomicUsize,
    requests: Mutex<Vec<Request>>,
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            config: certificate.config(versions),
            script: Box::new(script),
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
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
                // A client that goes away is part of the script.
                thread::spawn(move || shared.serve(socket.unwrap(), number).ok());
            }
        });
        Self { address, state }
    }

    /// The URL of `target` (path and query) on this server, by the name `localhost`.
    pub(crate) fn url(&self, target: &str) -> String {
        format!("https://localhost:{}{target}", self.address.port())
    }

    /// What it was sent so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// How many connections were opened so far, with or without a request.
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
        let tls = ServerConnection::new(self.config.clone()).map_err(io::Error::other)?;
        let mut reader = BufReader::new(StreamOwned::new(tls, socket));
        while let Some(request) = read(&mut reader, connection)? {
            self.requests.lock().unwrap().push(request.clone());
            if (self.script)(&request).send(reader.get_mut())? == Then::End {
                break;
            }
        }
        Ok(())
    }
}

/// The next request of a connection; `None` when the client closed it.
fn read(reader: &mut BufReader<Stream>, connection: usize) -> io::Result<Option<Request>> {
    let Some(start) = line(reader)? else {
        return Ok(None);
    };
    let mut words = start.splitn(3, ' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut headers = Vec::new();
    while let Some(line) = line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request {
        connection,
        tls: reader.get_ref().conn.protocol_version().unwrap(),
        method,
        target,
        headers,
        body: String::from_utf8(body).unwrap(),
    }))
}

fn line(reader: &mut BufReader<Stream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = reader.read_line(&mut line)?;
    Ok((length > 0).then(|| line.trim_end().to_owned()))
}

//! Accepts connections, and bounds what they cost: anybody who reaches the port can open them.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::tls::Certificate;

/// The longest life of a connection, which carries one request. The kubelet's probes wait as long.
const LONGEST: Duration = Duration::from_secs(5);
/// The most connections at a time. One more ends the oldest: a probe gets its response in a millisecond, so only slow clients get old.
const MOST: usize = 64;
/// The largest head of a request, in bytes: the smallest that hyper allows.
const LARGEST_HEAD: usize = 8 * 1024;
/// The pause after a connection that could not be accepted, for example because the process has too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections of a port, which end with it.
#[derive(Default)]
struct Connections(VecDeque<JoinHandle<()>>);

impl Connections {
    fn add(&mut self, connection: JoinHandle<()>) {
        self.0.retain(|connection| !connection.is_finished());
        if self.0.len() == MOST
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.abort();
        }
        self.0.push_back(connection);
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Serves one request on each connection, until it is dropped. With a certificate, the connections are TLS.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    certificate: Option<Arc<Certificate>>,
) {
    let mut connections = Connections::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let (router, certificate) = (router.clone(), certificate.clone());
        // A client that breaks off, or is too slow, has only itself to tell.
        let connection =
            async move { drop(timeout(LONGEST, answer(stream, router, certificate)).await) };
        connections.add(tokio::spawn(connection));
    }
}

async fn answer(
    stream: TcpStream,
    router: Router,
    certificate: Option<Arc<Certificate>>,
) -> io::Result<()> {
    let Some(certificate) = certificate else {
        return http(stream, router).await;
    };
    let acceptor = TlsAcceptor::from(certificate.current().map_err(io::Error::other)?);
    http(acceptor.accept(stream).await?, router).await
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) -> io::Result<()> {
    let service = TowerToHyperService::new(router);
    http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}

//! The loopback server that the browser is sent back to (RFC 8252, section 7.3). It reads one redirect, and shows one page.

use std::{convert::Infallible, pin::pin, sync::Arc};

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{Semaphore, mpsc, oneshot},
    time::{Duration, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{page::Page, peer::is_another_user};
use crate::oauth::authorization::belongs_to;

/// The most connections at a time. A browser opens a few.
const MOST_CONNECTIONS: usize = 32;

/// How long a page may take to reach the browser.
const PAGE_TIME: Duration = Duration::from_secs(5);

/// The headers allow the browser to show the page, and nothing else.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // The address has the code.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::CONNECTION, HeaderValue::from_static("close")),
];

/// The open port of the redirect URI.
pub(super) struct Listener {
    /// The sockets: more than one if a name stands for several addresses.
    pub(super) sockets: Vec<TcpListener>,
    /// The path of the redirect URI.
    pub(super) path: String,
    /// The state of this sign-in.
    pub(super) state: SecretString,
}

/// The redirect of a browser, and where its page waits.
pub(super) struct Answer {
    pub(super) query: SecretString,
    pub(super) reply: Reply,
}

/// Where a browser waits for its page, if one does.
pub(super) struct Reply(Option<Waiting>);

struct Waiting {
    page: oneshot::Sender<Page>,
    server: Server,
    /// Ends the server when it is dropped.
    _end: DropGuard,
}

/// A redirect that a connection has read.
struct Redirected {
    query: SecretString,
    page: oneshot::Sender<Page>,
}

impl Reply {
    /// There is no browser on this machine.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Shows a page, and waits until the browser has it.
    pub(super) async fn send(self, page: Page) {
        let Some(waiting) = self.0 else { return };
        // A browser that was closed needs no page.
        if waiting.page.send(page).is_ok() {
            let _ = timeout(PAGE_TIME, waiting.server.end()).await;
        }
    }
}

impl Listener {
    /// The first redirect.
    pub(super) async fn receive(self) -> Answer {
        let (found, mut redirects) = mpsc::channel(1);
        let server = Server {
            path: self.path.into(),
            state: self.state,
            found,
            slots: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            connections: TaskTracker::new(),
            ended: CancellationToken::new(),
        };
        let end = server.ended.clone().drop_guard();
        for socket in self.sockets {
            server.connections.spawn(server.clone().accept(socket));
        }
        let Some(Redirected { query, page }) = redirects.recv().await else {
            // `server` has a sender.
            return std::future::pending().await;
        };
        let reply = Reply(Some(Waiting {
            page,
            server,
            _end: end,
        }));
        Answer { query, reply }
    }
}

#[derive(Clone)]
struct Server {
    path: Arc<str>,
    state: SecretString,
    found: mpsc::Sender<Redirected>,
    slots: Arc<Semaphore>,
    connections: TaskTracker,
    ended: CancellationToken,
}

impl Server {
    /// Sends what was begun, and closes every connection.
    async fn end(self) {
        self.ended.cancel();
        self.connections.close();
        self.connections.wait().await;
    }

    async fn accept(self, socket: TcpListener) {
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                return;
            };
            let accepted = select! {
                accepted = socket.accept() => accepted,
                () = self.ended.cancelled() => return,
            };
            let Ok((stream, peer)) = accepted else {
                continue;
            };
            let own = stream.local_addr();
            if own.is_ok_and(|own| is_another_user(peer, own)) {
                continue;
            }
            let server = self.clone();
            self.connections.spawn(async move {
                let _slot = slot;
                server.serve(stream).await;
            });
        }
    }

    async fn serve(self, stream: TcpStream) {
        let service = service_fn(|request| async {
            let page = self.respond(request).await;
            Ok::<_, Infallible>(response(&page))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(10))
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        // A connection that ends early is the browser's decision.
        let _ = select! {
            ended = connection.as_mut() => ended,
            () = self.ended.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
    }

    async fn respond(&self, request: Request<Incoming>) -> Page {
        let query = request.uri().query().unwrap_or_default();
        // Some browsers ask for an address before the person has chosen it, without the query.
        if request.method() != Method::GET
            || request.uri().path() != &*self.path
            || query.is_empty()
        {
            return Page::not_found();
        }
        let query = SecretString::from(query);
        // Any website may send the browser here. Only the provider has the state.
        if !belongs_to(&query, &self.state) {
            return Page::failed("This redirect belongs to another sign-in, and was ignored");
        }
        let (page, shown) = oneshot::channel();
        let redirected = Redirected { query, page };
        // The first redirect counts. The channel has no place for another.
        if self.found.try_send(redirected).is_err() {
            return Page::not_found();
        }
        shown.await.unwrap_or_else(|_| Page::not_found())
    }
}

fn response(page: &Page) -> Response<String> {
    let mut response = Response::new(page.html());
    *response.status_mut() = StatusCode::from_u16(page.status()).unwrap_or_default();
    response.headers_mut().extend(HEADERS);
    response
}

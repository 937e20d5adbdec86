//! The TLS of one exchange.

use std::{io, sync::Arc};

use rustls::{ClientConfig, client::danger::ServerCertVerifier, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{trust::Trusted, verifier::Verifier};

/// The trust of one handshake, and the facts that become known in it.
pub(in crate::oauth) struct Tls {
    config: ClientConfig,
    pub(in crate::oauth) verifier: Arc<Verifier>,
}

impl Tls {
    pub(in crate::oauth) fn new(trusted: &Trusted) -> Self {
        let verifier = Arc::new(Verifier::new(trusted.verifier.clone()));
        let mut config = trusted.config.clone();
        config.client_auth_cert_resolver = verifier.clone();
        let tls = Self {
            config,
            verifier: verifier.clone(),
        };
        tls.witnessed_by(verifier)
    }

    /// The same for the handshake with a proxy, which is not asked for HTTP/1.1.
    pub(super) fn of_proxy(trusted: &Trusted) -> Self {
        let mut tls = Self::new(trusted);
        tls.config.alpn_protocols.clear();
        tls
    }

    /// The same, with a witness that verifies in the verifier's place.
    pub(in crate::oauth) fn witnessed_by(mut self, witness: Arc<dyn ServerCertVerifier>) -> Self {
        self.config.dangerous().set_certificate_verifier(witness);
        self
    }

    /// Makes a handshake with `host`.
    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        host: &str,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::new(self.config));
        connector.connect(name, stream).await
    }
}

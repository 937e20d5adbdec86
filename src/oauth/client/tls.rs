//! The TLS of one exchange.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, client::danger::ServerCertVerifier, crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::ServerName, sign::CertifiedKey,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{error::NetworkError, trust::Trusted, verifier::Verifier};
use crate::oauth::identity::CertifiedClient;

/// The trust of one handshake, and the facts that become known in it.
pub(in crate::oauth) struct Tls {
    config: ClientConfig,
    pub(in crate::oauth) verifier: Arc<Verifier>,
}

impl Tls {
    pub(in crate::oauth) fn new(trusted: &Trusted) -> Self {
        Self::with(trusted, None)
    }

    /// With the certificate of a client. It is a part of this handshake alone: no session is resumed in another one.
    pub(super) fn with(trusted: &Trusted, certified: Option<Arc<CertifiedKey>>) -> Self {
        let verifier = Arc::new(Verifier::new(trusted.verifier.clone(), certified));
        let mut config = trusted.config.clone();
        config.client_auth_cert_resolver = verifier.clone();
        let tls = Self {
            config,
            verifier: verifier.clone(),
        };
        tls.witnessed_by(verifier)
    }

    /// The same for the handshake with a proxy, which is not asked for HTTP/1.1, and gets no certificate of a client.
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

/// The certificate and the key of a client, as a handshake uses them.
///
/// # Errors
/// If the library cannot use the key, which was read before.
pub(super) fn certified_key(client: &CertifiedClient) -> Result<Arc<CertifiedKey>, NetworkError> {
    let key = any_supported_type(&client.key.der()).map_err(|_| NetworkError::NotSigned)?;
    Ok(Arc::new(CertifiedKey::new(client.certificate.chain(), key)))
}

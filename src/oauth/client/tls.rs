//! The TLS of one exchange.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig,
    client::{Resumption, Tls12Resumption, danger::ServerCertVerifier},
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::ServerName,
    sign::CertifiedKey,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{error::NetworkError, ticket::Ticket, trust::Trusted, verifier::Verifier};
use crate::oauth::identity::CertifiedClient;

/// The trust of one handshake at a time, and the facts that become known in it.
#[derive(Debug)]
pub(in crate::oauth) struct Tls {
    config: Arc<ClientConfig>,
    pub(in crate::oauth) verifier: Arc<Verifier>,
    /// The ticket for its next handshake; `None`: it has a single one.
    ticket: Option<Arc<Ticket>>,
}

impl Tls {
    pub(in crate::oauth) fn new(trusted: &Trusted) -> Self {
        Self::with(trusted, None)
    }

    /// With the certificate of a client. It is a part of this handshake alone: no session is resumed in another one.
    pub(super) fn certified(trusted: &Trusted, certified: Arc<CertifiedKey>) -> Self {
        Self::with(trusted, Some(certified))
    }

    /// For several handshakes with one server. In each after the first, a server that takes the ticket of the one before proves with
    /// its secret that it is the same, and shows no certificate.
    pub(super) fn resumable(trusted: &Trusted) -> Self {
        let mut tls = Self::new(trusted);
        let ticket = Arc::<Ticket>::default();
        let resumption = Resumption::store(ticket.clone());
        tls.config().resumption = resumption.tls12_resumption(Tls12Resumption::Disabled);
        tls.ticket = Some(ticket);
        tls
    }

    fn with(trusted: &Trusted, certified: Option<Arc<CertifiedKey>>) -> Self {
        let verifier = Arc::new(Verifier::new(trusted.verifier.clone(), certified));
        let mut config = trusted.config.clone();
        config.client_auth_cert_resolver = verifier.clone();
        let tls = Self {
            config: Arc::new(config),
            verifier: verifier.clone(),
            ticket: None,
        };
        tls.witnessed_by(verifier)
    }

    /// The same for the handshake with a proxy, which is not asked for HTTP/1.1, and gets no certificate of a client.
    pub(super) fn of_proxy(trusted: &Trusted) -> Self {
        let mut tls = Self::new(trusted);
        tls.config().alpn_protocols.clear();
        tls
    }

    /// The same, with a witness that verifies in the verifier's place.
    pub(in crate::oauth) fn witnessed_by(mut self, witness: Arc<dyn ServerCertVerifier>) -> Self {
        self.config().dangerous().set_certificate_verifier(witness);
        self
    }

    /// Its configuration before the first handshake, while nothing else has it.
    fn config(&mut self) -> &mut ClientConfig {
        Arc::make_mut(&mut self.config)
    }

    /// Returns whether the next handshake can resume its session.
    pub(super) fn has_ticket(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| ticket.is_there())
    }

    /// Forgets the last exchange before the next one, which may not get as far as a handshake.
    pub(super) fn begin(&self) {
        if let Some(ticket) = &self.ticket {
            ticket.begin();
        }
    }

    /// Returns whether the handshake of this exchange has resumed a session, or tried to.
    pub(super) fn used_ticket(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| ticket.was_used())
    }

    /// Makes a handshake with `host`.
    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        self.verifier.begin();
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
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

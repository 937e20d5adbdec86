//! The certificate of a token endpoint, from the beginning of a TLS handshake that is never finished.
//!
//! The handshake goes through the same proxy as an exchange and trusts the same certificates. It shows what it saw. It ends before
//! it is complete, so nothing can be sent over it.

use std::sync::{Arc, Mutex};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;

use super::certificate;
use crate::{
    lock::lock,
    oauth::{
        ca_bundle,
        client::{TokenClient, classify, error::NetworkError},
        endpoint::Endpoint,
    },
};

/// What a handshake shows of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The server's certificate, in words.
    pub certificate: String,
    /// The version of TLS that both sides speak, or why an exchange with this server fails.
    pub outcome: Result<&'static str, NetworkError>,
}

impl TokenClient {
    /// Looks at the server's certificate.
    ///
    /// # Errors
    /// If no certificate is seen: the error of an exchange.
    pub async fn handshake(
        &self,
        endpoint: &Endpoint,
        ca_bundle: Option<&str>,
    ) -> Result<Handshake, NetworkError> {
        self.check_network(endpoint)?;
        let authority = endpoint.authority();
        let witness = Arc::new(Witness::new(ca_bundle)?);
        let config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(witness.clone())
            .with_no_client_auth();
        let client = self
            .builder(endpoint)
            .tls_backend_preconfigured(config)
            .build();
        let client = client.map_err(|_| NetworkError::NoTlsClient)?;
        // Never sent: the witness ends the handshake.
        let ended = client.head(endpoint.url().clone()).send().await;
        let Some(seen) = witness.seen() else {
            let error = ended.expect_err(
                "a handshake is not complete before the witness has seen the certificate",
            );
            return Err(classify::http(&error, &authority, self.exchange_timeout));
        };
        Ok(Handshake {
            certificate: certificate::describe(&seen.certificate),
            outcome: seen
                .outcome
                .map_err(|error| classify::certificate(&error, &authority)),
        })
    }
}

#[derive(Debug)]
struct Seen {
    certificate: Vec<u8>,
    outcome: Result<&'static str, Error>,
}

/// Judges as the verifier of an exchange does, remembers the verdict, and always ends the handshake.
#[derive(Debug)]
struct Witness {
    judge: Verifier,
    seen: Mutex<Option<Seen>>,
}

impl Witness {
    fn new(ca_bundle: Option<&str>) -> Result<Self, NetworkError> {
        let provider = CryptoProvider::get_default()
            .expect("main installs one")
            .clone();
        let roots = match ca_bundle {
            Some(pem) => ca_bundle::read(pem).map_err(|_| NetworkError::NoTlsClient)?,
            None => Vec::new(),
        };
        let judge = Verifier::new_with_extra_roots(roots, provider)
            .map_err(|_| NetworkError::NoTlsClient)?;
        Ok(Self {
            judge,
            seen: Mutex::default(),
        })
    }

    fn seen(&self) -> Option<Seen> {
        lock(&self.seen).take()
    }

    /// Remembers the verdict on the signature, which proves that the trusted certificate is the server's own.
    fn end(&self, version: &'static str, verdict: Result<HandshakeSignatureValid, Error>) -> Error {
        if let Some(seen) = lock(&self.seen).as_mut() {
            seen.outcome = verdict.map(|_| version);
        }
        Error::General("the witness has seen enough".into())
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.judge.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        *lock(&self.seen) = Some(Seen {
            certificate: end_entity.to_vec(),
            outcome: verdict.as_ref().map(|_| "").map_err(Clone::clone),
        });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = self
            .judge
            .verify_tls12_signature(message, certificate, signature);
        Err(self.end("TLS 1.2", verdict))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = self
            .judge
            .verify_tls13_signature(message, certificate, signature);
        Err(self.end("TLS 1.3", verdict))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

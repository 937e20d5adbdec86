//! The certificate of a token endpoint, from the beginning of a TLS handshake that is never finished.
//!
//! The handshake goes through the same proxy as an exchange and trusts the same certificates. It ends before it is complete, so
//! nothing can be sent over it.

use std::sync::{Arc, Mutex};

use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{
    lock::lock,
    oauth::{
        ca_bundle::TrustedCa,
        certificate,
        client::{TokenClient, error::NetworkError, tls::Tls, verifier::Verifier},
        endpoint::Endpoint,
    },
};

/// The server's side of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The server's certificate, in words.
    pub certificate: String,
    /// The version of TLS that both sides speak, or why an exchange with this server fails.
    pub outcome: Result<&'static str, NetworkError>,
}

impl TokenClient {
    /// Reads the server's certificate.
    ///
    /// # Errors
    /// The error of an exchange, if the server shows no certificate.
    pub async fn handshake(
        &self,
        endpoint: &Endpoint,
        trusted: Option<&TrustedCa>,
    ) -> Result<Handshake, NetworkError> {
        self.check_network(endpoint)?;
        let trusted = self.trust.of(trusted)?;
        let tls = Tls::new(&trusted);
        let verifier = Arc::clone(&tls.verifier);
        let witness = Arc::new(Witness {
            verifier: Arc::clone(&verifier),
            presented: Mutex::default(),
        });
        let tls = tls.witnessed_by(witness.clone());
        let ended = self.open(endpoint, &trusted, &tls).await.map(drop);
        let Some(presented) = witness.presented() else {
            return Err(ended.expect_err(
                "a handshake is not complete before the witness has seen the certificate",
            ));
        };
        let outcome = match (presented.version, verifier.refused(), ended) {
            (Some(version), ..) => Ok(version),
            (None, Some(cause), _) => Err(NetworkError::Untrusted {
                endpoint: endpoint.authority(),
                cause,
            }),
            (None, None, Err(error)) => Err(error),
            (None, None, Ok(())) => unreachable!("the witness ends every handshake"),
        };
        Ok(Handshake {
            certificate: certificate::describe(&presented.certificate),
            outcome,
        })
    }
}

#[derive(Debug)]
struct Presented {
    certificate: Vec<u8>,
    /// The version of TLS, once the certificate is trusted and proven to be the server's own.
    version: Option<&'static str>,
}

/// Verifies as an exchange does, records the result, and always ends the handshake.
#[derive(Debug)]
struct Witness {
    verifier: Arc<Verifier>,
    presented: Mutex<Option<Presented>>,
}

impl Witness {
    fn presented(&self) -> Option<Presented> {
        lock(&self.presented).take()
    }

    /// Records the result for the signature, which proves that the trusted certificate is the server's own.
    fn end(&self, version: &'static str, result: Result<HandshakeSignatureValid, Error>) -> Error {
        if let Some(presented) = lock(&self.presented).as_mut() {
            presented.version = result.ok().map(|_| version);
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
        let result = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        *lock(&self.presented) = Some(Presented {
            certificate: end_entity.to_vec(),
            version: None,
        });
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self
            .verifier
            .verify_tls12_signature(message, certificate, signature);
        Err(self.end("TLS 1.2", result))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self
            .verifier
            .verify_tls13_signature(message, certificate, signature);
        Err(self.end("TLS 1.3", result))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

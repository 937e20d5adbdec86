//! The certificate of a client's private key.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
    time::Time,
};

use super::{certificate::timestamp, private_key::PrivateKey};

/// A client that presents a certificate in the TLS handshake (RFC 8705).
#[derive(Clone, Debug)]
pub struct CertifiedClient {
    /// The client id; not a secret.
    pub id: String,
    /// The key of the certificate.
    pub key: Arc<PrivateKey>,
    /// The certificate.
    pub certificate: Arc<ClientCertificate>,
}

impl CertifiedClient {
    /// A hash of what proves the client. It is for this process alone.
    pub(super) fn evidence(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key.digest());
        for certificate in &self.certificate.chain {
            hash.update(certificate);
        }
        hash.finalize().into()
    }
}

/// The certificate of a client, with the others of its chain.
#[derive(Debug)]
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    public: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl ClientCertificate {
    /// Reads a PEM text, whose first certificate is the client's; `None`: it has none that can be read.
    #[must_use]
    pub fn read(pem: &[u8]) -> Option<Self> {
        let chain = CertificateDer::pem_slice_iter(pem);
        let chain: Vec<_> = chain.collect::<Result<_, _>>().ok()?;
        let own = Certificate::from_der(chain.first()?).ok()?;
        let own = own.tbs_certificate();
        let validity = own.validity();
        Some(Self {
            public: own.subject_public_key_info().to_der().ok()?,
            not_before: time(validity.not_before),
            not_after: time(validity.not_after),
            chain,
        })
    }

    /// The SHA-256 of the client's own certificate.
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        Sha256::digest(&self.chain[0]).into()
    }

    /// The client's own certificate, and the others.
    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    /// The beginning of its validity.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The end of its validity.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Returns whether it is the certificate of this key.
    #[must_use]
    pub fn is_of(&self, key: &PrivateKey) -> bool {
        self.public == key.public()
    }
}
/// A certificate without an expiry ends in the year 9999 (RFC 5280, section 4.1.2.5), which is after the last timestamp.
fn time(of: Time) -> Timestamp {
    timestamp(of.to_unix_duration().as_secs()).unwrap_or(Timestamp::MAX)
}

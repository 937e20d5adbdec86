//! Verifies certificates as the TLS library does, and keeps what becomes known in one handshake: why a certificate was refused,
//! and whether the server asked for one. The library's errors tell neither.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        ResolvesClientCert, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};

use super::error::Untrusted;
use crate::{
    lock::lock,
    oauth::certificate::{self, Chain},
};

/// A verifier for one handshake.
#[derive(Debug)]
pub(in crate::oauth) struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    refused: Mutex<Option<Untrusted>>,
    /// The certificate of the client, if it has one.
    certified: Option<Certified>,
    certificate_wanted: AtomicBool,
    certificate_sent: AtomicBool,
    response_began: AtomicBool,
    /// TLS 1.3 has its own signature in a handshake.
    is_tls13: AtomicBool,
}

/// A certificate with its key, which is not shown.
struct Certified(Arc<CertifiedKey>);

impl fmt::Debug for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Verifier {
    pub(super) fn new(
        inner: Arc<WebPkiServerVerifier>,
        certified: Option<Arc<CertifiedKey>>,
    ) -> Self {
        Self {
            inner,
            certified: certified.map(Certified),
            certificate_sent: AtomicBool::new(false),
            response_began: AtomicBool::new(false),
            is_tls13: AtomicBool::new(false),
            refused: Mutex::default(),
            certificate_wanted: AtomicBool::new(false),
        }
    }

    /// Why the certificate was refused, if it was.
    pub(in crate::oauth) fn refused(&self) -> Option<Untrusted> {
        lock(&self.refused).clone()
    }

    /// Returns whether the server got a client certificate.
    pub(super) fn certificate_sent(&self) -> bool {
        self.certificate_sent.load(Ordering::Relaxed)
    }

    /// Returns whether a byte of the response has arrived.
    pub(super) fn response_began(&self) -> bool {
        self.response_began.load(Ordering::Relaxed)
    }

    /// Returns whether the server may still end the handshake after the request was sent: in TLS 1.2 it has ended by then.
    pub(super) fn may_end_late(&self) -> bool {
        self.is_tls13.load(Ordering::Relaxed)
    }

    pub(super) fn response_begins(&self) {
        self.response_began.store(true, Ordering::Relaxed);
    }

    /// Returns whether the server asked for a client certificate.
    pub(super) fn certificate_wanted(&self) -> bool {
        self.certificate_wanted.load(Ordering::Relaxed)
    }

    fn keep<T>(
        &self,
        verified: Result<T, Error>,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<T, Error> {
        if let Err(Error::InvalidCertificate(error)) = &verified {
            let chain = Chain::of(certificate, intermediates);
            *lock(&self.refused) = Some(untrusted(error, &chain));
        }
        verified
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        self.keep(verified, end_entity, intermediates)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self
            .inner
            .verify_tls12_signature(message, certificate, signature);
        self.keep(verified, certificate, &[])
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.is_tls13.store(true, Ordering::Relaxed);
        let verified = self
            .inner
            .verify_tls13_signature(message, certificate, signature);
        self.keep(verified, certificate, &[])
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The TLS library looks for a client certificate when the server asks for one.
impl ResolvesClientCert for Verifier {
    /// The names of CAs that the server sends are no condition: many servers send none, or the wrong ones.
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.certificate_wanted.store(true, Ordering::Relaxed);
        let Certified(certified) = self.certified.as_ref()?;
        certified.key.choose_scheme(schemes)?;
        self.certificate_sent.store(true, Ordering::Relaxed);
        Some(Arc::clone(certified))
    }

    fn has_certs(&self) -> bool {
        self.certified.is_some()
    }
}

/// The flaw of a chain that was refused with this error.
fn untrusted(error: &CertificateError, chain: &Chain) -> Untrusted {
    use CertificateError as E;
    match error {
        E::UnknownIssuer if chain.is_ca() => Untrusted::CaCertificate,
        E::UnknownIssuer if chain.is_self_signed() => Untrusted::SelfSigned,
        E::UnknownIssuer => Untrusted::UnknownIssuer {
            issuer: chain.last_issuer(),
        },
        E::ExpiredContext { not_after, .. } => Untrusted::Expired {
            at: certificate::timestamp(not_after.as_secs()),
            issuer: chain.issuer(),
            above: chain.above_expiring_at(not_after.as_secs()),
        },
        E::Expired => Untrusted::Expired {
            at: None,
            issuer: None,
            above: None,
        },
        E::NotValidYetContext { not_before, .. } => Untrusted::NotValidYet {
            from: certificate::timestamp(not_before.as_secs()),
        },
        E::NotValidYet => Untrusted::NotValidYet { from: None },
        E::NotValidForName | E::NotValidForNameContext { .. } => Untrusted::WrongHost {
            hosts: chain.hosts(),
        },
        E::Revoked => Untrusted::Revoked,
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => Untrusted::NotForServers,
        E::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => Untrusted::Algorithm {
            algorithm: certificate::algorithm(signature_algorithm_id),
        },
        E::UnsupportedSignatureAlgorithmForPublicKeyContext {
            public_key_algorithm_id,
            ..
        } => Untrusted::Algorithm {
            algorithm: certificate::algorithm(public_key_algorithm_id),
        },
        E::BadSignature => match chain.short_rsa_key() {
            Some(bits) => Untrusted::ShortKey { bits },
            None => Untrusted::OtherKey {
                issuer: chain.last_issuer(),
            },
        },
        _ if chain.is_ca() => Untrusted::CaCertificate,
        _ => Untrusted::Unusable,
    }
}

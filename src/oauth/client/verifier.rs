//! Verifies certificates as the TLS library does, and keeps what becomes known in one handshake: why a certificate was refused,
//! and whether the server asked for one. The library's errors tell neither.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
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

use super::{error::Untrusted, intermediates};
use crate::{
    lock::lock,
    oauth::certificate::{self, Chain},
};

/// The most certificates that a server may send besides its own. The TLS library copies them for each session ticket, of which a server
/// may send any number: thousands of tiny certificates would keep this process from everything else.
const MOST_INTERMEDIATES: usize = 100;

/// A verifier for one handshake at a time.
#[derive(Debug)]
pub(in crate::oauth) struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    /// The certificate of the client, if it has one.
    certified: Option<Certified>,
    facts: Mutex<Facts>,
}

/// A certificate with its key, which is not shown.
struct Certified(Arc<CertifiedKey>);

/// The facts of one handshake.
#[derive(Debug, Default)]
struct Facts {
    refused: Option<Untrusted>,
    certificate: OfClient,
    response_began: bool,
    /// A full handshake of TLS 1.3 has a signature of its own.
    is_tls13: bool,
}

/// The client's certificate as the server has treated it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OfClient {
    #[default]
    NotWanted,
    Wanted,
    Sent,
}

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
            facts: Mutex::default(),
        }
    }

    /// Forgets the last handshake before the next one.
    pub(super) fn begin(&self) {
        *self.facts() = Facts::default();
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }

    /// Why the certificate was refused, if it was.
    pub(in crate::oauth) fn refused(&self) -> Option<Untrusted> {
        self.facts().refused.clone()
    }

    /// Returns whether the server got a client certificate.
    pub(super) fn certificate_sent(&self) -> bool {
        self.facts().certificate == OfClient::Sent
    }

    /// Returns whether a byte of the response has arrived.
    pub(super) fn response_began(&self) -> bool {
        self.facts().response_began
    }

    /// Returns whether the server may still end the handshake after the request was sent, because of a certificate that it asked for: in
    /// TLS 1.2 it has ended by then, and in a resumed session it asks for none.
    pub(super) fn may_end_late(&self) -> bool {
        self.facts().is_tls13
    }

    pub(super) fn response_begins(&self) {
        self.facts().response_began = true;
    }

    /// Returns whether the server asked for a client certificate.
    pub(super) fn certificate_wanted(&self) -> bool {
        self.facts().certificate != OfClient::NotWanted
    }

    fn keep<T>(
        &self,
        verified: Result<T, Error>,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<T, Error> {
        if let Err(Error::InvalidCertificate(error)) = &verified {
            let chain = Chain::of(certificate, intermediates);
            self.facts().refused = Some(untrusted(error, &chain));
        }
        verified
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if sent.len() > MOST_INTERMEDIATES {
            self.facts().refused = Some(Untrusted::TooMany {
                most: MOST_INTERMEDIATES,
            });
            return Err(CertificateError::BadEncoding.into());
        }
        let intermediates = intermediates::to_be_tried(sent);
        let verified = self.inner.verify_server_cert(
            end_entity,
            &intermediates,
            server_name,
            ocsp_response,
            now,
        );
        self.keep(verified, end_entity, &intermediates)
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
        self.facts().is_tls13 = true;
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
        self.facts().certificate = OfClient::Wanted;
        let Certified(certified) = self.certified.as_ref()?;
        certified.key.choose_scheme(schemes)?;
        self.facts().certificate = OfClient::Sent;
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

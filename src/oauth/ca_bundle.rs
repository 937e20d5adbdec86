//! The PEM text of further CA certificates. Reading it is pure, so that a bad bundle is rejected before anything is sent.
//!
//! Bundles are made by concatenation, so one bad block does not spoil the others: it is left out, and reported by its position.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, TrustAnchor},
};
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_cert::{Certificate, der::Decode};

use super::certificate::timestamp;

use crate::api::SystemRoots;

/// The error of [`CaCertificates::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum CaBundleError {
    #[error("the CA bundle holds no PEM certificate")]
    NoCertificate,
    #[error("the CA bundle holds no usable certificate: {0}")]
    AllLeftOut(LeftOut),
    #[error("the CA bundle has more than {} KiB", LARGEST / 1024)]
    TooLarge,
    #[error("the names and keys in the CA bundle take more than {} KiB", MOST_KEPT / 1024)]
    TooMuchKept,
}

/// The most bytes of a PEM text.
pub(crate) const LARGEST: usize = 768 * 1024;
/// The most bytes that are kept of it, in memory during an exchange: the names and keys of 300 certificates with large keys, or of
/// the certificates of a system twice.
pub(crate) const MOST_KEPT: usize = 192 * 1024;

/// The CA certificates that a request trusts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrustedCa {
    /// The certificates. Exchanges with the same bundle share them.
    pub certificates: Arc<CaCertificates>,
    /// The use of the system's CA certificates.
    pub system_roots: SystemRoots,
}

impl TrustedCa {
    /// Trusts the certificates of a PEM text besides the system's.
    ///
    /// # Errors
    /// The error of [`CaCertificates::read`].
    pub fn besides_system(pem: impl AsRef<[u8]>) -> Result<Self, CaBundleError> {
        Ok(Self {
            certificates: Arc::new(CaCertificates::read(pem.as_ref())?),
            system_roots: SystemRoots::Keep,
        })
    }
}

/// The usable certificates of a PEM text.
#[derive(Debug)]
pub struct CaCertificates {
    /// Only what a verification needs.
    roots: Arc<RootCertStore>,
    hash: [u8; 32],
    left_out: Option<LeftOut>,
    first_to_expire: Option<Expiry>,
}

/// The first block of a PEM text that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    at: Position,
    flaw: BlockFlaw,
    /// How many others were left out.
    more: usize,
}

/// A block of a PEM text. Both numbers begin at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    block: usize,
    line: usize,
}

/// The end of a certificate's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The certificate.
    pub certificate: Position,
    /// The last moment at which it is valid.
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
enum BlockFlaw {
    #[error("has no END line")]
    NotClosed,
    #[error("is not base64")]
    NotBase64,
    #[error("is not a certificate that can be used")]
    NotCertificate,
    #[error("is a TRUSTED CERTIFICATE of OpenSSL: convert it with `openssl x509`")]
    Trusted,
    #[error("is a private key: remove it from the bundle, and replace it if others could read it")]
    PrivateKey,
}

impl CaCertificates {
    /// The certificates of a PEM text. Text between blocks and blocks of other kinds are skipped. A certificate that cannot be read
    /// is left out.
    ///
    /// # Errors
    /// If no certificate can be used, or the text is too large.
    pub fn read(pem: &[u8]) -> Result<Self, CaBundleError> {
        if pem.len() > LARGEST {
            return Err(CaBundleError::TooLarge);
        }
        let mut roots = RootCertStore::empty();
        let mut hash = Sha256::new();
        let mut left_out: Option<LeftOut> = None;
        let mut first_to_expire: Option<Expiry> = None;
        for block in blocks(pem) {
            match block.certificate() {
                Ok(None) => {}
                Ok(Some(der)) if roots.add(der.clone()).is_ok() => {
                    hash.update(&der);
                    if let Some(at) = expiry(&der)
                        && first_to_expire.is_none_or(|first| at < first.at)
                    {
                        let certificate = block.at;
                        first_to_expire = Some(Expiry { certificate, at });
                    }
                }
                not_usable => match &mut left_out {
                    Some(left_out) => left_out.more += 1,
                    None => {
                        left_out = Some(LeftOut {
                            at: block.at,
                            flaw: not_usable.err().unwrap_or(BlockFlaw::NotCertificate),
                            more: 0,
                        });
                    }
                },
            }
        }
        if roots.is_empty() {
            return Err(left_out.map_or(CaBundleError::NoCertificate, CaBundleError::AllLeftOut));
        }
        if roots.roots.iter().map(kept).sum::<usize>() > MOST_KEPT {
            return Err(CaBundleError::TooMuchKept);
        }
        Ok(Self {
            roots: Arc::new(roots),
            hash: hash.finalize().into(),
            left_out,
            first_to_expire,
        })
    }

    /// The certificates as trust anchors.
    #[must_use]
    pub fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    /// A hash of the certificates, which are public, and of nothing else: a spec may name the key of a secret.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The parts that could not be used, if any.
    #[must_use]
    pub fn left_out(&self) -> Option<LeftOut> {
        self.left_out
    }

    /// The certificate that expires first.
    #[must_use]
    pub fn first_to_expire(&self) -> Option<Expiry> {
        self.first_to_expire
    }
}

impl PartialEq for CaCertificates {
    fn eq(&self, other: &Self) -> bool {
        let flaws = |of: &Self| (of.left_out, of.first_to_expire);
        self.hash == other.hash && flaws(self) == flaws(other)
    }
}

impl Eq for CaCertificates {}

/// The bytes of a trust anchor.
fn kept(anchor: &TrustAnchor<'_>) -> usize {
    let constraints = anchor.name_constraints.as_ref();
    anchor.subject.len()
        + anchor.subject_public_key_info.len()
        + constraints.map_or(0, |der| der.len())
}

impl Hash for CaCertificates {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {} (line {})", self.block, self.line)
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.more {
            0 => write!(f, "{} {}", self.at, self.flaw),
            more => write!(f, "{} {} (and {more} more left out)", self.at, self.flaw),
        }
    }
}

/// One block: its label, and the text between its first and its last line.
struct Block<'a> {
    at: Position,
    label: &'a [u8],
    /// `None`: it has no last line.
    body: Option<&'a [u8]>,
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The blocks of a PEM text. Files that are joined without a newline, a byte order mark, line ends of any kind and indented
/// blocks are read like others: only the marks count, not where they stand in a line.
fn blocks(pem: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = pem;
    let (mut block, mut line) = (0, 1);
    std::iter::from_fn(move || {
        let start = find(rest, BEGIN)?;
        line += lines(&rest[..start]);
        let inner = &rest[start + BEGIN.len()..];
        // A label has no newline.
        let label_end = find(inner, DASHES).filter(|end| lines(&inner[..*end]) == 0);
        let (label, inner) = match label_end {
            Some(end) => (&inner[..end], &inner[end + DASHES.len()..]),
            None => (&inner[..0], inner),
        };
        let next = find(inner, BEGIN).unwrap_or(inner.len());
        let end = find(&inner[..next], END);
        block += 1;
        let found = Block {
            at: Position { block, line },
            label,
            body: end.map(|end| &inner[..end]),
        };
        line += lines(&inner[..end.unwrap_or(next)]);
        rest = &inner[end.unwrap_or(next)..];
        Some(found)
    })
}

impl Block<'_> {
    /// `None`: it is of another kind.
    fn certificate(&self) -> Result<Option<CertificateDer<'static>>, BlockFlaw> {
        match self.label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {}
            b"TRUSTED CERTIFICATE" => return Err(BlockFlaw::Trusted),
            label if label.ends_with(b"PRIVATE KEY") => return Err(BlockFlaw::PrivateKey),
            _ => return Ok(None),
        }
        let body = self.body.ok_or(BlockFlaw::NotClosed)?;
        let text: Vec<_> = body
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let der = STANDARD.decode(text).map_err(|_| BlockFlaw::NotBase64)?;
        Ok(Some(der.into()))
    }
}

fn expiry(der: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = Certificate::from_der(der).ok()?;
    let validity = certificate.tbs_certificate().validity();
    timestamp(validity.not_after.to_unix_duration().as_secs())
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

#[cfg(test)]
mod tests;

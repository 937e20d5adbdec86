//! The PEM text of further CA certificates. Reading it is pure, so that a bad bundle is rejected before anything is sent.

use rustls::pki_types::{CertificateDer, pem::PemObject};
use thiserror::Error;

use crate::api::SystemRoots;

/// The error of [`read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum CaBundleError {
    #[error("the CA bundle holds no PEM certificate")]
    NoCertificate,
    #[error("the CA bundle is not valid PEM")]
    NotPem,
    #[error("the CA bundle has more than {} KiB", LARGEST / 1024)]
    TooLarge,
}

/// The most bytes of a PEM text. It is what a bundle of forty certificates takes; what is read of it stays in memory.
pub(crate) const LARGEST: usize = 64 * 1024;

/// The CA certificates that a request trusts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrustedCa {
    /// The certificates, as [`read`] reads them.
    pub pem: String,
    /// Whether the system's are trusted too.
    pub system_roots: SystemRoots,
}

impl TrustedCa {
    /// Trusts the certificates of a PEM text besides the system's.
    #[must_use]
    pub fn besides_system(pem: impl Into<String>) -> Self {
        Self {
            pem: pem.into(),
            system_roots: SystemRoots::Keep,
        }
    }
}

/// The certificates of a PEM text. Blocks of other kinds and text between blocks are skipped.
///
/// # Errors
/// If it holds no certificate or a block that cannot be read, or is too large.
pub fn read(pem: &str) -> Result<Vec<CertificateDer<'static>>, CaBundleError> {
    if pem.len() > LARGEST {
        return Err(CaBundleError::TooLarge);
    }
    let roots = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| CaBundleError::NotPem)?;
    if roots.is_empty() {
        return Err(CaBundleError::NoCertificate);
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_bundle_is_one_or_more_certificates_with_any_text_between() {
        for (pem, read_as) in [
            (ONE.to_owned(), Ok(1)),
            (format!("# ours\n{ONE}and\n{KEY}{ONE}"), Ok(2)),
            (String::new(), Err(CaBundleError::NoCertificate)),
            ("not PEM".to_owned(), Err(CaBundleError::NoCertificate)),
            (KEY.to_owned(), Err(CaBundleError::NoCertificate)),
            (ONE.replace("MAA=", "?"), Err(CaBundleError::NotPem)),
            (ONE.to_owned() + &" ".repeat(LARGEST - ONE.len()), Ok(1)),
            (
                ONE.to_owned() + &" ".repeat(LARGEST - ONE.len() + 1),
                Err(CaBundleError::TooLarge),
            ),
            (
                format!("{ONE}-----BEGIN CERTIFICATE-----\nMAA="),
                Err(CaBundleError::NotPem),
            ),
        ] {
            assert_eq!(read(&pem).map(|roots| roots.len()), read_as, "{pem}");
        }
    }
}

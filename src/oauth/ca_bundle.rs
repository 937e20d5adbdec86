//! The PEM text of further CA certificates. Reading it is pure, so that a bundle is refused before anything is sent.

use rustls::pki_types::{CertificateDer, pem::PemObject};
use thiserror::Error;

/// Why a PEM text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum CaBundleError {
    #[error("the CA bundle holds no PEM certificate")]
    NoCertificate,
    #[error("the CA bundle is not valid PEM")]
    NotPem,
}

/// The certificates of a PEM text. Blocks of other kinds and text between blocks are skipped.
///
/// # Errors
/// If it holds no certificate, or a block that cannot be read.
pub fn read(pem: &str) -> Result<Vec<CertificateDer<'static>>, CaBundleError> {
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
            (
                format!("{ONE}-----BEGIN CERTIFICATE-----\nMAA="),
                Err(CaBundleError::NotPem),
            ),
        ] {
            assert_eq!(read(&pem).map(|roots| roots.len()), read_as, "{pem}");
        }
    }
}

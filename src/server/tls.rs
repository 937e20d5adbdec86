//! The certificate of the metrics port. It is read again whenever its files have changed, because issuers renew it in place.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rustls::{
    ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::lock::lock;

/// The files of a mounted Secret of type `kubernetes.io/tls`.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// A certificate and its key, as a mounted Secret holds them.
#[derive(Debug)]
pub(crate) struct Certificate {
    directory: PathBuf,
    loaded: Mutex<Option<Loaded>>,
}

/// A certificate that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CertificateError {
    #[error("cannot read {file}: {error}")]
    Unreadable { file: String, error: io::Error },
    #[error("{file} is not valid PEM: {error}")]
    NotPem { file: String, error: pem::Error },
    #[error("{KEY} does not fit {CERTIFICATE}: {0}")]
    Unusable(#[from] rustls::Error),
}

#[derive(Clone, Debug)]
struct Loaded {
    /// The hash of the files that it was made from.
    files: [u8; 32],
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// The certificate in this directory.
    ///
    /// # Errors
    /// If a file is missing or cannot be used.
    pub(crate) fn open(directory: PathBuf) -> Result<Self, CertificateError> {
        let certificate = Self {
            directory,
            loaded: Mutex::default(),
        };
        certificate.current()?;
        Ok(certificate)
    }

    /// The TLS configuration with the certificate as it is now. A certificate that was replaced by one that cannot be used stays
    /// in use.
    pub(super) fn current(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let mut loaded = lock(&self.loaded);
        let before = loaded.take();
        let current = match (load(&self.directory, before.as_ref()), before) {
            (Err(_), Some(before)) => before,
            (current, _) => current?,
        };
        Ok(Arc::clone(&loaded.insert(current).config))
    }
}

fn load(directory: &Path, before: Option<&Loaded>) -> Result<Loaded, CertificateError> {
    let certificate = read(directory, CERTIFICATE)?;
    let key = SecretSlice::from(read(directory, KEY)?);
    let files = Sha256::new()
        .chain_update(&certificate)
        .chain_update(key.expose_secret())
        .finalize()
        .into();
    if let Some(before) = before.filter(|before| before.files == files) {
        return Ok(before.clone());
    }
    let not_pem = |file: &str| {
        let file = file.to_owned();
        |error| CertificateError::NotPem { file, error }
    };
    let chain = CertificateDer::pem_slice_iter(&certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(not_pem(CERTIFICATE))?;
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret()).map_err(not_pem(KEY))?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Loaded {
        files,
        config: Arc::new(config),
    })
}

fn read(directory: &Path, name: &str) -> Result<Vec<u8>, CertificateError> {
    let path = directory.join(name);
    let file = path.display().to_string();
    fs::read(path).map_err(|error| CertificateError::Unreadable { file, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, names: &str) -> String {
        let made = rcgen::generate_simple_self_signed([names.to_owned()]).unwrap();
        fs::write(directory.join(CERTIFICATE), made.cert.pem()).unwrap();
        fs::write(directory.join(KEY), made.signing_key.serialize_pem()).unwrap();
        made.cert.pem()
    }

    #[test]
    fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let directory = std::env::temp_dir().join(format!("tls-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&directory).unwrap();
        let missing = Certificate::open(directory.clone()).unwrap_err();
        assert!(missing.to_string().contains("tls.crt"), "{missing}");

        write(&directory, "one.example.com");
        let certificate = Certificate::open(directory.clone()).unwrap();
        let one = certificate.current().unwrap();
        assert!(Arc::ptr_eq(&one, &certificate.current().unwrap()));

        write(&directory, "two.example.com");
        let two = certificate.current().unwrap();
        assert!(!Arc::ptr_eq(&one, &two));

        fs::write(directory.join(KEY), "half a file").unwrap();
        assert!(Arc::ptr_eq(&two, &certificate.current().unwrap()));
        fs::remove_dir_all(directory).unwrap();
    }
}

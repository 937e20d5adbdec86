//! The CA bundles that are in use. Credentials with the same bundle share its certificates: their exchanges may hang at the same
//! time, and a bundle may be large.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use sha2::{Digest, Sha256};

use crate::{lock::lock, oauth::ca_bundle::CaCertificates, reconcile::CaBundle};

/// The certificates in use, by the hash of their PEM text.
#[derive(Debug, Default)]
pub(crate) struct CaBundles(Mutex<HashMap<[u8; 32], Weak<CaCertificates>>>);

impl CaBundles {
    /// Reads a PEM text, unless its certificates are in use already.
    pub(super) fn read(&self, pem: &[u8]) -> CaBundle {
        let hash = Sha256::digest(pem).into();
        let known = lock(&self.0).get(&hash).and_then(Weak::upgrade);
        if let Some(known) = known {
            return CaBundle::Read(known);
        }
        let bundle = CaBundle::of(pem);
        if let CaBundle::Read(read) = &bundle {
            let mut in_use = lock(&self.0);
            in_use.retain(|_, bundle| bundle.strong_count() > 0);
            in_use.insert(hash, Arc::downgrade(read));
        }
        bundle
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate() -> String {
        let key = KeyPair::generate().unwrap();
        CertificateParams::default()
            .self_signed(&key)
            .unwrap()
            .pem()
    }

    fn read(bundles: &CaBundles, pem: &str) -> Arc<CaCertificates> {
        match bundles.read(pem.as_bytes()) {
            CaBundle::Read(read) => read,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn credentials_with_the_same_bundle_share_it_as_long_as_it_is_in_use() {
        let (bundles, one, two) = (CaBundles::default(), certificate(), certificate());
        let first = read(&bundles, &one);
        assert!(Arc::ptr_eq(&first, &read(&bundles, &one)));
        let second = read(&bundles, &two);
        assert!(!Arc::ptr_eq(&first, &second));
        drop((first, second));
        drop(read(&bundles, &one));
        assert_eq!(lock(&bundles.0).len(), 1, "the others are forgotten");
    }
}

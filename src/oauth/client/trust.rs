//! The verifiers of certificates. The system's CA certificates are read once for all of them, and a CA bundle once for all
//! exchanges that trust it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustls::{RootCertStore, client::WebPkiServerVerifier, crypto::CryptoProvider};
use sha2::{Digest, Sha256};

use super::error::NetworkError;
use crate::{api::SystemRoots, lock::lock, oauth::ca_bundle::TrustedCa};

/// How long the system's CA certificates are used before they are read again: they may be a mounted ConfigMap that changes.
const SYSTEM_ROOTS_LAST: Duration = Duration::from_secs(600);
/// The most CA bundles whose verifier is kept. Anybody who may create a `CubeCredential` can name another bundle, so there must be
/// an end; a bundle beyond it is read again.
const MOST_BUNDLES: usize = 16;

/// The verifiers of certificates, shared by all exchanges of a process.
#[derive(Clone, Debug, Default)]
pub(in crate::oauth) struct Trust(Arc<Mutex<Verifiers>>);

#[derive(Debug, Default)]
struct Verifiers {
    system: Option<System>,
    /// By the hash of the bundle, the last used one at the end.
    of_bundles: VecDeque<([u8; 32], Arc<WebPkiServerVerifier>)>,
}

#[derive(Debug)]
struct System {
    roots: Arc<RootCertStore>,
    read_at: Instant,
}

impl Trust {
    /// A verifier that trusts these CA certificates; `None`: the system's.
    ///
    /// # Errors
    /// If there is no CA certificate at all.
    pub(in crate::oauth) fn verifier(
        &self,
        trusted: Option<&TrustedCa>,
    ) -> Result<Arc<WebPkiServerVerifier>, NetworkError> {
        lock(&self.0).verifier(trusted, monotonic())
    }
}

impl Verifiers {
    fn verifier(
        &mut self,
        trusted: Option<&TrustedCa>,
        now: Instant,
    ) -> Result<Arc<WebPkiServerVerifier>, NetworkError> {
        let is_fresh = |system: &System| now.duration_since(system.read_at) < SYSTEM_ROOTS_LAST;
        if !self.system.as_ref().is_some_and(is_fresh) {
            *self = Self::default();
        }
        let key = key(trusted);
        if let Some(at) = self.of_bundles.iter().position(|(known, _)| *known == key)
            && let Some(known) = self.of_bundles.remove(at)
        {
            let verifier = known.1.clone();
            self.of_bundles.push_back(known);
            return Ok(verifier);
        }
        let verifier = verifier(self.roots(trusted, now))?;
        if self.of_bundles.len() == MOST_BUNDLES {
            self.of_bundles.pop_front();
        }
        self.of_bundles.push_back((key, verifier.clone()));
        Ok(verifier)
    }

    fn roots(&mut self, trusted: Option<&TrustedCa>, now: Instant) -> Arc<RootCertStore> {
        let read = || System {
            roots: Arc::new(system_roots()),
            read_at: now,
        };
        let system = &self.system.get_or_insert_with(read).roots;
        let Some(trusted) = trusted else {
            return Arc::clone(system);
        };
        let mut roots = match trusted.system_roots {
            SystemRoots::Keep => RootCertStore::clone(system),
            SystemRoots::Replace => RootCertStore::empty(),
        };
        roots.extend(trusted.certificates.roots().iter().cloned());
        Arc::new(roots)
    }
}

fn verifier(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>, NetworkError> {
    let provider = CryptoProvider::get_default().expect("main installs one");
    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|_| NetworkError::NoTlsClient)
}

/// Certificates of the system that cannot be read are left out, as other programs do.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a CA certificate of the system cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    roots
}

fn key(trusted: Option<&TrustedCa>) -> [u8; 32] {
    let mut hash = Sha256::new();
    if let Some(trusted) = trusted {
        hash.update([1, u8::from(trusted.system_roots == SystemRoots::Replace)]);
        hash.update(trusted.certificates.hash());
    }
    hash.finalize().into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "it measures how long the system's certificates have been in use"
)]
fn monotonic() -> Instant {
    Instant::now()
}

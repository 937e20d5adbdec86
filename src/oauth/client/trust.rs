//! The parts of a TLS handshake that do not change between exchanges. The system's CA certificates are read once for all of them,
//! and a CA bundle once for all exchanges that trust it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier},
    crypto::CryptoProvider,
};
use sha2::{Digest, Sha256};

use super::error::NetworkError;
use crate::{api::SystemRoots, lock::lock, oauth::ca_bundle::TrustedCa};

/// How long the system's CA certificates are used before they are read again: they may be a mounted ConfigMap that changes.
const SYSTEM_ROOTS_LAST: Duration = Duration::from_secs(600);
/// The same if there are none, as in a mounted ConfigMap that is being replaced.
const NO_ROOTS_LAST: Duration = Duration::from_secs(10);
/// The most CA bundles that are kept. Anybody who may create a `CubeCredential` can name another bundle, so there must be an end;
/// a bundle beyond it is read again.
const MOST_BUNDLES: usize = 16;

/// The trust of exchanges, shared by all exchanges of a process.
#[derive(Clone, Debug, Default)]
pub(in crate::oauth) struct Trust(Arc<Mutex<Kept>>);

/// The parts that the exchanges with one CA bundle share.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Trusted {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    /// A configuration with this verifier, which is copied for each handshake: making one allocates a cache of sessions.
    pub(super) config: ClientConfig,
}

#[derive(Debug, Default)]
struct Kept {
    system: Option<System>,
    /// By the hash of the bundle, the last used one at the end.
    of_bundles: VecDeque<([u8; 32], Arc<Trusted>)>,
}

#[derive(Debug)]
struct System {
    roots: Arc<RootCertStore>,
    read_at: Instant,
}

impl Trust {
    /// The trust of an exchange with these CA certificates; `None`: the system's.
    ///
    /// # Errors
    /// If there is no CA certificate at all.
    pub(in crate::oauth) fn of(
        &self,
        trusted: Option<&TrustedCa>,
    ) -> Result<Arc<Trusted>, NetworkError> {
        lock(&self.0).of(trusted, monotonic())
    }
}

impl Kept {
    fn of(
        &mut self,
        trusted: Option<&TrustedCa>,
        now: Instant,
    ) -> Result<Arc<Trusted>, NetworkError> {
        let system = self.system.as_ref();
        if !system.is_some_and(|system| system.is_fresh(now)) {
            *self = Self::default();
        }
        let key = key(trusted);
        if let Some(at) = self.of_bundles.iter().position(|(known, _)| *known == key)
            && let Some(known) = self.of_bundles.remove(at)
        {
            let of_bundle = known.1.clone();
            self.of_bundles.push_back(known);
            return Ok(of_bundle);
        }
        let of_bundle = Arc::new(Trusted::new(self.roots(trusted, now))?);
        if self.of_bundles.len() == MOST_BUNDLES {
            self.of_bundles.pop_front();
        }
        self.of_bundles.push_back((key, of_bundle.clone()));
        Ok(of_bundle)
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
        let own = trusted.certificates.roots();
        if trusted.system_roots == SystemRoots::Replace {
            return Arc::clone(own);
        }
        let mut roots = RootCertStore::clone(system);
        roots.extend(own.roots.iter().cloned());
        Arc::new(roots)
    }
}

impl System {
    fn is_fresh(&self, now: Instant) -> bool {
        let lasts = if self.roots.is_empty() {
            NO_ROOTS_LAST
        } else {
            SYSTEM_ROOTS_LAST
        };
        now.duration_since(self.read_at) < lasts
    }
}

impl Trusted {
    fn new(roots: Arc<RootCertStore>) -> Result<Self, NetworkError> {
        let provider = CryptoProvider::get_default().expect("main installs one");
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|_| NetworkError::NoTlsClient)?;
        let mut config = ClientConfig::builder()
            .with_webpki_verifier(Arc::clone(&verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Those handshakes that may resume a session have a store of their own.
        config.resumption = Resumption::disabled();
        Ok(Self { verifier, config })
    }
}

/// Certificates of the system that cannot be read are left out, as other programs do.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "failed to read a CA certificate of the system");
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A session ends with the certificates that it trusts, so this is the longest that one can last.
    #[test]
    fn the_systems_certificates_are_read_again_after_ten_minutes_and_every_bundle_with_them() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut kept = Kept::default();
        let bundle = bundle("one");
        let begun = monotonic();
        let first = kept.of(Some(&bundle), begun).unwrap();
        let still = kept
            .of(Some(&bundle), begun + SYSTEM_ROOTS_LAST / 2)
            .unwrap();
        assert!(Arc::ptr_eq(&first, &still));
        let again = kept.of(Some(&bundle), begun + SYSTEM_ROOTS_LAST).unwrap();
        assert!(!Arc::ptr_eq(&first, &again));
    }

    #[test]
    fn certificates_of_the_system_that_are_missing_are_soon_looked_for_again() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let begun = monotonic();
        let mut kept = Kept {
            system: Some(System {
                roots: Arc::new(RootCertStore::empty()),
                read_at: begun,
            }),
            ..Kept::default()
        };
        assert!(kept.of(None, begun + NO_ROOTS_LAST / 2).is_err());
        kept.of(Some(&bundle("one")), begun + NO_ROOTS_LAST)
            .unwrap();
        assert_eq!(kept.system.unwrap().read_at, begun + NO_ROOTS_LAST);
    }

    fn bundle(name: &str) -> TrustedCa {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        TrustedCa::besides_system(params.self_signed(&key).unwrap().pem()).unwrap()
    }

    #[test]
    fn exchanges_with_the_same_bundle_share_what_they_trust() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let trust = Trust::default();
        let of = |bundle: &TrustedCa| trust.of(Some(bundle)).unwrap();
        let (one, other) = (bundle("one"), bundle("other"));
        let replacing = TrustedCa {
            system_roots: SystemRoots::Replace,
            ..one.clone()
        };
        let first = of(&one);
        let roots = lock(&trust.0).system.as_ref().unwrap().roots.clone();
        assert!(Arc::ptr_eq(&first, &of(&one)));
        assert!(!Arc::ptr_eq(&first, &of(&other)));
        assert!(!Arc::ptr_eq(&first, &of(&replacing)));
        for number in 0..MOST_BUNDLES {
            of(&bundle(&number.to_string()));
        }
        assert!(!Arc::ptr_eq(&first, &of(&one)), "there is an end");
        let kept = lock(&trust.0);
        assert_eq!(kept.of_bundles.len(), MOST_BUNDLES);
        let still = &kept.system.as_ref().unwrap().roots;
        assert!(Arc::ptr_eq(&roots, still), "the system's are read once");
    }
}

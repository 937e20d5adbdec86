//! A certificate authority of a test, and its certificates.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SignatureAlgorithm,
};
use rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion, WantsVerifier,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientCertVerifierBuilder, WebPkiClientVerifier, danger::ClientCertVerifier},
};

/// A certificate authority that nobody trusts yet.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, |_| {})
    }

    /// One whose certificate is changed before it is signed.
    pub(crate) fn with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::of_kind(name, &rcgen::PKCS_ECDSA_P256_SHA256, change)
    }

    /// One that signs with this algorithm.
    pub(crate) fn signing(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        Self::of_kind(name, algorithm, |_| {})
    }

    fn of_kind(
        name: &str,
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let mut params = params_of(name);
        change(&mut params);
        let key = KeyPair::generate_for(algorithm).unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// One whose certificate this one signs.
    pub(crate) fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = params_of(name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    /// A second certificate of it, which another one signs.
    pub(crate) fn vouched_for_by(&self, other: &Self, name: &str) -> CertificateDer<'static> {
        let certificate = params_of(name).signed_by(self.0.key(), &other.0);
        certificate.unwrap().der().clone()
    }

    /// Its own certificate.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// Verifies the certificates of clients that it has issued.
    fn of_clients(&self) -> ClientCertVerifierBuilder {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
    }

    /// The CA bundle that trusts it.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names and addresses.
    pub(crate) fn certificate(&self, names: &[&str]) -> Certificate {
        self.certificate_with(names, |_| {})
    }

    /// A certificate that is changed before it is signed, for example an expired one.
    pub(crate) fn certificate_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        self.certificate_of(names, &rcgen::PKCS_ECDSA_P256_SHA256, change)
    }

    /// A certificate whose key is for this algorithm.
    pub(crate) fn certificate_of(
        &self,
        names: &[&str],
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate_for(algorithm).unwrap();
        let signed = params.signed_by(&key, &self.0).unwrap();
        Certificate {
            chain: vec![signed.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }
}

fn params_of(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// A certificate, perhaps with others of its chain, and its key.
pub(crate) struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// What this kind of authority cannot make is kept in files.
    pub(crate) fn read(chain: &[u8], key: &[u8]) -> Self {
        let chain = CertificateDer::pem_slice_iter(chain).map(Result::unwrap);
        Self {
            chain: chain.collect(),
            key: PrivateKeyDer::from_pem_slice(key).unwrap(),
        }
    }

    /// One that no authority has signed.
    pub(crate) fn self_signed(names: &[&str]) -> Self {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "itself");
        Self {
            chain: vec![params.self_signed(&key).unwrap().der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    /// The same with the certificate of an intermediate authority.
    pub(crate) fn followed_by(mut self, authority: &Authority) -> Self {
        self.chain.push(authority.0.der().clone());
        self
    }

    /// With further certificates, or whatever stands in their place.
    pub(crate) fn followed_by_all(
        mut self,
        others: impl Iterator<Item = CertificateDer<'static>>,
    ) -> Self {
        self.chain.extend(others);
        self
    }

    /// The CA bundle that trusts it.
    pub(crate) fn pem(&self) -> String {
        let text = STANDARD.encode(&self.chain[0]);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// Its private key (PKCS#8).
    #[allow(dead_code, reason = "not every test has a client with a certificate")]
    pub(crate) fn key_pem(&self) -> String {
        let text = STANDARD.encode(self.key.secret_der());
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    }

    /// The configuration of a server with these versions of TLS.
    pub(crate) fn config(&self, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        Self::builder(versions)
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap()
    }

    /// The same for a server that may want a certificate of a client.
    fn config_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        verifier: Arc<dyn ClientCertVerifier>,
    ) -> ServerConfig {
        Self::builder(versions)
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap()
    }

    /// The same for a server that wants a certificate of a client, issued by `clients`.
    pub(crate) fn config_for_clients(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        clients: &Authority,
    ) -> ServerConfig {
        self.config_with(versions, clients.of_clients().build().unwrap())
    }

    /// The same for a server that asks for a client certificate, and goes on without one: its HTTP server refuses.
    pub(crate) fn config_that_asks_clients(&self, clients: &Authority) -> ServerConfig {
        let verifier = clients.of_clients().allow_unauthenticated();
        self.config_with(rustls::DEFAULT_VERSIONS, verifier.build().unwrap())
    }

    fn builder(
        versions: &[&'static SupportedProtocolVersion],
    ) -> ConfigBuilder<ServerConfig, WantsVerifier> {
        ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_protocol_versions(versions)
            .unwrap()
    }
}

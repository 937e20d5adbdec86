//! The first steps of each program of this package.

#[cfg(unix)]
use std::io;

#[cfg(target_os = "linux")]
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, setrlimit};
use rustls::{
    CipherSuite,
    crypto::{CryptoProvider, aws_lc_rs},
};

/// Protects the memory of this process, and chooses the cryptography of its TLS clients.
///
/// # Errors
/// If the operating system refuses.
pub fn prepare() -> Result<(), String> {
    #[cfg(unix)]
    keep_memory_private()
        .map_err(|error| format!("failed to protect the memory of this process: {error}"))?;
    // Two TLS clients share it; without one they panic instead of returning an error.
    cryptography()
        .install_default()
        .expect("nothing installed a provider before");
    Ok(())
}

/// The library's choice, but in TLS 1.3 AES-128 comes before AES-256, as in browsers and Go: both are beyond attack, and its handshakes
/// hash with SHA-256, for which processors have instructions.
fn cryptography() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider
        .cipher_suites
        .sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}

/// The memory of this process holds tokens: it becomes no core file, and no other process of its user may read it. Windows writes
/// none unless its administrator asks for them.
#[cfg(unix)]
fn keep_memory_private() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    #[cfg(target_os = "linux")]
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aes_128_comes_first_and_no_cipher_is_lost() {
        let suites = |provider: CryptoProvider| -> Vec<_> {
            let suites = provider.cipher_suites.iter();
            suites.map(rustls::SupportedCipherSuite::suite).collect()
        };
        let [mut ours, mut all] = [cryptography(), aws_lc_rs::default_provider()].map(suites);
        assert_eq!(ours[0], CipherSuite::TLS13_AES_128_GCM_SHA256);
        assert_eq!(ours[1], CipherSuite::TLS13_AES_256_GCM_SHA384);
        ours.sort_by_key(|suite| u16::from(*suite));
        all.sort_by_key(|suite| u16::from(*suite));
        assert_eq!(ours, all);
    }
}

//! The first steps of each program of this package.

#[cfg(unix)]
use std::io;

#[cfg(target_os = "linux")]
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, setrlimit};

/// Protects the memory of this process, and chooses the cryptography of its TLS clients.
///
/// # Errors
/// If the operating system refuses.
pub fn prepare() -> Result<(), String> {
    #[cfg(unix)]
    keep_memory_private()
        .map_err(|error| format!("failed to protect the memory of this process: {error}"))?;
    // Two TLS clients share it; without one they panic instead of returning an error.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing installed a provider before");
    Ok(())
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

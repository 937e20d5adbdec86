//! The control plane and the token servers: processes of `tests/environment.py` that end with their standard input.

// The paths are written out, so that other crates of tests can include this file.
#[path = "environment/control_plane.rs"]
mod control_plane;
#[path = "environment/launcher.rs"]
mod launcher;
#[path = "environment/token_server.rs"]
mod token_server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) use control_plane::ControlPlane;
pub(crate) use token_server::{Refresh, TokenServer, fingerprint};

/// The root of the repository.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A new directory of this run.
pub(crate) fn directory(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-{number}-{name}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

/// A tool that `tests/tools/build.sh` makes.
pub(crate) fn tool(name: &str) -> Command {
    let path = Path::new(ROOT).join("target/tools/bin").join(name);
    assert!(
        path.exists(),
        "{} is missing: run tests/tools/build.sh (make test does)",
        path.display()
    );
    Command::new(path)
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

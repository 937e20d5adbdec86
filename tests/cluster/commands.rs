//! The commands: their output, their exit codes, and the namespaces that the controller watches.

mod check;
mod flags;
mod namespaces;
mod no_cluster;

use std::process::{Command, Output, Stdio};

use crate::operator::eventually;

/// How a command ended: its exit code, standard output and standard error.
pub(crate) type Ended = (Option<i32>, String, String);

/// Runs the program until it ends.
pub(crate) fn run(kubeconfig: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cube-operator"))
        .args(arguments)
        .env("KUBECONFIG", kubeconfig)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        eventually("the command ends", || child.try_wait().unwrap());
    }));
    if end.is_err() {
        child.kill().unwrap();
    }
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ended = (status.code(), text(stdout), text(stderr));
    assert!(end.is_ok(), "{arguments:?} does not end: {ended:?}");
    ended
}

/// A command that failed with one line.
fn failed(line: impl std::fmt::Display) -> Ended {
    (Some(1), String::new(), format!("cube-operator: {line}\n"))
}

/// The output of `check` about the rights in a namespace, or in all.
fn rights(place: &str) -> String {
    format!(
        "✓ may get, list, watch cubecredentials {place}\n\
         ✓ may get, list, watch cubeproviders {place}\n\
         ✓ may patch cubecredentials/status {place}\n\
         ✓ may patch cubeproviders/status {place}\n\
         ✓ may get, list, watch, create, patch, delete secrets {place}\n\
         ✓ may get, list, watch configmaps {place}\n\
         ✓ may create events {place}\n\
         ✓ may list pods {place}\n"
    )
}

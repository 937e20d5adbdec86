//! The commands: their output, their exit codes, and the namespaces that the controller watches.

mod check;
mod flags;
mod namespaces;
mod no_cluster;

use std::{
    io::Read,
    process::{Command, Stdio},
    thread::{self, JoinHandle},
};

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
    // A pipe holds 64 KiB: a command that prints more waits for a reader.
    let outputs = [
        read(child.stdout.take().unwrap()),
        read(child.stderr.take().unwrap()),
    ];
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        eventually("the command ends", || child.try_wait().unwrap());
    }));
    if end.is_err() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let [stdout, stderr] = outputs.map(|output| output.join().unwrap());
    let ended = (status.code(), stdout, stderr);
    assert!(end.is_ok(), "{arguments:?} does not end: {ended:?}");
    ended
}

/// Reads to the end, beside the test.
fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
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

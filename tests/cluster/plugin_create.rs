//! `kubectl cube create` as a process, for a person who has the role `edit` in one namespace, with the policies of the chart.

mod client;
mod existing;
mod grants;
mod issuer;
mod printed;
mod provider_ref;
mod refused;
mod sign_in;

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use crate::{
    commands::Ended,
    operator::eventually,
    place::{CLIENT_SECRET, Place},
    plugin_status::person::Person,
};

/// A place, and a person who creates something there.
struct Scene {
    place: Place,
    person: Person,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let person = Person::with_edit(&place);
        Self { place, person }
    }

    /// The flags for the client of this place, whose secret comes from stdin.
    fn flags(&self) -> Vec<String> {
        let flags = [
            "--client-id",
            &self.place.namespace,
            "--client-secret-file",
            "-",
        ];
        let flags = flags.map(str::to_owned);
        [self.endpoint(), flags.to_vec()].concat()
    }

    fn endpoint(&self) -> Vec<String> {
        let url = &self.place.server.token_url;
        ["--token-url", url, "--ca-bundle", "ConfigMap/authority"]
            .map(str::to_owned)
            .to_vec()
    }

    /// Creates `main` with these flags, and this secret on stdin.
    fn create(&self, flags: &[String], more: &[&str], secret: &str) -> Ended {
        let flags = flags.iter().map(String::as_str);
        let all: Vec<_> = ["create", "main"].into_iter().chain(flags).collect();
        run(&self.person.kubeconfig, &[&all, more].concat(), secret)
    }

    /// Whether neither object exists.
    fn is_empty(&self) -> bool {
        let exists = |kind, name| self.place.get(kind, name).is_some();
        !exists("secret", "main-client") && !exists("cubecredential", "main")
    }
}

fn start(kubeconfig: &str, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kubectl-cube"))
        .args(arguments)
        .env("KUBECONFIG", kubeconfig)
        // Finds no browser, so that none is opened.
        .env("PATH", "/nonexistent")
        .env_remove("BROWSER")
        .env_remove("DISPLAY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the program until it ends. The secret that it reads is nowhere but on its stdin.
fn run(kubeconfig: &str, arguments: &[&str], input: &str) -> Ended {
    let mut child = start(kubeconfig, arguments);
    let stdout = reader(child.stdout.take().unwrap());
    let stderr = reader(child.stderr.take().unwrap());
    for file in ["cmdline", "environ"] {
        // A program that needs no input may have ended already, and has neither file then.
        let seen = fs::read(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert!(!seen.contains(CLIENT_SECRET), "{file}: {seen}");
    }
    // Nobody reads the input of a program that has ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let status = eventually(&format!("{arguments:?} ends"), || child.try_wait().unwrap());
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    assert!(
        !stdout.contains(CLIENT_SECRET) && !stderr.contains(CLIENT_SECRET),
        "the client secret is shown: {stdout}{stderr}"
    );
    (status.code(), stdout, stderr)
}

fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

/// The sentence with which a command failed.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

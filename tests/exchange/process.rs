//! One exchange in its own process with its own environment variables, which cannot be changed safely in this one.

use std::{
    env,
    process::{Command, Stdio},
};

use cube_operator::{
    api::SystemRoots,
    oauth::{authentication::Authentication, ca_bundle::TrustedCa, request::TokenRequest},
};

use crate::{Outcome, billing, direct_or_proxied_client, exchange, request};

/// The text in which the other process reports an outcome.
pub(crate) fn shown(outcome: &Outcome) -> String {
    format!("{outcome:?}")
}

const MARK: &str = "outcome: ";

/// An exchange that is not started yet.
pub(crate) struct Lone {
    command: Command,
}

/// A finished exchange.
pub(crate) struct Made {
    /// The [`shown`] outcome.
    pub(crate) outcome: String,
    /// The whole log of all libraries at the level TRACE.
    pub(crate) log: String,
}

impl Lone {
    pub(crate) fn to(url: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "process::one_exchange",
                "--ignored",
                "--nocapture",
            ])
            .env_clear()
            .env("EXCHANGE_URL", url)
            .stdin(Stdio::null());
        Self { command }
    }

    pub(crate) fn bundle(mut self, pem: Option<String>) -> Self {
        if let Some(pem) = pem {
            self.command.env("EXCHANGE_BUNDLE", pem);
        }
        self
    }

    /// Trusts the bundle alone.
    pub(crate) fn instead_of_system(mut self) -> Self {
        self.command.env("EXCHANGE_REPLACE", "1");
        self
    }

    pub(crate) fn allow(mut self, network: &str) -> Self {
        self.command.env("EXCHANGE_NETWORK", network);
        self
    }

    pub(crate) fn secret(mut self, secret: &str, authentication: &str) -> Self {
        self.command
            .env("EXCHANGE_SECRET", secret)
            .env("EXCHANGE_AUTHENTICATION", authentication);
        self
    }

    pub(crate) fn exchange(mut self, variables: &[(&str, String)]) -> Made {
        let output = self
            .command
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        let outcome = stdout.lines().find_map(|line| line.strip_prefix(MARK));
        Made {
            outcome: outcome
                .unwrap_or_else(|| panic!("{stdout}{log}"))
                .to_owned(),
            log,
        }
    }
}

#[test]
#[ignore = "not a test: other tests start it as a process"]
fn one_exchange() {
    let Ok(url) = env::var("EXCHANGE_URL") else {
        return;
    };
    let get = |name| env::var(name).ok();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let mut request = TokenRequest {
        ca_bundle: get("EXCHANGE_BUNDLE").map(|pem| TrustedCa::besides_system(pem).unwrap()),
        ..request(&url)
    };
    if let Some(trusted) = &mut request.ca_bundle
        && get("EXCHANGE_REPLACE").is_some()
    {
        trusted.system_roots = SystemRoots::Replace;
    }
    if let Some(secret) = get("EXCHANGE_SECRET") {
        request.authentication = match get("EXCHANGE_AUTHENTICATION").as_deref() {
            Some("Basic") => Authentication::Basic(billing(&secret)),
            _ => Authentication::Body(billing(&secret)),
        };
    }
    let networks: Vec<_> = get("EXCHANGE_NETWORK").into_iter().collect();
    let networks: Vec<_> = networks.iter().map(String::as_str).collect();
    let outcome = exchange(&direct_or_proxied_client(&networks), &request);
    println!("\n{MARK}{}", shown(&outcome));
}

//! Decides whether `check` connects to token endpoints from this machine. The author of a `CubeCredential` chooses the host, and
//! must not be able to make an administrator's machine connect to it, which is on another network than the operator.

use std::{
    collections::BTreeSet,
    env,
    io::{IsTerminal, Write, stdin, stdout},
    iter,
    sync::Arc,
};

use crate::{
    cli::Check,
    cluster::{Context, Watched},
    oauth::endpoint::Endpoint,
    reconcile::{Memory, Settings},
};

/// Returns whether this is a pod. The operator connects from there anyway.
pub(super) fn is_in_pod() -> bool {
    env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// Returns whether it may connect to the hosts of these credentials. On a terminal, it asks.
pub(super) fn is_allowed<'a>(
    flags: &Check,
    context: &Context,
    wanted: impl Iterator<Item = &'a Arc<Watched>>,
) -> bool {
    if flags.connect || is_in_pod() {
        return true;
    }
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return false;
    }
    let settings = wanted.map(|object| context.observe(object, Memory::default()).settings);
    // Without its provider object, nothing is known of where one would connect to.
    let settings = settings
        .flatten()
        .filter(|found| found.provider_flaw().is_none());
    let hosts: BTreeSet<_> = settings.flat_map(|found| hosts(&found)).collect();
    is_agreed(hosts)
}

/// The hosts of the token endpoint and of the probe.
fn hosts(settings: &Settings) -> Vec<String> {
    let probe = settings.probe.iter().map(|probe| &probe.endpoint);
    let endpoints = iter::once(&settings.endpoint).chain(probe);
    endpoints.map(Endpoint::authority).collect()
}

fn is_agreed(hosts: BTreeSet<String>) -> bool {
    let hosts: Vec<_> = hosts.into_iter().collect();
    let question = format!(
        "These CubeCredentials name {}. Connect to them from this machine? [y/N] ",
        hosts.join(", ")
    );
    let mut out = stdout();
    let asked = out
        .write_all(question.as_bytes())
        .and_then(|()| out.flush());
    let mut answer = String::new();
    asked.is_ok()
        && stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes")
}

//! The hosts of a sign-in. The author of the spec chooses them: the person is sent to one, and the other gets the code and the client
//! secret. Where neither the owner of the client's Secret nor the person has named a host, the person is asked.

use super::{
    flags::Request,
    prepare::{Origin, Prepared},
};
use crate::{
    oauth::{endpoint::Endpoint, hosts::HostList},
    plugin::{
        Context,
        error::{PluginError, Result},
    },
    providers::Preset,
};

/// Asks about the hosts that nobody has named but the author of the spec.
pub(super) async fn confirm(
    context: &Context,
    request: &Request<'_>,
    prepared: &Prepared,
) -> Result {
    let unknown = unknown_hosts(request, prepared);
    if unknown.is_empty() {
        return Ok(());
    }
    let (client, namespace) = (&prepared.settings.source.name, &prepared.cluster.namespace);
    context.terminal.note(&format!(
        "CubeCredential \"{}\" names these hosts, and Secret \"{client}\" does not list all of them (cube-operator.dev/token-hosts):\n  \
           you sign in at {}\n  the code and the client secret go to {}",
        prepared.name(),
        prepared.authorization.authority(),
        prepared.settings.endpoint.authority(),
    ));
    let flag = format!("--trust-host {}", unknown.join(","));
    let meant = context
        .terminal
        .is_meant("Are they the provider's?", &flag)
        .await?;
    if meant {
        return Ok(());
    }
    Err(PluginError::new(format!(
        "nobody was signed in: correct spec.authorizationURL and spec.tokenURL of CubeCredential \"{}\" in namespace {namespace}",
        prepared.name()
    )))
}

fn unknown_hosts(request: &Request<'_>, prepared: &Prepared) -> Vec<String> {
    let listed = prepared.sign_in.client_hosts.as_deref();
    let listed = listed.and_then(|hosts| HostList::parse(hosts).ok());
    let is_known = |endpoint: &Endpoint| {
        let trusted = request.browser.trust_host.iter();
        let mut lists = trusted.chain(&listed);
        lists.any(|list| list.allows(endpoint))
    };
    let preset = prepared.credential.spec.provider.map(Preset::of);
    let mut unknown = Vec::new();
    let is_preset = preset.and_then(|preset| preset.token_url)
        == Some(prepared.settings.endpoint.url().as_str());
    // With a list, the checks of an exchange have allowed it.
    if listed.is_none() && !is_preset && !is_known(&prepared.settings.endpoint) {
        unknown.push(prepared.settings.endpoint.authority());
    }
    if prepared.origin == Origin::Spec && !is_known(&prepared.authorization) {
        unknown.push(prepared.authorization.authority());
    }
    unknown.dedup();
    unknown
}

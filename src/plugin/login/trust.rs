//! The hosts of a sign-in. The author of the spec chooses them: the person is sent to one, and the other gets the code and the client
//! secret. Where neither the owner of the client's Secret nor the person has named a host, the person is asked.

use super::{
    flags::Request,
    prepare::{Origin, Prepared},
};
use crate::{
    api::Provider,
    oauth::{endpoint::Endpoint, hosts::HostList},
    plugin::{
        Context,
        error::{PluginError, Result},
    },
    providers::Preset,
    reconcile::Settings,
};

/// The hosts of a sign-in, and who has named them.
pub(super) struct Hosts<'a> {
    pub(super) settings: &'a Settings,
    /// The provider that the spec names.
    pub(super) provider: Option<Provider>,
    pub(super) authorization: &'a Endpoint,
    /// The one who has named the authorization endpoint.
    pub(super) origin: Origin,
    /// The hosts that the owner of the client allows, if there is a list.
    pub(super) listed: Option<&'a str>,
}

impl<'a> Hosts<'a> {
    /// The hosts of a sign-in that is prepared.
    pub(super) fn of(prepared: &'a Prepared) -> Self {
        Self {
            settings: &prepared.settings,
            provider: prepared.credential.spec.provider,
            authorization: &prepared.authorization,
            origin: prepared.origin,
            listed: prepared.sign_in.client_hosts.as_deref(),
        }
    }
}

/// Asks about the hosts that nobody has named but the author of the spec.
pub(super) async fn confirm(
    context: &Context,
    request: &Request<'_>,
    namespace: &str,
    hosts: &Hosts<'_>,
) -> Result {
    let unknown = unknown_hosts(request, hosts);
    if unknown.is_empty() {
        return Ok(());
    }
    let (name, client) = (&hosts.settings.name, &hosts.settings.source.name);
    context.terminal.note(&format!(
        "CubeCredential \"{name}\" names these hosts, and Secret \"{client}\" does not list all of them (cube-operator.dev/token-hosts):\n  \
           you sign in at {}\n  the code and the client secret go to {}",
        hosts.authorization.authority(),
        hosts.settings.endpoint.authority(),
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
        "nobody was signed in: correct spec.authorizationURL and spec.tokenURL of CubeCredential \"{name}\" in namespace {namespace}"
    )))
}

fn unknown_hosts(request: &Request<'_>, hosts: &Hosts<'_>) -> Vec<String> {
    let listed = hosts.listed.and_then(|hosts| HostList::parse(hosts).ok());
    let is_known = |endpoint: &Endpoint| {
        let trusted = request.browser.trust_host.iter();
        let mut lists = trusted.chain(&listed);
        lists.any(|list| list.allows(endpoint))
    };
    let preset = hosts.provider.map(Preset::of);
    let mut unknown = Vec::new();
    let is_preset =
        preset.and_then(|preset| preset.token_url) == Some(hosts.settings.endpoint.url().as_str());
    // With a list, the checks of an exchange have allowed it.
    if listed.is_none() && !is_preset && !is_known(&hosts.settings.endpoint) {
        unknown.push(hosts.settings.endpoint.authority());
    }
    if hosts.origin == Origin::Spec && !is_known(hosts.authorization) {
        unknown.push(hosts.authorization.authority());
    }
    unknown.dedup();
    unknown
}

//! The flags of `login`, and of `create` as far as it signs in.

use clap::Args;
use ipnet::IpNet;
use jiff::SignedDuration;

use crate::{
    cli::hosts,
    oauth::{hosts::HostList, networks::Networks},
    plugin::names::names,
};

/// The flags of `login`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::plugin) struct Login {
    /// The CubeCredential to sign in for, whose grant is a stored refresh token
    #[arg(add = names())]
    pub(super) name: String,
    /// Look up the authorization endpoint in the metadata of this authorization server, and require that the sign-in comes from it
    ///
    /// The metadata (RFC 8414, or of OpenID Connect) has to name exactly this issuer and the token endpoint of the spec.
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,
    /// Sign in at this authorization endpoint
    ///
    /// It is needed where neither the provider nor the spec names one. If they do, it has to be the same.
    #[arg(id = "login-url", long, value_name = "URL", conflicts_with = "issuer")]
    pub(super) authorization_url: Option<String>,
    /// Replace a value in the Secret of the refresh token that no sign-in has written
    #[arg(long)]
    pub(super) overwrite: bool,
    /// The longest time to wait for the operator's first refresh
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = timeout)]
    pub(super) refresh_timeout: SignedDuration,
    #[command(flatten)]
    pub(super) browser: Browser,
}

const EXAMPLES: &str = "Examples:
  kubectl cube login planning
  kubectl cube login planning --redirect-uri http://localhost:8000/callback
  kubectl cube login planning --no-browser";

/// The flags of everything that signs in.
#[derive(Clone, Debug, Args)]
pub(in crate::plugin) struct Browser {
    /// Open no browser, and ask for the address that the browser ends on
    ///
    /// For a machine without a browser: open the printed URL anywhere. After the sign-in the browser shows an error, because
    /// nothing listens at the redirect URI there: copy the whole address and paste it.
    #[arg(long = "no-browser")]
    pub(super) elsewhere: bool,
    /// Listen on this port for the redirect; by default a free one is taken
    #[arg(long, value_name = "PORT", conflicts_with = "redirect_uri", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) redirect_port: Option<u16>,
    /// Use the redirect URI that is registered at the provider
    ///
    /// For example <http://localhost:8000/callback>. By default it is <http://127.0.0.1:PORT/callback>. If it names another host
    /// than this one, the address has to be pasted, as with --no-browser.
    #[arg(long, value_name = "URI")]
    pub(super) redirect_uri: Option<String>,
    /// The longest time to wait for the person
    #[arg(long = "login-timeout", value_name = "DURATION", default_value = "5m", value_parser = timeout)]
    pub(super) login_timeout: SignedDuration,
    /// Replace a sign-in that is in progress elsewhere
    #[arg(long)]
    pub(super) replace: bool,
    /// Sign in at these hosts, and send the client there: host or host:port, separated by commas
    ///
    /// It is needed without a terminal, for hosts of the spec that the Secret of the client does not list.
    #[arg(long, value_name = "HOSTS", value_parser = hosts)]
    pub(super) trust_host: Option<HostList>,
    /// The operator's namespace, with the ConfigMap that a ClusterCubeProvider names in caBundleRef; by default you are asked
    #[arg(long, value_name = "NAMESPACE")]
    pub(in crate::plugin) operator_namespace: Option<String>,
    /// Allow a token endpoint on these networks, although they are denied by default, such as 127.0.0.0/8
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(super) allow_network: Vec<IpNet>,
}

/// A sign-in, as the person has asked for it.
pub(in crate::plugin) struct Request<'a> {
    /// The name of the `CubeCredential`.
    pub(in crate::plugin) name: &'a str,
    /// The authorization server that the person has named.
    pub(in crate::plugin) issuer: Option<&'a str>,
    /// The authorization endpoint that the person has named.
    pub(in crate::plugin) authorization_url: Option<&'a str>,
    /// True if a value that no sign-in has written may be replaced.
    pub(in crate::plugin) overwrite: bool,
    pub(in crate::plugin) browser: &'a Browser,
}

impl Browser {
    /// The networks that a token endpoint may be on.
    pub(in crate::plugin) fn networks(&self) -> Networks {
        Networks::allowing(self.allow_network.clone())
    }
}

fn timeout(text: &str) -> std::result::Result<SignedDuration, String> {
    let parsed = text.parse::<SignedDuration>().ok();
    parsed
        .filter(|limit| (1..=3600).contains(&limit.as_secs()))
        .ok_or_else(|| "write a duration from 1s to 1h, such as 5m".into())
}

//! The command line, and nothing else. Every flag is also an environment variable.

mod examples;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use jiff::SignedDuration;

use crate::{
    api::ProviderKind,
    kubernetes::lease::LeaseName,
    leader::Shard,
    oauth::{hosts::HostList, networks::Networks},
};
use examples::{CHECK_EXAMPLES, CRD_EXAMPLES, EXAMPLES, RUN_EXAMPLES};

/// Keeps OAuth access tokens fresh in Kubernetes Secrets.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Print the CustomResourceDefinitions
    #[command(after_help = CRD_EXAMPLES)]
    Crd,
    /// Check the installation and each CubeCredential, from its spec to the pods that use its token
    ///
    /// The check sends no secret and changes nothing.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
}

/// The flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The namespaces to watch.
    #[command(flatten)]
    pub(crate) scope: Scope,

    /// The hosts and networks that token requests may go to.
    #[command(flatten)]
    pub(crate) reach: Reach,

    /// Set the minimum time between two token requests of one client, from 1s to 1h
    ///
    /// Up to three requests may be sent in a burst. The default suits a provider that allows ten requests a minute.
    #[arg(
        long,
        env = "CUBE_OPERATOR_TOKEN_REQUEST_INTERVAL",
        value_name = "DURATION",
        default_value = "12s",
        value_parser = interval
    )]
    pub(crate) token_request_interval: SignedDuration,

    /// Hide why a token endpoint or a probe's API cannot be reached, and the API's status, from conditions and events
    ///
    /// Otherwise the author of a CubeCredential learns from them which addresses and ports of your network respond. The log and
    /// `check` always show it.
    #[arg(long, env = "CUBE_OPERATOR_HIDE_NETWORK_DETAIL", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub(crate) hide_network_detail: bool,

    /// The warnings that cost requests of their own.
    #[command(flatten)]
    pub(crate) warning: Warning,

    /// The changes of pods and workloads, which need rights of their own.
    #[command(flatten)]
    pub(crate) consumers: Consumers,

    /// The provider objects that need rights of their own.
    #[command(flatten)]
    pub(crate) providers: Providers,

    /// Clients without a secret, which need rights of their own.
    #[command(flatten)]
    pub(crate) clients: Identity,

    /// Leader election.
    #[command(flatten)]
    pub(crate) election: Election,

    /// The metrics, and the limits on their readers.
    #[command(flatten)]
    pub(crate) monitoring: Monitoring,

    /// Serve /livez, /readyz and, without --metrics-tls-dir, /metrics on this address
    ///
    /// The default is every address of IPv6 and IPv4.
    #[arg(
        long,
        env = "CUBE_OPERATOR_LISTEN",
        value_name = "ADDRESS",
        default_value = "[::]:8080"
    )]
    pub(crate) listen: SocketAddr,

    /// Set the format of the log
    #[arg(
        long,
        env = "CUBE_OPERATOR_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value = "json"
    )]
    pub(crate) log_format: LogFormat,

    /// Set the name of this process in events and in the Lease
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub(crate) instance: Option<String>,

    /// Set the identity of this process when it claims a refresh token or leads
    ///
    /// With the uid of its pod, a restarted container continues immediately. By default each start has a new identity.
    #[arg(long, env = "POD_UID", value_name = "UID")]
    pub(crate) identity: Option<String>,
}

/// The flags of `check`. The flags of the operator mean the same, and inside its pod they are in the environment.
#[derive(Debug, Args)]
pub struct Check {
    /// Check this CubeCredential only
    ///
    /// By default the installation is checked first, and then all CubeCredentials.
    pub(crate) name: Option<String>,

    /// Check this namespace
    ///
    /// By default, with NAME: the namespace of the kubeconfig; otherwise: the namespaces that the operator watches.
    #[arg(short, long, value_name = "NAMESPACE", value_parser = namespace)]
    pub(crate) namespace: Option<String>,

    /// Check all namespaces, also if the operator watches only some
    #[arg(short = 'A', long, conflicts_with_all = ["name", "namespace"])]
    pub(crate) all_namespaces: bool,

    /// Connect to the token endpoints without a question
    ///
    /// The author of a CubeCredential chooses the host, so on your machine `check` asks before it connects. In a pod it does not ask.
    #[arg(long)]
    pub(crate) connect: bool,

    /// The namespaces that the operator watches.
    #[command(flatten)]
    pub(crate) scope: Scope,

    /// The hosts and networks that the operator may send token requests to.
    #[command(flatten)]
    pub(crate) reach: Reach,

    /// The warnings of the operator, which need rights of their own.
    #[command(flatten)]
    pub(crate) warning: Warning,

    /// The changes of pods and workloads, which need rights of their own.
    #[command(flatten)]
    pub(crate) consumers: Consumers,

    /// The provider objects that need rights of their own.
    #[command(flatten)]
    pub(crate) providers: Providers,

    /// Clients without a secret, which need rights of their own.
    #[command(flatten)]
    pub(crate) clients: Identity,

    /// Leader election, which needs rights of its own.
    #[command(flatten)]
    pub(crate) election: Election,
}

/// The namespaces.
#[derive(Debug, Args)]
pub(crate) struct Scope {
    /// Watch these namespaces only, separated by commas
    ///
    /// By default all namespaces are watched.
    #[arg(long, env = "CUBE_OPERATOR_NAMESPACES", value_name = "NAMESPACES", value_delimiter = ',', value_parser = namespace)]
    pub(crate) namespaces: Vec<String>,
}

/// The hosts and networks that token requests may go to.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// Allow token endpoints on these networks, although they are denied by default
    ///
    /// Loopback, link-local, multicast and unspecified addresses and the metadata services of clouds are denied by default. To allow
    /// 169.254.169.254 is to give every author of a CubeCredential the cloud credentials of your nodes.
    #[arg(
        long,
        env = "CUBE_OPERATOR_ALLOW_NETWORK",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(crate) allow_network: Vec<IpNet>,

    /// Deny token endpoints on these networks, besides the networks that are denied by default
    ///
    /// If an address is on an allowed and on a denied network, the longer prefix wins, and the denial if both are the same.
    #[arg(
        long,
        env = "CUBE_OPERATOR_DENY_NETWORK",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(crate) deny_network: Vec<IpNet>,

    /// Allow token requests and probes to these hosts only: host or host:port, separated by commas
    ///
    /// By default every host is allowed.
    #[arg(long, env = "CUBE_OPERATOR_ALLOWED_TOKEN_HOSTS", value_name = "HOSTS", value_parser = hosts)]
    pub(crate) allowed_token_hosts: Option<HostList>,

    /// Send only Secrets whose owner has limited their hosts, with the annotation cube-operator.dev/token-hosts
    #[arg(long, env = "CUBE_OPERATOR_REQUIRE_TOKEN_HOSTS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub(crate) require_token_hosts: bool,
}

impl Reach {
    /// The networks that token requests may go to.
    pub(crate) fn networks(&self) -> Networks {
        Networks::allowing(self.allow_network.clone()).denying(self.deny_network.clone())
    }
}

/// Clients without a secret.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Identity {
    /// Request tokens of labelled ServiceAccounts, which authenticate clients at their providers
    ///
    /// It needs the rights to list and watch ServiceAccounts, and to create their tokens.
    #[arg(long, env = "CUBE_OPERATOR_SERVICE_ACCOUNT_TOKENS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) service_account_tokens: bool,
}

/// The warnings that cost requests of their own.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Warning {
    /// Warn, with an event, of pods that never see a refresh: environment variables and subPath mounts
    ///
    /// It needs the right to list pods.
    #[arg(long, env = "CUBE_OPERATOR_WARN_CONSUMERS", value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) warn_consumers: bool,
}

/// The changes of pods and workloads, which need rights of their own.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Consumers {
    /// Make pods that mount a token see a refresh within a second, by an annotation on each of them
    ///
    /// Otherwise they see it after up to 90 s. It needs the rights to list and to patch pods.
    #[arg(long, env = "CUBE_OPERATOR_REFRESH_PODS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) refresh_pods: bool,

    /// Restart the workloads that a CubeCredential names in consumers.restart, after each refresh
    ///
    /// It needs the rights to get and to patch workloads of each kind.
    #[arg(long, env = "CUBE_OPERATOR_RESTART_WORKLOADS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) restart_workloads: bool,
}

impl Consumers {
    /// Returns whether they need more rights than the rest.
    pub(crate) fn needs_rights(self) -> bool {
        self.refresh_pods || self.restart_workloads
    }
}

/// The provider objects that need rights of their own.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Providers {
    /// Use ClusterCubeProviders, which CubeCredentials of several namespaces can name in providerRef
    ///
    /// It needs the rights to list and to watch them in the whole cluster.
    #[arg(long, env = "CUBE_OPERATOR_CLUSTER_PROVIDERS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) cluster_providers: bool,
}

impl Providers {
    /// The kinds of provider objects that are used.
    pub(crate) fn kinds(self) -> &'static [ProviderKind] {
        if self.cluster_providers {
            ProviderKind::ALL
        } else {
            &[ProviderKind::CubeProvider]
        }
    }
}

/// Leader election.
#[derive(Debug, Args)]
pub(crate) struct Election {
    /// Make token requests only while holding this Lease, so that another process can stand by
    ///
    /// By default there must be no other process.
    #[arg(long, env = "CUBE_OPERATOR_LEASE", value_name = "NAMESPACE/NAME")]
    pub(crate) lease: Option<LeaseName>,

    /// Serve the namespaces of this shard only, such as 0/3
    ///
    /// Other processes serve 1/3 and 2/3. All of them share --lease, which is required; each shard also has a Lease of its own, and
    /// request budgets of its own. By default all namespaces are served.
    #[arg(
        long,
        env = "CUBE_OPERATOR_SHARD",
        value_name = "INDEX/COUNT",
        requires = "lease"
    )]
    pub(crate) shard: Option<Shard>,
}

impl Election {
    /// The part of all namespaces that the process serves.
    pub(crate) fn shard(&self) -> Shard {
        self.shard.unwrap_or(Shard::ALL)
    }

    /// The Leases that a process has to hold.
    pub(crate) fn leases(&self) -> Vec<LeaseName> {
        let Some(lease) = &self.lease else {
            return Vec::new();
        };
        let needed = self.shard().leases(&lease.name, "");
        needed
            .into_iter()
            .map(|(name, _)| lease.beside(name))
            .collect()
    }
}

/// The metrics, and the limits on their readers.
#[derive(Debug, Args)]
pub(crate) struct Monitoring {
    /// Limit who may read /metrics
    #[arg(
        long = "metrics-access",
        env = "CUBE_OPERATOR_METRICS_ACCESS",
        id = "metrics-access",
        value_name = "WHO",
        value_enum,
        default_value = "open",
        requires_if("authorized", "metrics-tls-dir")
    )]
    pub(crate) access: Access,

    /// Serve /metrics with TLS on a port of its own, with tls.crt and tls.key from this directory
    ///
    /// The files may be renewed in place.
    #[arg(
        long = "metrics-tls-dir",
        id = "metrics-tls-dir",
        env = "CUBE_OPERATOR_METRICS_TLS_DIR",
        value_name = "DIR"
    )]
    pub(crate) tls_dir: Option<PathBuf>,

    /// Serve /metrics on this address, with --metrics-tls-dir
    ///
    /// The default is every address of IPv6 and IPv4.
    #[arg(
        long = "metrics-listen",
        id = "metrics-listen",
        env = "CUBE_OPERATOR_METRICS_LISTEN",
        value_name = "ADDRESS",
        default_value = "[::]:8443"
    )]
    pub(crate) listen: SocketAddr,
}

/// The clients that may read the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Access {
    /// Every client that reaches the port may read them
    Open,
    /// Only a bearer token whose user may `get` the path /metrics of the API server may; needs --metrics-tls-dir
    Authorized,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line
    Json,
    /// Lines for reading in a terminal
    Text,
}

pub(crate) fn hosts(text: &str) -> Result<HostList, String> {
    HostList::parse(text).map_err(|entry| format!("{entry:?} is neither a host nor host:port"))
}

fn network(text: &str) -> Result<IpNet, String> {
    let parsed = text.parse();
    parsed.map_err(|_| {
        "write an IPv4 or IPv6 network with its prefix length, such as 10.0.0.0/8 or fd00::/8"
            .into()
    })
}

fn interval(text: &str) -> Result<SignedDuration, String> {
    let parsed = text.parse::<SignedDuration>().ok();
    let whole = parsed.map(|duration| SignedDuration::from_secs(duration.as_secs()));
    whole
        .filter(|duration| (1..=3600).contains(&duration.as_secs()))
        .ok_or_else(|| "write a duration from 1s to 1h, such as 12s or 1m30s".into())
}

fn namespace(text: &str) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let valid = (1..=63).contains(&text.len())
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if valid {
        Ok(text.to_owned())
    } else {
        Err("a namespace has 1 to 63 lower-case letters, digits and '-'".into())
    }
}

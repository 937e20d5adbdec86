//! The command line, and nothing else. Every flag is also an environment variable.

mod examples;
mod flags;
#[cfg(test)]
mod tests;
mod values;

use std::net::SocketAddr;

use clap::{ArgAction, Args, Parser, Subcommand};
use jiff::SignedDuration;

use examples::{CHECK_EXAMPLES, CRD_EXAMPLES, EXAMPLES, RUN_EXAMPLES};
pub(crate) use flags::{
    Access, Consumers, Election, Identity, LogFormat, Monitoring, Providers, Reach, Scope, Warning,
};
#[cfg(feature = "plugin")]
pub(crate) use values::hosts;
use values::{interval, namespace};

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

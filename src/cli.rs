//! The command line, and nothing else. Every flag is also an environment variable.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use jiff::SignedDuration;

use crate::{
    kubernetes::lease::LeaseName,
    leader::Shard,
    oauth::{hosts::HostList, networks::Networks},
};

/// Keeps OAuth access tokens fresh in Kubernetes Secrets.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the controller.
    Run(Run),
    /// Print the CustomResourceDefinition.
    Crd,
    /// Say what the operator lacks in the cluster, and where a token does not come about. Sends no secret, and changes nothing.
    Check(Check),
}

/// The flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The namespaces to watch.
    #[command(flatten)]
    pub(crate) scope: Scope,

    /// Where token requests may go.
    #[command(flatten)]
    pub(crate) reach: Reach,

    /// The time between two token requests of one client, 1s to 1h; three may be sent at once. The default suits a provider that
    /// allows ten a minute.
    #[arg(
        long,
        env = "CUBE_OPERATOR_TOKEN_REQUEST_INTERVAL",
        value_name = "DURATION",
        default_value = "12s",
        value_parser = interval
    )]
    pub(crate) token_request_interval: SignedDuration,

    /// Say nothing of the network between the operator and a token endpoint in conditions and events, where the author of a
    /// CubeCredential could read what is inside it: only in the log, and in check.
    #[arg(long, env = "CUBE_OPERATOR_HIDE_NETWORK_DETAIL", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub(crate) hide_network_detail: bool,

    /// What to warn of.
    #[command(flatten)]
    pub(crate) warning: Warning,

    /// Who else there may be.
    #[command(flatten)]
    pub(crate) election: Election,

    /// Who may read /metrics, and where.
    #[command(flatten)]
    pub(crate) monitoring: Monitoring,

    /// Serve /livez, /readyz and, without --metrics-tls-dir, /metrics here. The default is every address, of IPv6 and IPv4.
    #[arg(
        long,
        env = "CUBE_OPERATOR_LISTEN",
        value_name = "ADDRESS",
        default_value = "[::]:8080"
    )]
    pub(crate) listen: SocketAddr,

    /// The format of the log.
    #[arg(
        long,
        env = "CUBE_OPERATOR_LOG_FORMAT",
        value_enum,
        default_value = "json"
    )]
    pub(crate) log_format: LogFormat,

    /// The name of this process in events, and in the Lease.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub(crate) instance: Option<String>,

    /// Who this process is when it claims a refresh token or leads: the uid of its pod, so that a restarted container goes on
    /// where the one before it stopped. Default: a new one at each start.
    #[arg(long, env = "POD_UID", value_name = "UID")]
    pub(crate) identity: Option<String>,
}

/// The flags of `check`. Those of the operator mean the same, and inside its pod they are in the environment.
#[derive(Debug, Args)]
pub struct Check {
    /// The CubeCredential to look at. Default: the installation first, then all of them.
    pub(crate) name: Option<String>,

    /// The namespace to look at. Default: with NAME the one of the kubeconfig, else those that the operator watches.
    #[arg(short, long, value_name = "NAMESPACE", value_parser = namespace)]
    pub(crate) namespace: Option<String>,

    /// Look at all namespaces, also where the operator watches only some.
    #[arg(short = 'A', long, conflicts_with_all = ["name", "namespace"])]
    pub(crate) all_namespaces: bool,

    /// Connect to the token endpoints that CubeCredentials name without asking first. In a pod it does so anyway.
    #[arg(long)]
    pub(crate) connect: bool,

    /// The namespaces that the operator watches.
    #[command(flatten)]
    pub(crate) scope: Scope,

    /// Where the operator may send token requests.
    #[command(flatten)]
    pub(crate) reach: Reach,

    /// What the operator warns of, which needs rights of its own.
    #[command(flatten)]
    pub(crate) warning: Warning,

    /// Whether it takes part in leader election, which needs rights of its own.
    #[command(flatten)]
    pub(crate) election: Election,
}

/// Where to work.
#[derive(Debug, Args)]
pub(crate) struct Scope {
    /// Watch these namespaces only, separated by commas. Default: all.
    #[arg(long, env = "CUBE_OPERATOR_NAMESPACES", value_name = "NAMESPACES", value_delimiter = ',', value_parser = namespace)]
    pub(crate) namespaces: Vec<String>,
}

/// Where token requests may go.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// Permit token endpoints on this network, which may be one that is refused by default (loopback, link-local, ...).
    #[arg(
        long,
        env = "CUBE_OPERATOR_ALLOW_NETWORK",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(crate) allow_network: Vec<IpNet>,

    /// Refuse token endpoints on this network, besides those that are refused by default. Where a network is both allowed and
    /// denied, the longer prefix decides, and denial if both are the same.
    #[arg(
        long,
        env = "CUBE_OPERATOR_DENY_NETWORK",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(crate) deny_network: Vec<IpNet>,

    /// Permit token requests to these hosts only: host or host:port, separated by commas. Default: any.
    #[arg(long, env = "CUBE_OPERATOR_ALLOWED_TOKEN_HOSTS", value_name = "HOSTS", value_parser = hosts)]
    pub(crate) allowed_token_hosts: Option<HostList>,

    /// Send only Secrets whose owner names the hosts that they may be sent to, with the annotation cube-operator.dev/token-hosts.
    #[arg(long, env = "CUBE_OPERATOR_REQUIRE_TOKEN_HOSTS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub(crate) require_token_hosts: bool,
}

impl Reach {
    /// The networks that token requests may go to.
    pub(crate) fn networks(&self) -> Networks {
        Networks::allowing(self.allow_network.clone()).denying(self.deny_network.clone())
    }
}

/// What the operator tells besides what it does.
#[derive(Debug, Args)]
pub(crate) struct Warning {
    /// Warn by an event of pods that use a token where no refresh gets (environment variables, subPath). Needs the right to
    /// list pods.
    #[arg(long, env = "CUBE_OPERATOR_WARN_CONSUMERS", value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) warn_consumers: bool,
}

/// Which other processes there may be.
#[derive(Debug, Args)]
pub(crate) struct Election {
    /// Make token requests only while holding this Lease, written NAMESPACE/NAME, so that another process can stand by. Default:
    /// there is no other process.
    #[arg(long, env = "CUBE_OPERATOR_LEASE", value_name = "NAMESPACE/NAME")]
    pub(crate) lease: Option<LeaseName>,

    /// Serve only the namespaces of this shard, written INDEX/COUNT, such as 0/3: others serve 1/3 and 2/3. Needs --lease, which all
    /// of them share; each shard has a Lease of its own besides, and a request budget. Default: all namespaces.
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

/// Who may read the metrics, and where.
#[derive(Debug, Args)]
pub(crate) struct Monitoring {
    /// Who may read /metrics: everybody, or those with a bearer token whose user may `get` the path /metrics of the API server.
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

    /// Serve /metrics with TLS on a port of its own, with tls.crt and tls.key of this directory. They may be renewed in place.
    #[arg(
        long = "metrics-tls-dir",
        id = "metrics-tls-dir",
        env = "CUBE_OPERATOR_METRICS_TLS_DIR",
        value_name = "DIR"
    )]
    pub(crate) tls_dir: Option<PathBuf>,

    /// The port for /metrics with --metrics-tls-dir. The default is every address, of IPv6 and IPv4.
    #[arg(
        long = "metrics-listen",
        id = "metrics-listen",
        env = "CUBE_OPERATOR_METRICS_LISTEN",
        value_name = "ADDRESS",
        default_value = "[::]:8443"
    )]
    pub(crate) listen: SocketAddr,
}

/// Who may read the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Access {
    /// Everybody who reaches the port.
    Open,
    /// Those whom the API server allows to `get` the path /metrics.
    Authorized,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For reading in a terminal.
    Text,
}

fn hosts(text: &str) -> Result<HostList, String> {
    HostList::parse(text).map_err(|entry| format!("{entry:?} is neither host nor host:port"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn an_interval_is_written_as_durations_are_written_elsewhere() {
        for (text, seconds) in [
            ("1s", 1),
            ("90s", 90),
            ("3600s", 3600),
            ("60m", 3600),
            ("1m30s", 90),
            ("1h", 3600),
        ] {
            assert_eq!(
                interval(text),
                Ok(SignedDuration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["0s", "3601s", "61m", "1h1s", "90", "-5s"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bad_flag_is_refused_by_name() {
        for (arguments, named) in [
            (
                ["cube-operator", "run", "--allow-network", "10.0.0.0/99"],
                "--allow-network",
            ),
            (
                ["cube-operator", "run", "--deny-network", "10.0.0.0"],
                "--deny-network",
            ),
            (
                ["cube-operator", "run", "--hide-network-detail", "some"],
                "--hide-network-detail",
            ),
            (
                ["cube-operator", "run", "--allowed-token-hosts", "https://x"],
                "--allowed-token-hosts",
            ),
            (
                ["cube-operator", "run", "--namespaces", "A,b"],
                "--namespaces",
            ),
            (["cube-operator", "run", "--listen", "8080"], "--listen"),
            (["cube-operator", "run", "--lease", "leader"], "--lease"),
            (
                ["cube-operator", "run", "--token-request-interval", "0s"],
                "--token-request-interval",
            ),
        ] {
            let error = Cli::try_parse_from(arguments).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}

//! The flags that belong together, and their meaning.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, ValueEnum};
use ipnet::IpNet;

use super::values::{hosts, namespace, network};
use crate::{
    api::ProviderKind,
    kubernetes::lease::LeaseName,
    leader::Shard,
    oauth::{hosts::HostList, networks::Networks},
};

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
    /// Request tokens of labelled ServiceAccounts, which authenticate clients at their providers or are exchanged there
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
#[derive(Clone, Debug, Args)]
pub(crate) struct Providers {
    /// Use ClusterCubeProviders, which CubeCredentials of several namespaces can name in providerRef
    ///
    /// It needs the rights to list and to watch them in the whole cluster.
    #[arg(long, env = "CUBE_OPERATOR_CLUSTER_PROVIDERS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) cluster_providers: bool,

    /// Read the ConfigMaps that ClusterCubeProviders name in caBundleRef from this namespace, the operator's own
    ///
    /// It needs the rights to get, list and watch ConfigMaps there.
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAMESPACE", value_parser = namespace)]
    pub(crate) operator_namespace: Option<String>,
}

impl Providers {
    /// The kinds of provider objects that are used.
    pub(crate) fn kinds(&self) -> &'static [ProviderKind] {
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

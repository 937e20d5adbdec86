//! Addresses of token hosts. Every name is looked up as it is written, as an absolute one.
//!
//! A pod's `resolv.conf` has a search list and `ndots:5`, with which the system would try `api.example.com.NAMESPACE.svc.…` and
//! `api.example.com.svc.…` before `api.example.com` itself: a Service of a namespace called `com` would respond in place of the
//! provider. So the system's resolver is not asked, only its configuration is used: the name servers, and the file of hosts.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use hickory_resolver::{
    Hosts, TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::Query,
        rr::{Name, RecordType},
    },
    system_conf::read_system_conf,
};
use tokio::time::{sleep, timeout};

use super::error::{LOOKUP_SECONDS, Unreachable};

/// The limit for the lookup of a name.
const LIMIT: Duration = Duration::from_secs(LOOKUP_SECONDS);
/// The longest wait for the response of one name server, before it or another one is asked again. `resolv.conf` has 5 s, so that
/// one lost packet would cost half of the time.
const LONGEST_TRY: Duration = Duration::from_secs(3);
/// More than there is time for: only the limit ends a lookup.
const TRIES: usize = 10;
/// The wait for the addresses of the other family once those of one are there (RFC 8305, section 3, has 50 ms). Some name servers
/// never respond to a question for IPv6 addresses.
const OTHER_FAMILY: Duration = Duration::from_millis(500);

/// Looks up names. Nothing is cached: a name server knows best how long its records hold.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Lookup {
    hosts: Arc<Hosts>,
    /// One for each name server: one for all of them takes the first response, also if that says that its server has failed.
    resolvers: Vec<TokioResolver>,
}

impl Lookup {
    /// With the name servers and the hosts of this machine or pod.
    pub(super) fn of_system() -> Self {
        // Without a configuration, the name server is on this host: see resolv.conf(5).
        let (config, options) = read_system_conf().unwrap_or_else(|_| {
            let local = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
            let config = ResolverConfig::from_parts(None, vec![], vec![local]);
            (config, ResolverOpts::default())
        });
        Self::new(&config, options, Hosts::from_system().unwrap_or_default())
    }

    pub(super) fn new(config: &ResolverConfig, mut options: ResolverOpts, hosts: Hosts) -> Self {
        options.timeout = options.timeout.min(LONGEST_TRY);
        options.attempts = TRIES;
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        options.positive_max_ttl = Some(Duration::ZERO);
        options.negative_max_ttl = Some(Duration::ZERO);
        let resolvers = config.name_servers().iter().filter_map(|server| {
            let config = ResolverConfig::from_parts(None, vec![], vec![server.clone()]);
            let provider = TokioRuntimeProvider::default();
            let builder = TokioResolver::builder_with_config(config, provider);
            builder.with_options(options.clone()).build().ok()
        });
        Self {
            resolvers: resolvers.collect(),
            hosts: Arc::new(hosts),
        }
    }

    /// The addresses of a host, at least one, in the order in which they should be tried.
    pub(in crate::oauth) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unreachable> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        // Whatever the configuration says, nothing is appended to an absolute name.
        let mut name = Name::from_utf8(host).map_err(|_| Unreachable::NameNotFound)?;
        name.set_fqdn(true);
        let listed = self.listed(&name);
        let mut found = if listed.is_empty() {
            timeout(LIMIT, self.ask(&name))
                .await
                .map_err(|_| Unreachable::LookupTimedOut)??
        } else {
            listed
        };
        // A key costs a socket.
        found.sort_by_cached_key(|address| preference(*address));
        found.dedup();
        Ok(found)
    }

    /// The addresses in the file of hosts. A name that it has is not asked for elsewhere.
    fn listed(&self, name: &Name) -> Vec<IpAddr> {
        let families = [RecordType::A, RecordType::AAAA].into_iter();
        let found = families.filter_map(|family| {
            let query = Query::query(name.clone(), family);
            self.hosts.lookup_static_host(&query)
        });
        found.flat_map(|lookup| addresses(&lookup)).collect()
    }

    /// Asks the name servers for the addresses of both families at the same time.
    async fn ask(&self, name: &Name) -> Result<Vec<IpAddr>, Unreachable> {
        let v4 = self.family(name, RecordType::A);
        let v6 = self.family(name, RecordType::AAAA);
        tokio::pin!(v4, v6);
        tokio::select! {
            first = &mut v4 => both(name, first, v6).await,
            first = &mut v6 => both(name, first, v4).await,
        }
    }

    /// Asks all name servers at the same time, which are one to three. The first one that knows decides.
    async fn family(&self, name: &Name, family: RecordType) -> Result<Vec<IpAddr>, NetError> {
        let resolvers = self.resolvers.iter();
        let asked = resolvers.map(|resolver| resolver.lookup(name.clone(), family));
        let mut asked: FuturesUnordered<_> = asked.collect();
        let mut failed = NetError::from("the name servers cannot be used");
        while let Some(result) = asked.next().await {
            match result {
                Ok(found) => return Ok(addresses(&found)),
                Err(error) if error.is_no_records_found() => return Err(error),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

/// The addresses of the family that responded first, and those of the other if they come soon enough.
async fn both(
    name: &Name,
    first: Result<Vec<IpAddr>, NetError>,
    other: impl Future<Output = Result<Vec<IpAddr>, NetError>>,
) -> Result<Vec<IpAddr>, Unreachable> {
    let has_some = first.as_ref().is_ok_and(|found| !found.is_empty());
    let enough = async {
        if has_some {
            sleep(OTHER_FAMILY).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let other = tokio::select! {
        other = other => other,
        () = enough => Ok(Vec::new()),
    };
    let results = [first, other];
    let found: Vec<_> = results.iter().flatten().flatten().copied().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let failed = results.into_iter().filter_map(Result::err);
    let failed = failed
        .into_iter()
        .find(|error| !error.is_no_records_found());
    Err(match failed {
        Some(NetError::Timeout) => Unreachable::LookupTimedOut,
        Some(_) => Unreachable::LookupFailed,
        None if is_short(name) => Unreachable::NameNotFull,
        None => Unreachable::NameNotFound,
    })
}

fn addresses(lookup: &hickory_resolver::lookup::Lookup) -> Vec<IpAddr> {
    let records = lookup.answers().iter();
    records.filter_map(|record| record.data.ip_addr()).collect()
}

/// Returns whether a name is one that only a search list completes: a single label, or the name of a Service without the
/// cluster's domain.
fn is_short(name: &Name) -> bool {
    let last = name.iter().next_back();
    name.num_labels() < 2 || last.is_some_and(|label| label.eq_ignore_ascii_case(b"svc"))
}

/// Addresses that this host has a route to come first, and IPv6 before IPv4 (RFC 6724, rules 1 and 6). Nothing is sent.
fn preference(address: IpAddr) -> (bool, bool) {
    let routed = || -> io::Result<()> {
        let any: IpAddr = if address.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        UdpSocket::bind((any, 0))?.connect(SocketAddr::new(address, 443))
    };
    (routed().is_err(), address.is_ipv4())
}

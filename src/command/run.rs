//! `cube-operator run`: the controller, until SIGTERM.

mod rights;

use std::{
    collections::BTreeSet,
    iter,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::check;
use crate::{
    cli::{Access, Identity, Monitoring, Run, Scope},
    consumers::ConsumerAccess,
    controller::{Controller, Options, Readiness},
    kubernetes::{audiences::ApiAudiences, client},
    leader::{self, Election, Leadership, Shard},
    metrics::Metrics,
    oauth::client::{TokenClient, proxy},
    server::{self, Certificate, Health, MetricsAccess, MetricsPage, MetricsPort},
    telemetry,
};
use rights::Rights;

/// Runs until SIGTERM or SIGINT, finishes the exchanges in progress, and ends.
///
/// # Errors
/// If the cluster cannot be reached, lacks the definition of `CubeCredential`, the port is taken, or another process has taken
/// the Lease from this one.
pub async fn run(flags: Run) -> super::Result {
    telemetry::init(flags.log_format);
    proxy::check_variables().map_err(|error| error.to_string())?;
    let stop = CancellationToken::new();
    cancel_on_signal(&stop)?;
    let shard = flags.election.shard();
    let shard_name = shard.is_part().then(|| shard.to_string());
    let metrics = Metrics::of_shard(shard_name.as_deref());
    let client = client::connect(&metrics)
        .await
        .map_err(|error| error.to_string())?;
    check::definition_is_served(&client)
        .await
        .map_err(|error| error.to_string())?;
    let listener = listen(flags.listen, "--listen").await?;
    let address = listener.local_addr().unwrap_or(flags.listen);
    let metrics_port = metrics_port(&flags.monitoring).await?;
    let metrics_address = metrics_port.as_ref().and_then(MetricsPort::address);
    let identity = identity(flags.identity);
    let (elections, leadership) = match flags.election.lease {
        Some(lease) => {
            let me = candidate(flags.instance.as_deref(), &identity);
            leader::elections(&client, &lease, shard, &me, &metrics)
        }
        None => (Vec::new(), Leadership::alone()),
    };
    let namespaces = watched(&flags.scope, shard);

    let warn_consumers = flags.warning.warn_consumers;
    if flags.consumers.needs_rights() {
        let (client, namespaces) = (client.clone(), namespaces.clone());
        let asked = rights::warn_of_missing(client, namespaces, flags.warning, flags.consumers);
        tokio::spawn(asked);
    }

    // It serves until the very end: a probe that fails while the last exchange is finished would cut that short.
    let finished = CancellationToken::new();
    let lists = Arc::new(OnceLock::new());
    let rights = Rights::default();
    if !elections.is_empty() {
        let found = rights.find(client.clone(), namespaces.clone());
        tokio::spawn(finished.clone().run_until_cancelled_owned(found));
    }
    let page = MetricsPage {
        metrics: metrics.clone(),
        access: match flags.monitoring.access {
            Access::Open => MetricsAccess::Open,
            Access::Authorized => MetricsAccess::authorized_by(client.clone()),
        },
    };
    let server = tokio::spawn(server::serve(
        listener,
        health(leadership.clone(), rights.clone(), Arc::clone(&lists)),
        page,
        metrics_port,
        finished.clone(),
    ));
    let options = Options {
        client,
        api_audiences: api_audiences(flags.clients).await,
        namespaces,
        shard,
        tokens: TokenClient::new(flags.reach.networks()),
        allowed_hosts: flags.reach.allowed_token_hosts,
        hides_network_detail: flags.hide_network_detail,
        token_hosts_required: flags.reach.require_token_hosts,
        token_request_interval: flags.token_request_interval,
        identity,
        instance: flags.instance,
        leadership,
        metrics,
        warn_consumers,
        provider_kinds: flags.providers.kinds(),
        namespace: flags.providers.operator_namespace,
        access: ConsumerAccess {
            lists_pods: warn_consumers || flags.consumers.refresh_pods,
            refreshes_pods: flags.consumers.refresh_pods,
            restarts_workloads: flags.consumers.restart_workloads,
        },
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        %address,
        metrics_address = metrics_address.map(tracing::field::display),
        namespaces = ?flags.scope.namespaces,
        shard = shard_name,
        "started"
    );
    if options.namespaces.as_ref().is_some_and(BTreeSet::is_empty) {
        tracing::warn!(
            shard = shard_name,
            "none of the namespaces to watch is in this shard"
        );
    }
    let result = lead(options, elections, &stop, &lists).await;
    finished.cancel();
    server.await.map_err(|error| error.to_string())?;
    result?;
    tracing::info!("stopped");
    Ok(())
}

/// The audiences of the API server, if the process may request tokens of ServiceAccounts.
async fn api_audiences(flags: Identity) -> Option<Arc<ApiAudiences>> {
    if !flags.service_account_tokens {
        return None;
    }
    Some(Arc::new(ApiAudiences::of_own_token().await))
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener, String> {
    let bound = server::bind(address).await;
    bound.map_err(|error| {
        format!("failed to listen on {address}: {error}; choose another address with {flag}")
    })
}

/// The port for the metrics, if they have one of their own.
async fn metrics_port(flags: &Monitoring) -> Result<Option<MetricsPort>, String> {
    let Some(directory) = &flags.tls_dir else {
        return Ok(None);
    };
    let certificate = Certificate::open(directory.clone());
    let certificate = certificate.map_err(|error| format!("--metrics-tls-dir: {error}"))?;
    let listener = listen(flags.listen, "--metrics-listen").await?;
    Ok(Some(MetricsPort {
        listener,
        certificate,
    }))
}

/// The name of this process in claims. An empty one, for example from a manifest without the downward API, would be the same for
/// all processes.
fn identity(given: Option<String>) -> String {
    given
        .filter(|identity| !identity.is_empty())
        .unwrap_or_else(|| Uuid::new_v4().to_string())
}

/// The name of this process in the Lease.
fn candidate(instance: Option<&str>, identity: &str) -> String {
    match instance {
        Some(instance) => format!("{instance}_{identity}"),
        None => identity.to_owned(),
    }
}

/// The namespaces to watch, of which a shard may have none; `None`: all.
fn watched(scope: &Scope, shard: Shard) -> Option<BTreeSet<String>> {
    let named = scope.namespaces.iter().cloned();
    let watched = named.filter(|namespace| shard.has(namespace));
    (!scope.namespaces.is_empty()).then(|| watched.collect())
}

/// Runs the controller while this process leads.
async fn lead(
    options: Options,
    elections: Vec<Election>,
    stop: &CancellationToken,
    lists: &OnceLock<Readiness>,
) -> super::Result {
    let exchanged = CancellationToken::new();
    if elections.is_empty() {
        options.metrics.leads(true);
    }
    // A response that cannot be stored keeps this process, and not the lease: the others would wait for it.
    let run = async || {
        let controller = Controller::new(&options, stop);
        lists.get_or_init(|| controller.readiness());
        controller.run(&exchanged).await;
    };
    leader::lead(elections, stop, &exchanged, run).await
}

/// Returns whether this process does its work, or could take it over.
fn health(
    leadership: Leadership,
    rights: Rights,
    lists: Arc<OnceLock<Readiness>>,
) -> impl Fn() -> Health + Clone + Send + Sync + 'static {
    move || {
        let Some(lists) = lists.get() else {
            return standby(&leadership, &rights);
        };
        let failing = lists.failing();
        let failing = failing.map(|scope| format!("cannot watch {scope}: the log says why"));
        let failing: Vec<_> = failing.collect();
        if lists.is_complete() {
            return Health::Ready(failing);
        }
        let waiting = "waiting for the first lists".to_owned();
        Health::NotReady(
            iter::once(waiting)
                .chain(failing)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}

fn standby(leadership: &Leadership, rights: &Rights) -> Health {
    let missing = if !leadership.stands_by() {
        "waiting for the Lease: the log says why"
    } else if !rights.suffice() {
        "this process stands by, but its account may watch no namespace: `cube-operator check` says what is missing"
    } else {
        return Health::Ready(Vec::new());
    };
    Health::NotReady(missing.to_owned())
}

fn cancel_on_signal(stop: &CancellationToken) -> super::Result {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals =
            signal(kind).map_err(|error| format!("failed to handle signals: {error}"))?;
        let stop = stop.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                tracing::info!(
                    "stopping: exchanges in progress are finished, and no new one begins"
                );
                stop.cancel();
            }
        });
    }
    Ok(())
}

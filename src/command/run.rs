//! `cube-operator run`: the controller, until SIGTERM.

use std::{
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
    cli::Run,
    controller::{Controller, Options, Readiness},
    kubernetes::{client, lease::LeaseAccess},
    leader::{Election, Leadership},
    metrics::Metrics,
    oauth::{client::TokenClient, networks::Networks},
    server, telemetry,
};

/// Runs until SIGTERM or SIGINT, finishes the exchanges in progress, and ends.
///
/// # Errors
/// If the cluster cannot be reached, lacks the definition of `CubeCredential`, the port is taken, or another process has taken
/// the Lease from this one.
pub async fn run(flags: Run) -> super::Result {
    telemetry::init(flags.log_format);
    let stop = CancellationToken::new();
    cancel_on_signal(&stop)?;
    let metrics = Metrics::default();
    let client = client::connect(&metrics)
        .await
        .map_err(|error| error.to_string())?;
    check::definition_is_served(&client)
        .await
        .map_err(|error| error.to_string())?;
    let listener = listen(flags.listen).await?;
    let address = listener.local_addr().unwrap_or(flags.listen);
    let identity = identity(flags.identity);
    let election = flags.election.lease.map(|lease| {
        let me = candidate(flags.instance.as_deref(), &identity);
        Election::new(LeaseAccess::new(client.clone(), lease), me, metrics.clone())
    });
    let leadership = election
        .as_ref()
        .map_or_else(Leadership::alone, Election::leadership);

    // It serves until the very end: a probe that fails while the last exchange is finished would cut that short.
    let finished = CancellationToken::new();
    let lists = Arc::new(OnceLock::new());
    let server = tokio::spawn(server::serve(
        listener,
        metrics.clone(),
        readiness(leadership.clone(), Arc::clone(&lists)),
        finished.clone(),
    ));
    let options = Options {
        client,
        namespaces: flags.scope.namespaces,
        allowed_hosts: flags.reach.allowed_token_hosts,
        token_hosts_required: flags.reach.require_token_hosts,
        tokens: TokenClient::new(Networks::allowing(flags.reach.allow_network)),
        token_request_interval: flags.token_request_interval,
        identity,
        instance: flags.instance,
        leadership,
        metrics,
        warn_consumers: flags.warning.warn_consumers,
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, namespaces = ?options.namespaces, "started");
    let result = lead(options, election, &stop, &lists).await;
    finished.cancel();
    server
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| format!("the HTTP endpoint broke: {error}"))?;
    result?;
    tracing::info!("stopped");
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let bound = server::bind(address).await;
    bound.map_err(|error| {
        format!("cannot listen on {address}: {error}; choose another one with --listen")
    })
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

/// Runs the controller while this process leads.
async fn lead(
    options: Options,
    election: Option<Election>,
    stop: &CancellationToken,
    lists: &OnceLock<Readiness>,
) -> super::Result {
    let run = async || {
        let controller = Controller::new(&options, stop);
        lists.get_or_init(|| controller.readiness());
        controller.run().await;
    };
    let Some(mut election) = election else {
        options.metrics.leads(true);
        run().await;
        return Ok(());
    };
    if !election.win(stop).await {
        return Ok(());
    }
    let done = CancellationToken::new();
    let lease = tokio::spawn(election.keep(stop.clone(), done.clone()));
    run().await;
    // The lease is given back only now: the last exchange had to be stored before another process may begin one.
    done.cancel();
    lease.await.map_err(|error| error.to_string())?
}

/// The first thing that this process still lacks to be ready, for `/readyz`.
fn readiness(
    leadership: Leadership,
    lists: Arc<OnceLock<Readiness>>,
) -> impl Fn() -> Option<&'static str> + Clone + Send + Sync + 'static {
    move || match lists.get() {
        Some(lists) => (!lists.is_complete()).then_some("the first lists are not there yet"),
        None => (!leadership.stands_by()).then_some("it is not known who leads: the log says why"),
    }
}

fn cancel_on_signal(stop: &CancellationToken) -> super::Result {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals =
            signal(kind).map_err(|error| format!("cannot handle signals: {error}"))?;
        let stop = stop.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                tracing::info!("stopping: running exchanges are finished, no new one is started");
                stop.cancel();
            }
        });
    }
    Ok(())
}

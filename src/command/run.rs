//! `cube-operator run`: the controller, until SIGTERM.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::check;
use crate::{
    cli::Run,
    controller::{Controller, Options},
    kubernetes::client,
    metrics::Metrics,
    oauth::{client::TokenClient, endpoint::Networks},
    server, telemetry,
};

/// Runs until SIGTERM or SIGINT, finishes the exchanges that are under way, and ends.
///
/// # Errors
/// If the cluster cannot be reached, lacks the definition of `CubeCredential`, or the port is taken.
pub async fn run(flags: Run) -> super::Result {
    telemetry::init(flags.log_format);
    let stop = CancellationToken::new();
    cancel_on_signal(&stop)?;
    let metrics = Metrics::default();
    let client = client::connect(&metrics)
        .await
        .map_err(|error| error.to_string())?;
    check::definition_is_served(&client).await?;
    let listener = server::bind(flags.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}; choose another one with --listen",
            flags.listen
        )
    })?;
    let address = listener.local_addr().unwrap_or(flags.listen);

    let options = Options {
        client,
        namespaces: flags.scope.namespaces,
        allowed_hosts: flags.reach.allowed_token_hosts,
        tokens: TokenClient::new(Networks::allowing(flags.reach.allow_network)),
        token_request_interval: flags.token_request_interval,
        // An empty one, say from a manifest without the downward API, would make all processes the same.
        identity: flags
            .identity
            .filter(|identity| !identity.is_empty())
            .unwrap_or_else(|| Uuid::new_v4().to_string()),
        instance: flags.instance,
        metrics: metrics.clone(),
        warn_consumers: flags.warning.warn_consumers,
    };
    let controller = Controller::new(&options, &stop);
    // Answers until the very end: a probe that fails while the last exchange is finished would cut it short.
    let finished = CancellationToken::new();
    let server = tokio::spawn(server::serve(
        listener,
        metrics,
        controller.readiness(),
        finished.clone(),
    ));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, namespaces = ?options.namespaces, "started");
    controller.run().await;
    finished.cancel();
    server
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| format!("the HTTP endpoint broke: {error}"))?;
    tracing::info!("stopped");
    Ok(())
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

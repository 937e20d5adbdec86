//! What is measured, one after the other.

mod cold;
mod edit;
mod floor;
mod idle;
mod neighbours;
mod refresh;
mod restart;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    figures::Figures,
    objects::{self, create_place, delete_all, load, names},
    requests::Requests,
    settings::Settings,
    site::{Running, Site},
};

/// The namespace of the credentials that are counted.
const NAMESPACE: &str = "bench";

/// One size on its control plane.
struct Run<'a> {
    site: Site,
    size: usize,
    names: Vec<String>,
    figures: &'a Figures,
}

/// Measures all scenarios at all sizes.
pub(crate) async fn run(settings: &Settings, figures: &Figures) {
    for size in &settings.sizes {
        one_size(settings, figures, *size).await;
    }
    if settings.includes("neighbours") {
        neighbours::measure(settings, figures).await;
    }
}

/// A start with 1,000 takes seconds, in which a machine may be faster or slower than usual. One with 10,000 takes longer, and fewer
/// are not judged.
fn cold_starts(size: usize) -> usize {
    if size == 1_000 { 3 } else { 1 }
}

async fn one_size(settings: &Settings, figures: &Figures, size: usize) {
    let run = Run {
        site: Site::new(settings.program()).await,
        size,
        names: names(size),
        figures,
    };
    idle::measure(&run, &settings.binary).await;
    let has_floor = settings.includes("floor");
    if has_floor {
        floor::create_place(&run).await;
    }
    create_place(&run.site, NAMESPACE).await;
    for round in 0..cold_starts(size) {
        if round > 0 {
            delete_all(&run.site, NAMESPACE).await;
        }
        let begun = Instant::now();
        load(&run.site, NAMESPACE, &run.names).await;
        println!(
            "{size:>6}  loaded in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        // Beside the same objects: the API server takes longer with more of them.
        if has_floor {
            floor::measure(&run).await;
        }
        run.site.server.set_expiry(Some(refresh::expiry(size)));
        cold::measure(&run).await.stop();
    }
    if has_floor {
        floor::measure(&run).await;
        cold::compare(&run);
        // The garbage collector looks at what was deleted.
        run.quiet().await;
    }
    // Those that are created later live for an hour.
    if settings.includes("restart") {
        restart::measure(&run).await;
        restart::measure_new(&run).await;
    }
    if settings.includes("edit") {
        edit::measure(&run).await;
    }
    if settings.includes("refresh") {
        refresh::measure(&run, settings.is_trial).await;
    }
}

impl Run<'_> {
    fn record(&self, id: &'static str, value: f64) {
        self.figures.record(id, self.size, value);
    }

    /// Notes a value for each of the credentials.
    fn record_each(&self, id: &'static str, total: f64) {
        self.record(id, total / self.count());
    }

    fn count(&self) -> f64 {
        count(self.size)
    }

    /// How long anything that happens to all credentials may take before it is given up.
    fn patience(&self) -> Duration {
        Duration::from_secs(60) + Duration::from_millis(100) * u32::try_from(self.size).unwrap()
    }

    async fn requests(&self) -> Requests {
        Requests::now(&self.site.client).await
    }

    /// Waits until each credential had one more exchange, and its status was written after it; returns when that was.
    async fn all_exchanged(&self, before: usize, requests: &Requests) -> Instant {
        let exchanges = || self.site.server.requests(NAMESPACE) - before;
        until(
            "every token is requested",
            self.patience(),
            10,
            async || exchanges() >= self.size,
        )
        .await;
        // The API server's metrics are a megabyte, so each look takes it some time.
        until("every status is written", self.patience(), 50, async || {
            self.requests().await.since(requests).statuses() >= self.count()
        })
        .await;
        Instant::now()
    }

    /// Waits until an operator has nothing to do and sends nothing, and returns the moment at which that began.
    async fn settled(&self, operator: &Running) -> Instant {
        loop {
            let since = operator.process.quiet();
            let before = self.requests().await.total();
            operator.process.quiet();
            if self.requests().await.total() - before < 1.0 {
                return since;
            }
        }
    }

    /// Waits until nobody sends a request.
    async fn quiet(&self) {
        let mut before = self.requests().await.total();
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let now = self.requests().await.total();
            if now - before < 1.0 {
                return;
            }
            before = now;
        }
    }

    /// The number of credentials that are ready.
    async fn ready(&self) -> usize {
        let all = objects::credentials(&self.site.client, NAMESPACE).await;
        all.iter().filter(|object| is_ready(object)).count()
    }
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|conditions| {
        let ready =
            |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
        conditions.iter().any(ready)
    })
}

#[expect(clippy::cast_precision_loss, reason = "it is far from 2^52")]
pub(crate) fn count(size: usize) -> f64 {
    size as f64
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Waits until it is so. It looks every few milliseconds.
async fn until<F: Future<Output = bool>>(
    what: &str,
    patience: Duration,
    every: u64,
    mut holds: impl FnMut() -> F,
) {
    let begun = Instant::now();
    while !holds().await {
        assert!(
            begun.elapsed() < patience,
            "not within {patience:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(every)).await;
    }
}

//! Providers that hang and refuse, and what the credentials of others notice of them.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{is_ready, until};
use crate::{
    figures::Figures,
    objects::{self, create_place, load, load_one, names, target},
    provider::{HANGS, REFUSES, SHORT},
    settings::Settings,
    site::Site,
};

/// The credentials whose provider hangs, for each thousand of the healthy ones.
const HANG: usize = 2;

pub(super) async fn measure(settings: &Settings, figures: &Figures) {
    let largest = settings.sizes.iter().copied().max().unwrap_or_default();
    let some = (largest / 10).min(1_000);
    let site = Site::new(settings.program()).await;
    for (namespace, count) in [(SHORT, some), (REFUSES, some), (HANGS, HANG * some)] {
        create_place(&site, namespace).await;
        load(&site, namespace, &names(count)).await;
    }
    create_place(&site, "new").await;
    let operator = site.launch(&[]);
    let patience =
        Duration::from_secs(120) + Duration::from_millis(100) * u32::try_from(some).unwrap();
    until("every healthy one is ready", patience, 500, async || {
        let healthy = objects::credentials(&site.client, SHORT).await;
        healthy.iter().all(is_ready)
    })
    .await;
    operator.process.quiet();

    let begun = Instant::now();
    load_one(&site, "new", "main").await;
    until("the new one is served", patience, 10, async || {
        target(&site.client, "new", "main").await.is_some()
    })
    .await;
    let served = begun.elapsed().as_secs_f64();
    figures.record("neighbours-new", largest, served);

    let mut lateness = lateness(&site, some, patience).await;
    lateness.sort_by(f64::total_cmp);
    figures.record(
        "neighbours-p99",
        largest,
        lateness[lateness.len() * 99 / 100],
    );
    figures.record("neighbours-most", largest, lateness[lateness.len() - 1]);
    figures.record("neighbours-peak", largest, operator.process.peak());
    operator.stop();
}

/// How much later than planned the next refresh of each healthy credential begins.
async fn lateness(site: &Site, count: usize, patience: Duration) -> Vec<f64> {
    let planned: Vec<(String, Timestamp, usize)> = objects::credentials(&site.client, SHORT)
        .await
        .iter()
        .map(|object| {
            let name = object["metadata"]["name"].as_str().unwrap();
            let at = object["status"]["refreshAt"].as_str().unwrap();
            // An exchange may have begun after the status was written.
            let issued: Timestamp = object["status"]["issuedAt"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            let known = site.server.arrivals(SHORT, name);
            let known = known
                .iter()
                .filter(|arrival| arrival.as_second() <= issued.as_second() + 2);
            (name.to_owned(), at.parse().unwrap(), known.count())
        })
        .collect();
    assert_eq!(planned.len(), count);
    let next = |name: &str, known: usize| site.server.arrivals(SHORT, name).get(known).copied();
    until(
        "every healthy one is refreshed",
        patience,
        500,
        async || {
            planned
                .iter()
                .all(|(name, _, known)| next(name, *known).is_some())
        },
    )
    .await;
    let late = planned.iter().map(|(name, at, known)| {
        let arrival = next(name, *known).unwrap();
        arrival.duration_since(*at).as_secs_f64()
    });
    late.collect()
}

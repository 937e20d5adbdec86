//! All credentials are there when the operator starts for the first time.

use std::time::Instant;

use super::{NAMESPACE, Run};
use crate::site::Running;

pub(super) async fn measure(run: &Run<'_>) -> Running {
    let requests = run.requests().await;
    let exchanges = run.site.server.requests(NAMESPACE);
    let api_cpu = run.site.api_server().cpu();
    let begun = Instant::now();
    let operator = run.site.launch(&[]);
    let mut end = run.all_exchanged(exchanges, &requests).await;
    let settled = run.settled(&operator).await;
    let cpu = operator.process.cpu();
    let api_cpu = run.site.api_server().cpu() - api_cpu;
    let requests = run.requests().await.since(&requests);
    while run.ready().await < run.size {
        end = Instant::now();
        assert!(end - begun < run.patience(), "not all are ready");
    }

    let time = end - begun;
    run.record("cold-time", time.as_secs_f64());
    run.record("cold-settled", (settled - begun).as_secs_f64());
    run.record_each("cold-cpu", cpu);
    run.record_each("cold-api-cpu", api_cpu);
    run.record_each("cold-requests", requests.total());
    println!("        {}", requests.each(run.count()));
    run.record("cold-memory", operator.process.resident());
    run.record("cold-peak", operator.process.peak());
    let exchanges = run.site.server.requests(NAMESPACE) - exchanges;
    assert_eq!(exchanges, run.size, "one token request for each");
    operator
}

/// Compares its time with the floor's.
pub(super) fn compare(run: &Run<'_>) {
    let value = |id: &'static str| run.figures.get(id, run.size).unwrap();
    let each = value("cold-time") * 1e3 / run.count();
    run.record("cold-floor", each / value("floor-time"));
}

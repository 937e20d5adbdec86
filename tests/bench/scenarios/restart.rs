//! The operator starts where every credential has a valid token.

use std::time::Instant;

use super::{NAMESPACE, Run, count, until};
use crate::objects::{API, create_place, delete, load_one, target};

pub(super) async fn measure(run: &Run<'_>) {
    let requests = run.requests().await;
    let exchanges = run.site.server.requests(NAMESPACE);
    let begun = Instant::now();
    let operator = run.site.launch(&[]);
    operator.ready();
    run.record("restart-ready", begun.elapsed().as_secs_f64());
    let settled = run.settled(&operator).await;
    let cpu = operator.process.cpu();
    run.record("restart-settled", (settled - begun).as_secs_f64());
    run.record("restart-cpu", cpu / 1e3);
    run.record_each("restart-cpu-each", cpu);
    let requests = run.requests().await.since(&requests);
    run.record_each("restart-requests", requests.total());
    println!("        {}", requests.each(run.count()));
    let exchanges = run.site.server.requests(NAMESPACE) - exchanges;
    run.record("restart-exchanges", count(exchanges));
    run.record("restart-memory", operator.process.resident());
    run.record("restart-peak", operator.process.peak());
    operator.stop();
}

/// The same, and a credential is created as soon as the operator is ready.
pub(super) async fn measure_new(run: &Run<'_>) {
    let place = "new";
    create_place(&run.site, place).await;
    let begun = Instant::now();
    let operator = run.site.launch(&[]);
    operator.ready();
    let ready = begun.elapsed().as_secs_f64();
    load_one(&run.site, place, "main").await;
    let created = begun.elapsed().as_secs_f64();
    println!("        ready after {ready:.2} s, created after {created:.2} s");
    until("the new one is served", run.patience(), 10, async || {
        target(&run.site.client, place, "main").await.is_some()
    })
    .await;
    run.record("restart-new", begun.elapsed().as_secs_f64());
    operator.stop();
    delete(
        &run.site.client,
        &format!("{API}/namespaces/{place}/cubecredentials"),
    )
    .await;
}

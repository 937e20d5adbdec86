//! One object among many is edited.

use std::time::Duration;

use serde_json::json;

use super::{NAMESPACE, Run, count};
use crate::objects::{API, merge};

/// One edit is too little work to be measured.
const EDITS: usize = 200;
/// The machine does other things at times, so the round with the least CPU counts.
const ROUNDS: usize = 3;

pub(super) async fn measure(run: &Run<'_>) {
    let operator = run.site.launch(&[]);
    operator.ready();
    run.settled(&operator).await;
    let requests = run.requests().await;
    let mut least = f64::INFINITY;
    for round in 0..ROUNDS {
        let cpu = operator.process.cpu();
        edit(run, round).await;
        run.settled(&operator).await;
        least = least.min(operator.process.cpu() - cpu);
    }
    let edits = count(EDITS * ROUNDS);
    let requests = run.requests().await.since(&requests);
    run.record("edit-cpu", least / count(EDITS));
    run.record("edit-requests", requests.total() / edits);
    println!("        {}", requests.each(edits));
    operator.stop();
}

async fn edit(run: &Run<'_>, round: usize) {
    for edit in 0..EDITS {
        // As people edit: one object, and some time later another one.
        let name = &run.names[edit * 7 % run.size];
        let path = format!("{API}/namespaces/{NAMESPACE}/cubecredentials/{name}");
        let fields = json!({"spec": {"description": format!("edit {edit} of round {round}")}});
        merge(&run.site.client, &path, &fields).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

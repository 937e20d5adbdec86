//! One object among many is edited.

use std::time::Duration;

use serde_json::json;

use super::{NAMESPACE, Run, count};
use crate::objects::{API, merge};

/// One edit is too little work to be measured.
const EDITS: usize = 200;

pub(super) async fn measure(run: &Run<'_>) {
    let operator = run.site.launch(&[]);
    operator.ready();
    run.settled(&operator).await;
    let requests = run.requests().await;
    let cpu = operator.process.cpu();
    for edit in 0..EDITS {
        // As people edit: one object, and some time later another one.
        let name = &run.names[edit * 7 % run.size];
        let path = format!("{API}/namespaces/{NAMESPACE}/cubecredentials/{name}");
        let fields = json!({"spec": {"description": format!("edit {edit}")}});
        merge(&run.site.client, &path, &fields).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run.settled(&operator).await;
    let cpu = operator.process.cpu() - cpu;
    let requests = run.requests().await.since(&requests);
    run.record("edit-cpu", cpu / count(EDITS));
    run.record("edit-requests", requests.total() / count(EDITS));
    println!("        {}", requests.each(count(EDITS)));
    operator.stop();
}

//! One object among many is edited.

use std::time::Duration;

use serde_json::json;

use super::{NAMESPACE, Run, count};
use crate::{
    objects::{API, create_place, delete_all, load, merge},
    site::Running,
};

/// The namespace of a tenth of the credentials.
const TENTH: &str = "tenth";
/// One edit is too little work to be measured.
const EDITS: usize = 200;
const ROUNDS: usize = 3;

/// The credentials of one namespace, and an operator that serves no other.
struct Part<'a> {
    run: &'a Run<'a>,
    namespace: &'static str,
    names: &'a [String],
    operator: Running,
}

/// Edits one among all, and one among a tenth of them, in turns: the speed of a machine changes within minutes, and what is judged
/// is the ratio.
pub(super) async fn measure(run: &Run<'_>) {
    let tenth = &run.names[..run.size.div_ceil(10)];
    create_place(&run.site, TENTH).await;
    load(&run.site, TENTH, tenth).await;
    let few = Part::start(run, TENTH, tenth).await;
    let all = Part::start(run, NAMESPACE, &run.names).await;
    let requests = run.requests().await;
    let (mut cpu_of_few, mut cpu_of_all) = (0.0, 0.0);
    for round in 0..ROUNDS {
        cpu_of_few += few.cpu_of_edits(round).await;
        cpu_of_all += all.cpu_of_edits(round).await;
    }
    let edits = count(EDITS * ROUNDS);
    let requests = run.requests().await.since(&requests);
    run.record("edit-cpu", cpu_of_all / edits);
    run.record("edit-growth", cpu_of_all / cpu_of_few);
    run.record("edit-requests", requests.total() / (2.0 * edits));
    println!("        {}", requests.each(2.0 * edits));
    few.operator.stop();
    all.operator.stop();
    delete_all(&run.site, TENTH).await;
    run.quiet().await;
}

impl<'a> Part<'a> {
    async fn start(run: &'a Run<'_>, namespace: &'static str, names: &'a [String]) -> Self {
        let operator = run.site.launch_for(namespace);
        operator.ready();
        run.settled(&operator).await;
        Self {
            run,
            namespace,
            names,
            operator,
        }
    }

    /// Edits some of them, and returns the operator's CPU for it.
    async fn cpu_of_edits(&self, round: usize) -> f64 {
        let before = self.operator.process.cpu();
        for edit in 0..EDITS {
            self.edit(edit, round).await;
        }
        self.run.settled(&self.operator).await;
        let cpu = self.operator.process.cpu() - before;
        let (number, each) = (self.names.len(), cpu / count(EDITS));
        println!("        one of {number}, round {round}: {each:.2} ms");
        cpu
    }

    /// As people edit: one object, and some time later another one.
    async fn edit(&self, edit: usize, round: usize) {
        let Self {
            namespace, names, ..
        } = self;
        let name = &names[edit * 7 % names.len()];
        let path = format!("{API}/namespaces/{namespace}/cubecredentials/{name}");
        let fields = json!({"spec": {"description": format!("edit {edit} of round {round}")}});
        merge(&self.run.site.client, &path, &fields).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

//! The size of the binary, and the memory of an operator with nothing to do.

use std::{fs, path::Path};

use super::{Run, count};

pub(super) async fn measure(run: &Run<'_>, binary: &Path) {
    let bytes = fs::metadata(binary).unwrap().len();
    run.record("binary", count(usize::try_from(bytes).unwrap()) / 1e6);
    let operator = run.site.launch(&[]);
    operator.ready();
    run.settled(&operator).await;
    run.record("idle-memory", operator.process.resident());
    operator.stop();
}

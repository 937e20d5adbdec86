//! The callbacks of kube's queue: one reconcile of an object at a time, and the delay after an error.

use std::{sync::Arc, time::Duration};

use kube::{ResourceExt, runtime::controller::Action as Requeue};

use super::reconciler::{LEADERSHIP_DELAY, LONGEST_API_DELAY, Reconciler};
use crate::{cluster::Watched, kubernetes::error::ApiError, lock::lock};

/// The delay after a conflict is short, because the objects only have to be read again.
const CONFLICT_DELAY: Duration = Duration::from_millis(200);
/// The longest time that a reconcile occupies a worker: an exchange with a slow provider takes up to 30 s, and must not delay
/// other clients.
const LONGEST_TURN: Duration = Duration::from_secs(2);

/// Keeps a second reconcile of an object from starting, also when kube no longer waits for the first.
struct Exclusive {
    reconciler: Arc<Reconciler>,
    uid: String,
}

impl Exclusive {
    fn take(reconciler: &Arc<Reconciler>, uid: String) -> Option<Self> {
        let free = lock(&reconciler.running).insert(uid.clone());
        free.then(|| Self {
            reconciler: Arc::clone(reconciler),
            uid,
        })
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        lock(&self.reconciler.running).remove(&self.uid);
    }
}

/// Reconciles one object once the first lists are there.
pub(super) async fn reconcile(
    object: Arc<Watched>,
    reconciler: Arc<Reconciler>,
) -> Result<Requeue, ApiError> {
    // A shutdown ends the watches too: the first lists would never come.
    tokio::select! {
        () = reconciler.readiness.complete() => {}
        () = reconciler.stop.cancelled() => return Ok(Requeue::await_change()),
    }
    if !reconciler.leadership.is_current() {
        return Ok(Requeue::requeue(LEADERSHIP_DELAY));
    }
    tokio::select! {
        () = reconciler.recall_pauses() => {}
        () = reconciler.stop.cancelled() => return Ok(Requeue::await_change()),
    }
    let Some(exclusive) = Exclusive::take(&reconciler, object.uid().unwrap_or_default()) else {
        return Ok(Requeue::requeue(LONGEST_TURN));
    };
    let run = async move { exclusive.reconciler.run(&object).await };
    tokio::select! {
        result = reconciler.tasks.spawn(run) => match result {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        },
        // The task continues while other objects are reconciled, and the next reconcile of this one sees its result.
        () = tokio::time::sleep(LONGEST_TURN) => Ok(Requeue::requeue(LONGEST_TURN)),
    }
}

/// After an error of the API server, the object is reconciled again with a growing delay.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that kube calls"
)]
pub(super) fn on_error(
    object: Arc<Watched>,
    error: &ApiError,
    reconciler: Arc<Reconciler>,
) -> Requeue {
    if error.is_conflict() {
        return Requeue::requeue(CONFLICT_DELAY);
    }
    let errors = reconciler
        .states
        .api_errors(&object.uid().unwrap_or_default());
    let delay = Duration::from_secs(1 << errors.saturating_sub(1).min(6));
    Requeue::requeue(delay.min(LONGEST_API_DELAY))
}

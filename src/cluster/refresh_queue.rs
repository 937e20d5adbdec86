//! The refreshes that wait for a list of pods, so that one list serves all that wait when it begins.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::sync::{Semaphore, oneshot};

use crate::{kubernetes::error::ApiError, lock::lock, reconcile::PodsRefresh};

/// How many namespaces are listed at the same time, each with the names of a page of pods in memory.
const LISTS: usize = 4;

/// The refreshes that wait for a list of pods.
pub(crate) struct PodRefreshes {
    /// The queues by namespace.
    pub(super) queues: Mutex<HashMap<String, Arc<Queue>>>,
    pub(super) lists: Semaphore,
}

impl Default for PodRefreshes {
    fn default() -> Self {
        Self {
            queues: Mutex::default(),
            lists: Semaphore::new(LISTS),
        }
    }
}

/// The refreshes of one namespace.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: Mutex<Vec<Waiting>>,
    /// Held by the one that lists the pods.
    pub(super) turn: tokio::sync::Mutex<()>,
}

pub(super) struct Waiting {
    pub(super) refresh: PodsRefresh,
    pub(super) done: oneshot::Sender<Option<ApiError>>,
}

impl PodRefreshes {
    pub(super) fn queue(&self, namespace: &str) -> Arc<Queue> {
        let mut queues = lock(&self.queues);
        Arc::clone(queues.entry(namespace.to_owned()).or_default())
    }

    /// Forgets a namespace in which nobody waits.
    pub(super) fn leave(&self, namespace: &str, queue: Arc<Queue>) {
        let mut queues = lock(&self.queues);
        drop(queue);
        if queues
            .get(namespace)
            .is_some_and(|queue| Arc::strong_count(queue) == 1)
        {
            queues.remove(namespace);
        }
    }
}

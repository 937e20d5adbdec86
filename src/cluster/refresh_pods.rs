//! Makes pods see a refresh immediately: a kubelet brings the Secrets of a pod up to date when the pod's object changes. So each pod that
//! mounts a refreshed target gets an annotation.
//!
//! ```text
//!  refresh ─▶ waiting ─┐   one list at a time in each namespace, for all that wait when it begins
//!  refresh ─▶ waiting ─┴─▶ list, page by page ─▶ patch the pods of the page ─▶ forget them ─▶ next page
//! ```
//!
//! Pods are listed and not watched: an idle operator costs nothing then, and needs no memory for the pods of a cluster.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1;
use kube::{
    Error, Resource,
    api::{Patch, PatchParams},
    core::Request,
};
use serde_json::json;
use tokio::sync::oneshot;

use super::{context::Context, refresh_queue::Waiting};
use crate::{
    api::{FIELD_MANAGER, annotation},
    api_error::Cause,
    consumers::Pod,
    kubernetes::{
        bounded,
        error::{ApiError, call_within},
        pods::{PAGE, Pages},
    },
    lock::lock,
    reconcile::PodsRefresh,
};

/// The longest time for all pods of a namespace. The status waits for it; the others see the token when their kubelet looks again.
const DEADLINE: Duration = Duration::from_secs(4);
/// The longest time until it begins, where other namespaces are first.
const TURN: Duration = Duration::from_secs(30);
/// The longest time for one of them.
const PATCH: Duration = Duration::from_secs(2);
/// How many pods of a namespace are patched at the same time.
const AT_A_TIME: usize = 16;
/// The number of refusals without a success after which the rest is not tried.
const REFUSALS: usize = AT_A_TIME;

/// The pods that were patched up to now.
#[derive(Default)]
struct Tally {
    patched: usize,
    refused: usize,
    /// The first failure; a refusal says more than a timeout.
    error: Option<ApiError>,
}

impl Context {
    /// Annotates the pods that mount the target. A list that begins after the write of several targets serves all of them. Returns
    /// the first failure.
    pub(super) async fn refresh_pods(
        &self,
        namespace: &str,
        refresh: PodsRefresh,
    ) -> Option<ApiError> {
        let refreshes = &self.parts.pod_refreshes;
        let queue = refreshes.queue(namespace);
        let (done, mut result) = oneshot::channel();
        lock(&queue.waiting).push(Waiting { refresh, done });
        let turn = queue.turn.lock().await;
        let error = if let Ok(error) = result.try_recv() {
            error
        } else {
            let waiting = std::mem::take(&mut *lock(&queue.waiting));
            let error = self.refresh_all(namespace, &waiting).await;
            for other in waiting {
                // Nobody waits for it where a reconcile has panicked.
                let _ = other.done.send(error.clone());
            }
            error
        };
        drop(turn);
        refreshes.leave(namespace, queue);
        error
    }

    async fn refresh_all(&self, namespace: &str, waiting: &[Waiting]) -> Option<ApiError> {
        let wanted: BTreeMap<_, _> = waiting
            .iter()
            .map(|waiting| {
                let PodsRefresh { secret, mark, .. } = &waiting.refresh;
                (secret.as_str(), mark.as_str())
            })
            .collect();
        let tally = Mutex::default();
        let late = |limit: Duration| ApiError {
            verb: "annotate",
            object: format!("all pods of namespace {namespace} in time"),
            cause: Cause::Timeout(limit.as_secs()),
        };
        // The time that others take is none of its own.
        let lists = &self.parts.pod_refreshes.lists;
        let listed = match tokio::time::timeout(TURN, lists.acquire()).await {
            Ok(_turn) => {
                let all = self.patch_pages(namespace, &wanted, &tally);
                let listed = tokio::time::timeout(DEADLINE, all).await;
                listed.unwrap_or_else(|_| Err(late(DEADLINE)))
            }
            Err(_) => Err(late(TURN)),
        };
        if listed.is_err() {
            self.parts.metrics.pods_refreshed("incomplete", 1);
        }
        lock(&tally).error.take().or(listed.err())
    }

    /// Patches the pods that mount one of these Secrets, page by page.
    async fn patch_pages(
        &self,
        namespace: &str,
        wanted: &BTreeMap<&str, &str>,
        tally: &Mutex<Tally>,
    ) -> Result<(), ApiError> {
        let mut pages = Pages::new(&self.parts.client, namespace, PAGE);
        let due = |pod: &Pod| {
            let mounted = pod.mounted(|secret| wanted.contains_key(secret));
            let mut marks = mounted.filter_map(|secret| wanted.get(secret));
            // One change is enough for all that it mounts.
            let mark = marks.find(|mark| !pod.has_mark(mark))?;
            Some((pod.name().to_owned(), *mark))
        };
        // Large pods are not kept until they are patched.
        let all_due = |pods: Vec<Pod>| pods.iter().filter_map(due).collect::<Vec<_>>();
        while let Some(due) = pages.next(all_due).await? {
            stream::iter(&due)
                .for_each_concurrent(AT_A_TIME, |(pod, mark)| {
                    self.patch_pod(namespace, pod, mark, tally)
                })
                .await;
            if lock(tally).gives_up() {
                break;
            }
        }
        Ok(())
    }

    async fn patch_pod(&self, namespace: &str, pod: &str, mark: &str, tally: &Mutex<Tally>) {
        if lock(tally).gives_up() {
            return;
        }
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({
            "metadata": {"annotations": {annotation::REFRESHED_AT: mark}},
        }));
        let patched = async {
            let request = Request::new(v1::Pod::url_path(&(), Some(namespace)))
                .patch_metadata(pod, &parameters, &patch)
                .map_err(Error::BuildRequest)?;
            bounded::send(&self.parts.client, request).await
        };
        let object = format!("pod {namespace}/{pod}");
        let metrics = &self.parts.metrics;
        match call_within(PATCH, "patch", object, patched).await {
            Ok(()) => {
                lock(tally).patched += 1;
                metrics.pods_refreshed("ok", 1);
            }
            // It does not run any more.
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                lock(tally).failed(error);
                metrics.pods_refreshed("error", 1);
            }
        }
    }
}

impl Tally {
    fn failed(&mut self, error: ApiError) {
        let refusal = error.is_refusal();
        self.refused += usize::from(refusal);
        let known = self.error.as_ref();
        if known.is_none_or(|known| refusal && !known.is_refusal()) {
            self.error = Some(error);
        }
    }

    /// Without the right, each further pod would be a request for nothing.
    fn gives_up(&self) -> bool {
        self.patched == 0 && self.refused >= REFUSALS
    }
}

#[cfg(test)]
mod tests;

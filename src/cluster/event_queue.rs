//! The events that wait. A warning is published immediately, but an event of success asks nobody to do anything, so no token waits
//! for it: one task publishes what is in the queue, one event after the other, and lets the reconciles in progress go first. With
//! thousands of new credentials, such events would take an eighth of the API server's time before the last token is issued.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;
use tokio::{
    select,
    sync::mpsc::{self, Receiver, Sender},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::CubeCredential,
    clock::precisely,
    kubernetes::events::{Announcement, Delivery, Recorder},
    object::ObjectKey,
    reconcile::Event,
};

/// The most events that wait. One takes 250 bytes, and 750 with the longest names. Further ones are published immediately.
const MOST_WAITING: usize = 10_000;
/// How long an event lets reconciles go first. There may always be some.
const BEHIND_RECONCILES: Duration = Duration::from_millis(100);
/// The time for which a process that stops still publishes what waits.
const LAST_TIME: Duration = Duration::from_secs(5);
/// The time between two attempts while the API server cannot be reached.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(5);

/// The queue of the events that wait.
#[derive(Clone, Default)]
pub(crate) struct EventQueue(Option<Sender<Waiting>>);

/// An event about a `CubeCredential`, without what all of them have in common.
pub(crate) struct Waiting {
    about: ObjectKey,
    uid: Box<str>,
    event: Event,
    at: Timestamp,
}

impl EventQueue {
    /// A queue, and its events for `publish_waiting`.
    pub(crate) fn new() -> (Self, Receiver<Waiting>) {
        Self::of(MOST_WAITING)
    }

    fn of(most: usize) -> (Self, Receiver<Waiting>) {
        let (sender, receiver) = mpsc::channel(most);
        (Self(Some(sender)), receiver)
    }

    /// Takes an event about a `CubeCredential`, unless it has to be published immediately: because it is a warning, or the queue is
    /// full, or nobody publishes what is in it. One that is also about another object is not for this queue.
    pub(super) fn take(&self, about: ObjectKey, uid: Option<&str>, event: &Event) -> bool {
        let Self(Some(sender)) = self else {
            return false;
        };
        if event.kind.is_warning() {
            return false;
        }
        let waiting = Waiting {
            about,
            uid: uid.unwrap_or_default().into(),
            event: event.clone(),
            at: precisely(),
        };
        sender.try_send(waiting).is_ok()
    }
}

/// Publishes the events of a queue until the process ends, and for a short time those that wait then. `is_busy` says whether
/// reconciles use the API server.
pub(crate) async fn publish_waiting(
    recorder: Recorder,
    queue: Receiver<Waiting>,
    is_busy: impl Fn() -> bool,
    end: CancellationToken,
) {
    let limit = async {
        end.cancelled().await;
        sleep(LAST_TIME).await;
    };
    select! {
        () = publish_all(&recorder, queue, is_busy, &end) => {}
        () = limit => tracing::warn!("stopped before all events of success were published"),
    }
}

async fn publish_all(
    recorder: &Recorder,
    mut queue: Receiver<Waiting>,
    is_busy: impl Fn() -> bool,
    end: &CancellationToken,
) {
    while let Some(Some(waiting)) = end.run_until_cancelled(queue.recv()).await {
        if is_busy() {
            end.run_until_cancelled(sleep(BEHIND_RECONCILES)).await;
        }
        waiting.publish(recorder).await;
    }
    queue.close();
    while let Some(waiting) = queue.recv().await {
        waiting.publish(recorder).await;
    }
}

impl Waiting {
    /// Publishes it. Others wait while the API server cannot be reached, so an outage loses none of them.
    async fn publish(&self, recorder: &Recorder) {
        let about = self.reference();
        let announcement = || announcement(&self.event, None, self.at);
        while recorder.publish(&about, announcement()).await == Delivery::Unreachable {
            sleep(BETWEEN_ATTEMPTS).await;
        }
    }

    fn reference(&self) -> ObjectReference {
        let (namespace, name) = self.about.parts();
        ObjectReference {
            api_version: Some(CubeCredential::api_version(&()).into()),
            kind: Some(CubeCredential::kind(&()).into()),
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            uid: Some((&*self.uid).into()),
            ..ObjectReference::default()
        }
    }
}

pub(super) fn announcement(
    event: &Event,
    related: Option<ObjectReference>,
    at: Timestamp,
) -> Announcement<'_> {
    Announcement {
        is_warning: event.kind.is_warning(),
        reason: event.kind.reason(),
        note: &event.note,
        related,
        at,
    }
}

#[cfg(test)]
mod tests;

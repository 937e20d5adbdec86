//! Events (events.k8s.io/v1): what `kubectl describe` shows of changes. Best effort; the conditions are what counts.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    runtime::events::{Event as KubeEvent, EventType, Recorder},
};

use super::world::Watched;
use crate::reconcile::Event;

/// The longest note that the API server takes.
const LONGEST_NOTE: usize = 1024;

/// Publishes one event, which may be about another object too: without that, kube counts it as a repeat of the one before.
pub async fn publish(
    recorder: &Recorder,
    object: &Watched,
    news: &Event,
    related: Option<ObjectReference>,
) {
    let note = news.note.chars().take(LONGEST_NOTE).collect();
    let event = KubeEvent {
        type_: if news.kind.is_warning() {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: news.kind.reason(),
        note: Some(note),
        action: "Refresh".into(),
        secondary: related,
    };
    if let Err(error) = recorder.publish(&event, &object.object_ref(&())).await {
        tracing::warn!(error = %super::error::explain_kube(&error), reason = event.reason, "event not published");
    }
}

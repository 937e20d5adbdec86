//! Events (events.k8s.io/v1), which `kubectl describe` shows. They are best effort: the conditions are authoritative.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder};

use crate::scrub::visible;

/// The longest note that the API server accepts.
const LONGEST_NOTE: usize = 1024;

/// The content of an event about an object.
pub(crate) struct Announcement<'a> {
    pub(crate) is_warning: bool,
    pub(crate) reason: String,
    pub(crate) note: &'a str,
    /// Another object that the event is about. Without one, kube counts the event as a repetition of the last one.
    pub(crate) related: Option<ObjectReference>,
}

/// Publishes one event about an object.
pub(crate) async fn publish(
    recorder: &Recorder,
    object: &ObjectReference,
    announcement: Announcement<'_>,
) {
    let event = Event {
        type_: if announcement.is_warning {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: announcement.reason,
        note: Some(
            visible(announcement.note)
                .chars()
                .take(LONGEST_NOTE)
                .collect(),
        ),
        action: "Refresh".into(),
        secondary: announcement.related,
    };
    if let Err(error) = recorder.publish(&event, object).await {
        tracing::warn!(error = %super::error::explain_kube(&error), reason = event.reason, "event not published");
    }
}

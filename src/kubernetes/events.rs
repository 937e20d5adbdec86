//! Events (events.k8s.io/v1), which `kubectl describe` shows. They are best effort: the conditions are authoritative.
//!
//! kube's recorder remembers every event of the last six minutes, and walks over all of them for each further one, to count
//! repetitions. Each of ours reports a change, so none repeats another.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{Api, Client, api::PostParams, core::ObjectMeta};

use super::error::{Cause, call_within};
use crate::scrub::visible;

/// The time for one event. No event matters so much that others wait longer for it.
const LIMIT: Duration = Duration::from_secs(5);
/// The longest note that the API server accepts.
const LONGEST_NOTE: usize = 1024;
/// The most characters before the time in a name, which has 253 at most.
const LONGEST_START: usize = 230;

/// Publishes events under the name of this process.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) client: Client,
    /// The name of the program.
    pub(crate) controller: &'static str,
    /// The name of the process; `None`: it is not distinguished from others.
    pub(crate) instance: Option<String>,
}

/// The content of an event about an object.
pub(crate) struct Announcement<'a> {
    pub(crate) is_warning: bool,
    pub(crate) reason: String,
    pub(crate) note: &'a str,
    /// Another object that the event is about.
    pub(crate) related: Option<ObjectReference>,
    /// The time of what it reports.
    pub(crate) at: Timestamp,
}

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The event is published, or given up because the API server refused it or did not respond in time.
    Over,
    /// The API server cannot be reached: the event has not arrived.
    Unreachable,
}

impl Recorder {
    /// Publishes one event about an object. An error is logged.
    pub(crate) async fn publish(
        &self,
        object: &ObjectReference,
        announcement: Announcement<'_>,
    ) -> Delivery {
        let event = self.event(object, announcement);
        let namespace = object.namespace.as_deref().unwrap_or("default");
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let parameters = PostParams::default();
        let created = api.create(&parameters, &event);
        let Err(error) = call_within(LIMIT, "create", "the event", created).await else {
            return Delivery::Over;
        };
        tracing::warn!(namespace, name = object.name, reason = event.reason, %error, "failed to publish an event");
        match error.cause {
            Cause::Connection(_) => Delivery::Unreachable,
            _ => Delivery::Over,
        }
    }

    fn event(&self, object: &ObjectReference, announcement: Announcement<'_>) -> Event {
        let about = object.name.as_deref().unwrap_or(self.controller);
        let instance = self.instance.as_deref().unwrap_or(self.controller);
        let r#type = if announcement.is_warning {
            "Warning"
        } else {
            "Normal"
        };
        let (note, at) = (visible(announcement.note), announcement.at);
        Event {
            action: Some("Refresh".into()),
            event_time: Some(MicroTime(at)),
            metadata: ObjectMeta {
                name: Some(name(about, at)),
                namespace: object.namespace.clone(),
                ..ObjectMeta::default()
            },
            note: Some(note.chars().take(LONGEST_NOTE).collect()),
            reason: Some(announcement.reason),
            regarding: Some(object.clone()),
            related: announcement.related,
            reporting_controller: Some(self.controller.into()),
            reporting_instance: Some(instance.into()),
            type_: Some(r#type.into()),
            ..Event::default()
        }
    }
}

/// The name of an event. `kubectl describe` shows the events of an object in the order of their names, so the time is in them.
fn name(about: &str, at: Timestamp) -> String {
    let start: String = about.chars().take(LONGEST_START).collect();
    let start = start.trim_end_matches(['.', '-']);
    format!("{start}.{:016x}", at.as_nanosecond())
}

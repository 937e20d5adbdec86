//! The last events of a `CubeCredential`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1;
use kube::{
    Error, Resource,
    api::ListParams,
    core::{ObjectList, Request},
};
use serde::{Deserialize, Serialize};

use crate::{
    kubernetes::error::call,
    plugin::{cluster::Cluster, object::Object, rights::Right},
    scrub::visible,
};

/// More of them tell no more.
const MOST: usize = 5;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Happening {
    pub(super) at: Option<Timestamp>,
    pub(super) r#type: String,
    pub(super) reason: String,
    pub(super) message: String,
}

/// An event as the core API shows it: those who may view a namespace may read it there.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Listed {
    r#type: Option<String>,
    reason: Option<String>,
    message: Option<String>,
    event_time: Option<Timestamp>,
    last_timestamp: Option<Timestamp>,
    series: Option<Series>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    last_observed_time: Option<Timestamp>,
}

impl From<Listed> for Happening {
    fn from(event: Listed) -> Self {
        let text = |text: Option<String>| visible(&text.unwrap_or_default());
        let repeated = event.series.and_then(|series| series.last_observed_time);
        Self {
            at: repeated.or(event.last_timestamp).or(event.event_time),
            r#type: text(event.r#type),
            reason: text(event.reason),
            message: text(event.message),
        }
    }
}

/// The last events, the newest first.
///
/// # Errors
/// A sentence that says why they are not known.
pub(super) async fn of(cluster: &Cluster, object: &Object) -> Result<Vec<Happening>, String> {
    let namespace = &cluster.namespace;
    let request = Request::new(v1::Event::url_path(&(), Some(namespace)));
    let about = format!("involvedObject.uid={}", object.uid());
    let parameters = ListParams::default().fields(&about);
    let list = async {
        let request = request.list(&parameters).map_err(Error::BuildRequest)?;
        cluster.client.request::<ObjectList<Listed>>(request).await
    };
    let listed = call("list", format!("events of namespace {namespace}"), list).await;
    let listed = listed.map_err(|error| {
        let right = Right::new("list", "events", Some(namespace));
        right.explain(error).to_string()
    })?;
    let mut events: Vec<_> = listed.items.into_iter().map(Happening::from).collect();
    // The list is in the order of the names, which have the time more precisely than the events.
    events.sort_by_key(|event| event.at);
    events.reverse();
    events.truncate(MOST);
    Ok(events)
}

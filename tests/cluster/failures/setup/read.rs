//! Reads the statuses and events of the rows.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use cube_operator::api::{
    ConditionType::{Ready, Refreshed},
    CubeCredential, CubeCredentialStatus,
};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::{Api, ResourceExt, api::ListParams};
use url::Url;

use super::super::row::Row;
use crate::{
    operator::DEADLINE,
    place::{is, told},
};

use super::Setup;

impl Setup {
    /// All statuses, by the name of the object.
    pub(in crate::failures) fn statuses(&self) -> BTreeMap<String, CubeCredentialStatus> {
        let api: Api<CubeCredential> = Api::namespaced(self.client.clone(), &self.place.namespace);
        let list = self
            .runtime
            .block_on(api.list(&ListParams::default()))
            .unwrap();
        list.into_iter()
            .map(|object| (object.name_any(), object.status.unwrap_or_default()))
            .collect()
    }

    /// Waits until the status of each of these rows fits, or fails with the rows that do not.
    pub(in crate::failures) fn wait_until<'a>(
        &self,
        what: &str,
        rows: impl Iterator<Item = &'a Row>,
        fits: impl Fn(&Row, &CubeCredentialStatus) -> bool,
    ) {
        let mut rows: Vec<_> = rows.collect();
        let start = Instant::now();
        while !rows.is_empty() {
            let statuses = self.statuses();
            rows.retain(|row| !fits(row, &statuses[&row.object()]));
            let left = || {
                rows.iter()
                    .map(|row| (row.name, told(&statuses[&row.object()])))
            };
            assert!(
                start.elapsed() < DEADLINE,
                "{what}: {:#?}",
                left().collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The events about each row in the order in which they came, without their notes: `Warning InvalidClient`.
    pub(in crate::failures) fn events(&self) -> BTreeMap<String, Vec<String>> {
        let mut list = self.all_events();
        list.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
        let mut events = BTreeMap::<_, Vec<_>>::new();
        for event in list {
            let about = event.regarding.and_then(|object| object.name).unwrap();
            let line = [event.type_, event.reason].map(Option::unwrap).join(" ");
            events.entry(about).or_default().push(line);
        }
        events
    }

    /// The notes of all events.
    pub(in crate::failures) fn notes(&self) -> impl Iterator<Item = String> {
        self.all_events().into_iter().filter_map(|event| event.note)
    }

    fn all_events(&self) -> Vec<Event> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.place.namespace);
        self.runtime
            .block_on(api.list(&ListParams::default()))
            .unwrap()
            .items
    }

    /// The conditions of a row, with names and times of this run in place of the `{placeholders}`.
    pub(in crate::failures) fn fill(
        &self,
        row: &Row,
        status: &CubeCredentialStatus,
    ) -> Vec<String> {
        let spec = &self.broken(row).credential["spec"];
        // With a provider object, the spec has none.
        let url = spec["tokenURL"]
            .as_str()
            .unwrap_or("https://provider.invalid");
        let url = Url::parse(url).unwrap();
        let name = |kind: &str| format!("\"row-{}-{kind}\"", row.name);
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let values = [
            ("{host}", url.authority().to_owned()),
            ("{client}", name("client")),
            ("{login}", name("login")),
            ("{target}", name("token")),
            ("{state}", name("cube-state")),
            ("{roots}", spec["caBundleRef"]["name"].to_string()),
            ("{name}", format!("row-{}", row.name)),
            ("{namespace}", self.place.namespace.clone()),
            (
                "{api}",
                self.api
                    .address
                    .to_string()
                    .replace("127.0.0.1", "localhost"),
            ),
            ("{probe}", retrying_at(status).unwrap_or_default()),
            ("{time}", next_try(status).unwrap_or_default()),
            ("{expires}", text(status.expires_at)),
            ("{issued}", text(status.issued_at)),
            ("{refresh}", text(status.refresh_at)),
        ];
        let fill = |line: &String| {
            let line = values.iter().fold(line.clone(), |line, (name, value)| {
                line.replace(name, value)
            });
            if line.contains("{uid}") {
                return line.replace("{uid}", &self.uid(row));
            }
            line
        };
        row.conditions.iter().map(fill).collect()
    }

    pub(in crate::failures) fn uid(&self, row: &Row) -> String {
        let api: Api<CubeCredential> = Api::namespaced(self.client.clone(), &self.place.namespace);
        let object = self.runtime.block_on(api.get(&row.object()));
        object
            .ok()
            .and_then(|object| object.uid())
            .unwrap_or_default()
    }
}

/// Whether the last exchange worked and its token is published.
pub(in crate::failures) fn is_well(status: &CubeCredentialStatus) -> bool {
    is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
}

/// The time of the next attempt, as the message shows it.
pub(in crate::failures) fn next_try(status: &CubeCredentialStatus) -> Option<String> {
    if let Some(time) = status.refresh_at {
        return Some(time.to_string());
    }
    retrying_at(status)
}

/// The time in a message.
fn retrying_at(status: &CubeCredentialStatus) -> Option<String> {
    let text = told(status).concat();
    let (_, after) = text.split_once("retrying at ")?;
    Some(after[..=after.find('Z')?].to_owned())
}

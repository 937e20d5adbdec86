//! The documents of `-o json` and `-o yaml`. Their fields are an interface: docs/kubectl-cube.md lists them, and one that is there
//! keeps its name and meaning.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    path::{Kind, Part, Path},
    recent::Happening,
    urgency::{Row, Urgency, order},
};
use crate::{plugin::object::Object, reconcile::Mark};

const API_VERSION: &str = "kubectl-cube.cube-operator.dev/v1";

/// All objects, the most urgent first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    api_version: &'static str,
    kind: &'static str,
    items: Vec<Item>,
}

/// One object with everything around it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct One<'a> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    item: Item,
    path: Vec<PathItem<'a>>,
    /// The events, the newest first.
    events: &'a [Happening],
    /// The reason why the events are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_unseen: Option<&'a str>,
}

/// The facts about one object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    namespace: String,
    name: String,
    urgency: Urgency,
    ready: bool,
    reason: String,
    message: String,
    expires_at: Option<Timestamp>,
    refresh_at: Option<Timestamp>,
    login_expires_at: Option<Timestamp>,
    suspended: bool,
    secret: String,
}

/// A part of the path.
#[derive(Serialize)]
pub(super) struct PathItem<'a> {
    part: Kind,
    health: &'static str,
    message: &'a str,
}

impl Item {
    fn of(object: &Object, row: Row) -> Self {
        Self {
            namespace: row.namespace,
            name: row.name,
            urgency: row.urgency,
            ready: row.is_ready,
            reason: row.reason,
            message: row.message,
            expires_at: row.expires_at,
            refresh_at: row.refresh_at,
            login_expires_at: object.status.login_expires_at,
            suspended: object.is_suspended(),
            secret: row.secret,
        }
    }
}

impl List {
    pub(super) fn of(objects: &[Object], now: Timestamp) -> Self {
        let rows = objects.iter().map(|object| (object, Row::of(object, now)));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|(_, a), (_, b)| order(a, b));
        let items = rows.into_iter().map(|(object, row)| Item::of(object, row));
        Self {
            api_version: API_VERSION,
            kind: "CredentialStatusList",
            items: items.collect(),
        }
    }
}

impl<'a> One<'a> {
    pub(super) fn of(object: &Object, path: &'a Path, now: Timestamp) -> Self {
        let parts = path.status.iter().chain(&path.parts).chain(&path.consumers);
        Self {
            api_version: API_VERSION,
            kind: "CredentialStatus",
            item: Item::of(object, Row::of(object, now)),
            path: parts.map(PathItem::of).collect(),
            events: path.events.as_deref().unwrap_or_default(),
            events_unseen: path.events.as_ref().err().map(String::as_str),
        }
    }
}

impl<'a> PathItem<'a> {
    fn of(part: &'a Part) -> Self {
        Self {
            part: part.kind,
            health: match part.health.mark {
                Mark::Good => "Good",
                Mark::Notice => "Notice",
                Mark::Bad => "Bad",
                Mark::Unseen => "Unseen",
            },
            message: &part.health.message,
        }
    }
}

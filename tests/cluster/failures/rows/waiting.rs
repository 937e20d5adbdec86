//! States that are no failure: they end by themselves, or somebody wanted them.

use cube_operator::api::{
    Grant,
    Reason::{RateBudget, Suspended},
};
use serde_json::json;

use super::super::row::{Repair, Retry, Row};
use crate::scripted::Reply;

/// Nobody has to do anything.
pub(super) fn resting() -> Vec<Row> {
    let suspended =
        "Suspended: spec.suspend is true, so no token is requested: set it to false to go on";
    let pending = "Pending: the token has expired after 5s: ask the provider for tokens that live longer; the next one is \
                   requested at {refresh}";
    let short = Reply::json(200, r#"{"access_token":"short","expires_in":5}"#);
    let short = Row::issued("short", Grant::ClientCredentials, short, 5)
        .with_events(&["Normal TokenIssued", "Warning ShortLivedToken"]);
    let turn = "RateBudget: the provider has asked this client to pause, so the next token request waits until {time}: nothing has to \
                be done";
    vec![
        Row {
            conditions: vec![
                format!("Ready=False {suspended}"),
                format!("Refreshed=Unknown {suspended}"),
            ],
            events: Vec::new(),
            ..Row::preflight("suspended", Suspended, "", |objects, _| {
                objects.credential["spec"]["suspend"] = json!(true);
            })
        },
        Row {
            conditions: vec![
                format!("Ready=False {pending}"),
                short.conditions[1].clone(),
                format!("Reconciling=True {pending}"),
            ],
            // It begins later than the others: its token has to be published before it expires.
            after: Some("silent"),
            repair: Repair::Time,
            ..short
        },
        Row {
            conditions: vec![
                format!("Ready=False {turn}"),
                format!("Refreshed=Unknown {turn}"),
                format!("Reconciling=True {turn}"),
            ],
            events: Vec::new(),
            retry: Retry::Turn,
            after: Some("limited-300"),
            repair: Repair::Pause,
            ..Row::preflight("turn", RateBudget, "", |objects, setup| {
                objects.put_client("client-id", Some(b"limited-300"));
                objects.at(&setup.url("/limited-300?row=turn"));
            })
        },
    ]
}

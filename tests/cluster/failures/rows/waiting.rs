//! States that are no failure: they end by themselves, or somebody wanted them.

use cube_operator::api::{
    Grant,
    Reason::{RateBudget, Suspended, TokenTooShort},
};
use serde_json::json;

use super::super::row::{Repair, Retry, Row};
use crate::scripted::Reply;

/// Nobody has to do anything.
pub(super) fn resting() -> Vec<Row> {
    let short = Reply::json(200, r#"{"access_token":"short","expires_in":5}"#);
    let short = Row::issued("short", Grant::ClientCredentials, short, 5)
        .with_events(&["Normal TokenIssued", "Warning ShortLivedToken"]);
    vec![
        Row {
            conditions: vec![
                "Ready=False Suspended: Secret {target} has no valid token: spec.suspend is true".into(),
                "Refreshed=Unknown Suspended: no token is requested while spec.suspend is true: set it to false to resume".into(),
            ],
            events: Vec::new(),
            ..Row::preflight("suspended", Suspended, "", |objects, _| {
                objects.credential["spec"]["suspend"] = json!(true);
            })
        },
        Row {
            conditions: vec![
                "Ready=False TokenTooShort: token in Secret {target} expired at {expires} after 5s: ask the provider for tokens that live \
                 5 minutes or longer"
                    .into(),
                short.conditions[1].clone(),
                Retry::Turn.progress(TokenTooShort, "Ready"),
            ],
            // It begins later than the others: its token has to be published before it expires.
            after: Some("silent"),
            repair: Repair::Time,
            ..short
        },
        Row {
            conditions: vec![
                "Ready=False RateBudget: Secret {target} has no valid token: the next token request has to wait".into(),
                "Refreshed=Unknown RateBudget: waiting until {time}: the provider asked this client to pause: no action needed".into(),
                Retry::Turn.progress(RateBudget, "Refreshed"),
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

//! What else keeps a token from where it should be, and what is no failure at all.

use cube_operator::api::{
    Grant,
    Reason::{
        RateBudget, StateConflict, StateNotWritable, Suspended, TargetConflict, TargetDuplicate,
        TargetNotWritable,
    },
};
use serde_json::{Value, json};

use super::row::{Change, Cure, Next, Row};
use crate::scripted::Reply;

/// What Refreshed says of a target that is not ours.
const NO_REQUEST: &str =
    "Refreshed=Unknown Pending: no token is requested while there is no Secret to publish it in";

/// The names of the policies in the way.
pub(super) const NO_NEW: &str = "no-new-secrets";
pub(super) const NO_CHANGE: &str = "no-changed-tokens";

pub(super) fn rows() -> Vec<Row> {
    [targets(), states(), resting()]
        .into_iter()
        .flatten()
        .collect()
}

fn target(
    name: &'static str,
    reason: cube_operator::api::Reason,
    message: &str,
    spoil: Change,
) -> Row {
    let row = Row::local(name, reason, message, spoil);
    let told = [&row.told[0], NO_REQUEST, &row.told[2]].map(ToOwned::to_owned);
    Row {
        told: told.into(),
        next: Next::Look,
        ..row
    }
}

fn foreign(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": "theirs"}})
}

/// What the API server says of a Secret that a policy refuses.
fn denied(secret: &str, policy: &str, message: &str) -> String {
    format!(
        "cannot write Secret {{namespace}}/{secret}: secrets \"{secret}\" is forbidden: ValidatingAdmissionPolicy '{policy}' with \
         binding '{policy}' denied request: {message} (422 Invalid)"
    )
}

fn targets() -> Vec<Row> {
    let refused = denied("row-refused-target-token", NO_NEW, "no new Secrets");
    vec![
        target(
            "conflict",
            TargetConflict,
            "Secret {target} exists and does not belong to this CubeCredential, so it is left alone: delete it, or set \
             spec.target.name to another name; it is looked at again every minute",
            |objects, _| objects.others.push(foreign("row-conflict-token")),
        )
        .cured_by(Cure::Deletion(&["secret/row-conflict-token"])),
        Row {
            // That of the elder.
            requests: 1,
            ..target(
                "duplicate",
                TargetDuplicate,
                "CubeCredential \"elder\" is older and has the same target Secret {target}: set spec.target.name of one of the two \
                 to another name; it is looked at again when one of them changes, and every minute",
                |objects, _| objects.others.push(objects.sibling("elder", "row-duplicate-token")),
            )
        }
        .cured_by(Cure::Change(|objects, _| {
            objects.others = vec![objects.sibling("elder", "elder-token")];
        })),
        Row {
            replies: vec![Reply::token("waits-in-memory")],
            // One by each process: the token that could not be published is in memory alone.
            requests: 2,
            asks_again: 0,
            cure: Cure::Policy,
            ..Row::failing(
                "refused-target",
                Grant::ClientCredentials,
                TargetNotWritable,
                &format!(
                    "{refused}: raise the quota, or have the policy or the role permit this Secret; next try at {{time}}, or at once \
                     when the spec changes"
                ),
                Next::Write,
            )
        },
    ]
}

fn states() -> Vec<Row> {
    let refused = denied("row-refused-state-cube-state", NO_NEW, "no new Secrets");
    let unchanged = denied("row-storing-cube-state", NO_CHANGE, "no new tokens");
    let second = Reply::json(
        200,
        r#"{"access_token":"a-token","expires_in":3600,"refresh_token":"second-storing"}"#,
    );
    vec![
        Row {
            next: Next::Look,
            cure: Cure::Deletion(&["secret/row-r-foreign-cube-state"]),
            ..Row::local_r(
                "r-foreign",
                StateConflict,
                "Secret {state}, where the refresh token is to be kept, exists and does not belong to this CubeCredential, so it is \
                 left alone and nothing is sent: delete it, or give this CubeCredential another name; it is looked at again every \
                 minute",
                |objects, _| objects.others.push(foreign("row-r-foreign-cube-state")),
            )
        },
        Row {
            cure: Cure::Policy,
            ..Row::failing(
                "refused-state",
                Grant::RefreshToken,
                StateNotWritable,
                &format!(
                    "{refused}: raise the quota, or have the policy or the role permit this Secret; next try at {{time}}, or at once \
                     when the spec changes"
                ),
                Next::Write,
            )
        },
        // What is in memory alone holds the process up: this one is cured before the restart.
        Row {
            replies: vec![second],
            requests: 1,
            cure: Cure::Early,
            ..Row::failing(
                "storing",
                Grant::RefreshToken,
                StateNotWritable,
                &format!(
                    "do not restart the operator: the new refresh token is in its memory alone; {unchanged}: remove what is in the \
                     way; it is written again every 5 s"
                ),
                Next::Never,
            )
        }
        .while_a_token_lives()
        .with_events(&["Normal TokenIssued", "Warning StateNotWritable", "Normal RefreshRequested"])
        .then_sends("second"),
    ]
}

/// Nobody has to do anything.
fn resting() -> Vec<Row> {
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
            told: vec![
                format!("Ready=False {suspended}"),
                format!("Refreshed=Unknown {suspended}"),
            ],
            events: Vec::new(),
            ..Row::local("suspended", Suspended, "", |objects, _| {
                objects.credential["spec"]["suspend"] = json!(true);
            })
        },
        Row {
            told: vec![
                format!("Ready=False {pending}"),
                short.told[1].clone(),
                format!("Reconciling=True {pending}"),
            ],
            // When not all begin at once: its token has to be published before it expires.
            after: Some("silent"),
            cure: Cure::Time,
            ..short
        },
        Row {
            told: vec![
                format!("Ready=False {turn}"),
                format!("Refreshed=Unknown {turn}"),
                format!("Reconciling=True {turn}"),
            ],
            events: Vec::new(),
            next: Next::Turn,
            after: Some("limited-300"),
            cure: Cure::Pause,
            ..Row::local("turn", RateBudget, "", |objects, stage| {
                objects.put_client("client-id", Some(b"limited-300"));
                objects.at(&stage.url("/limited-300?row=turn"));
            })
        },
    ]
}

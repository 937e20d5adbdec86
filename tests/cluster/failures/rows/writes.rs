//! Conflicts and refused writes that keep a token, or a refresh token, from its Secret.

use cube_operator::api::{
    Grant,
    Reason::{StateConflict, StateNotWritable, TargetConflict, TargetDuplicate, TargetNotWritable},
};
use serde_json::{Value, json};

use super::super::row::{Change, Repair, Retry, Row};
use crate::scripted::Reply;

/// The condition `Refreshed` while the target belongs to somebody else.
const NO_REQUEST: &str =
    "Refreshed=Unknown Pending: no token is requested while there is no Secret to publish it in";

/// The names of the policies that deny writes.
pub(in crate::failures) const NO_NEW: &str = "no-new-secrets";
pub(in crate::failures) const NO_CHANGE: &str = "no-changed-tokens";

fn target(
    name: &'static str,
    reason: cube_operator::api::Reason,
    message: &str,
    fault: Change,
) -> Row {
    let row = Row::preflight(name, reason, message, fault);
    let conditions = [&row.conditions[0], NO_REQUEST, &row.conditions[2]].map(ToOwned::to_owned);
    Row {
        conditions: conditions.into(),
        retry: Retry::Recheck,
        ..row
    }
}

fn foreign(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": "theirs"}})
}

/// The API server's message about a Secret that a policy denies.
fn denied(secret: &str, policy: &str, message: &str) -> String {
    format!(
        "cannot write Secret {{namespace}}/{secret}: secrets \"{secret}\" is forbidden: ValidatingAdmissionPolicy '{policy}' with \
         binding '{policy}' denied request: {message} (422 Invalid)"
    )
}

pub(super) fn targets() -> Vec<Row> {
    let refused = denied("row-refused-target-token", NO_NEW, "no new Secrets");
    vec![
        target(
            "conflict",
            TargetConflict,
            "Secret {target} exists and does not belong to this CubeCredential, so it is left alone: delete it, or set \
             spec.target.name to another name; it is looked at again every minute",
            |objects, _| objects.others.push(foreign("row-conflict-token")),
        )
        .repaired_by(Repair::Deletion(&["secret/row-conflict-token"])),
        Row {
            // The older one makes it.
            requests: 1,
            ..target(
                "duplicate",
                TargetDuplicate,
                "CubeCredential \"elder\" is older and has the same target Secret {target}: set spec.target.name of one of the two \
                 to another name; it is looked at again when one of them changes, and every minute",
                |objects, _| objects.others.push(objects.sibling("elder", "row-duplicate-token")),
            )
        }
        .repaired_by(Repair::Change(|objects, _| {
            objects.others = vec![objects.sibling("elder", "elder-token")];
        })),
        Row {
            replies: vec![Reply::token("waits-in-memory")],
            // Each of the two processes makes one: the token that could not be published was only in memory.
            requests: 2,
            requests_after_repair: 0,
            repair: Repair::Policy,
            ..Row::failing(
                "refused-target",
                Grant::ClientCredentials,
                TargetNotWritable,
                &format!(
                    "{refused}: raise the quota, or have the policy or the role permit this Secret; next try at {{time}}, or at once \
                     when the spec changes"
                ),
                Retry::Write,
            )
        },
    ]
}

pub(super) fn states() -> Vec<Row> {
    let refused = denied("row-refused-state-cube-state", NO_NEW, "no new Secrets");
    let unchanged = denied("row-storing-cube-state", NO_CHANGE, "no new tokens");
    let second = Reply::json(
        200,
        r#"{"access_token":"a-token","expires_in":3600,"refresh_token":"second-storing"}"#,
    );
    vec![
        Row {
            retry: Retry::Recheck,
            repair: Repair::Deletion(&["secret/row-r-foreign-cube-state"]),
            ..Row::preflight_r(
                "r-foreign",
                StateConflict,
                "Secret {state}, where the refresh token is to be kept, exists and does not belong to this CubeCredential, so it is \
                 left alone and nothing is sent: delete it, or give this CubeCredential another name; it is looked at again every \
                 minute",
                |objects, _| objects.others.push(foreign("row-r-foreign-cube-state")),
            )
        },
        Row {
            repair: Repair::Policy,
            ..Row::failing(
                "refused-state",
                Grant::RefreshToken,
                StateNotWritable,
                &format!(
                    "{refused}: raise the quota, or have the policy or the role permit this Secret; next try at {{time}}, or at once \
                     when the spec changes"
                ),
                Retry::Write,
            )
        },
        // A process does not end while a response is only in its memory, so this row is repaired before the restart.
        Row {
            replies: vec![second],
            requests: 1,
            repair: Repair::BeforeRestart,
            ..Row::failing(
                "storing",
                Grant::RefreshToken,
                StateNotWritable,
                &format!(
                    "do not restart the operator: the new refresh token is in its memory alone; {unchanged}: remove what is in the \
                     way; it is written again every 5 s"
                ),
                Retry::Never,
            )
        }
        .while_a_token_lives()
        .with_events(&["Normal TokenIssued", "Warning StateNotWritable", "Normal RefreshRequested"])
        .then_sends("second"),
    ]
}

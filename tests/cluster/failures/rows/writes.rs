//! Conflicts and refused writes that keep a token, or a refresh token, from its Secret.

use cube_operator::api::{
    Grant,
    Reason::{
        RefreshTokenInUse, StateConflict, StateNotWritable, TargetConflict, TargetDuplicate,
        TargetNotWritable,
    },
};
use serde_json::{Value, json};

use super::super::row::{Change, Repair, Retry, Row};
use crate::scripted::Reply;

/// The condition `Refreshed` while the target belongs to somebody else.
const NO_REQUEST: &str =
    "Refreshed=Unknown Pending: no token is requested while condition Ready reports a conflict";

/// The names of the policies that deny writes.
pub(in crate::failures) const NO_NEW: &str = "no-new-secrets";
pub(in crate::failures) const NO_CHANGE: &str = "no-changed-tokens";

fn target(
    name: &'static str,
    reason: cube_operator::api::Reason,
    message: &str,
    fault: Change,
) -> Row {
    let row = Row::preflight(name, reason, "", fault);
    Row {
        conditions: vec![
            format!("Ready=False {reason}: no token is published: {message}"),
            NO_REQUEST.into(),
            Retry::Recheck.progress(reason, "Ready"),
        ],
        retry: Retry::Recheck,
        ..row
    }
}

/// The label by which the operator watches targets: a copy of one has it too.
const MANAGED: &str = "cube-operator.dev/managed";

fn foreign(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": "theirs"}})
}

/// The marks of a `CubeCredential` by this name that was deleted.
fn predecessor(name: &str) -> Value {
    json!({
        "cube-operator.dev/owner-name": name, "cube-operator.dev/owner-uid": "00000000-0000-4000-8000-000000000000",
    })
}

/// A state that such a `CubeCredential` left in this namespace, whose refresh token is for this endpoint.
fn state(name: &str, namespace: &str, endpoint: &str) -> Value {
    let mut annotations = predecessor(name);
    annotations["cube-operator.dev/written-to"] = json!(format!("{namespace}/{name}-cube-state"));
    let record = json!({
        "generation": 1, "seed": "00", "seedVersion": null, "tokenHosts": null, "pastSeeds": [], "issued": null, "claim": null,
        "inDoubt": false, "rejection": null, "replaced": null,
        "binding": {"endpoint": endpoint, "secret": "login", "key": "refresh-token"},
    });
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "cube-operator.dev/state",
        "metadata": {
            "name": format!("{name}-cube-state"), "labels": {"cube-operator.dev/state": "true"}, "annotations": annotations,
        },
        "stringData": {"refresh-token": "kept", "record": record.to_string()},
    })
}

/// The cause where a policy denies a Secret.
fn denied(secret: &str, policy: &str, message: &str) -> String {
    format!(
        "writing Secret {{namespace}}/{secret} was denied by ValidatingAdmissionPolicy \"{policy}\" (it says: \"{message}\"): \
         have that policy changed"
    )
}

pub(super) fn targets() -> Vec<Row> {
    let refused = denied("row-refused-target-token", NO_NEW, "no new Secrets");
    vec![
        Row {
            // It is noticed when the target cannot be created.
            requests: 1,
            ..target(
                "conflict",
                TargetConflict,
                "Secret {target} belongs to another owner: set spec.target.name to another name, or delete that Secret if nobody uses \
                 it",
                |objects, _| objects.others.push(foreign("row-conflict-token")),
            )
        }
        .repaired_by(Repair::Deletion(&["secret/row-conflict-token"])),
        target(
            "copy",
            TargetConflict,
            "Secret {target} is a copy of Secret \"another/original-token\": set spec.target.name to another name, or delete \
             the copy",
            |objects, _| {
                let mut copy = foreign("row-copy-token");
                copy["metadata"]["labels"] = json!({MANAGED: "true"});
                copy["metadata"]["annotations"] = json!({"cube-operator.dev/written-to": "another/original-token"});
                objects.others.push(copy);
            },
        )
        .repaired_by(Repair::Deletion(&["secret/row-copy-token"])),
        target(
            "retained",
            TargetConflict,
            "Secret {target} is of a deleted CubeCredential: change spec.target.name, or annotate it with \
             cube-operator.dev/adoptable-by={uid}",
            |objects, _| {
                let mut left = foreign("row-retained-token");
                left["metadata"]["labels"] = json!({MANAGED: "true"});
                left["metadata"]["annotations"] = predecessor("row-retained");
                objects.others.push(left);
            },
        )
        .repaired_by(Repair::Deletion(&["secret/row-retained-token"])),
        Row {
            // The older one makes it.
            requests: 1,
            ..target(
                "duplicate",
                TargetDuplicate,
                "CubeCredential \"elder\" is older and has the same target Secret {target}: set another spec.target.name in \
                 this one",
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
                &format!("{refused}; retrying at {{time}}"),
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
                "the refresh token cannot be stored, because Secret {state} belongs to another owner: recreate this CubeCredential \
                 under another name, or delete that Secret if nobody uses it",
                |objects, _| objects.others.push(foreign("row-r-foreign-cube-state")),
            )
        },
        Row::preflight_r(
            "r-elsewhere",
            StateConflict,
            "the refresh token in Secret {state} is for https://login.example.com/token only: set spec.tokenURL back, or sign in again \
             and write the new one to Secret {login}",
            |objects, setup| {
                objects.login = None;
                let namespace = &setup.place.namespace;
                objects.others.push(state(
                    "row-r-elsewhere",
                    namespace,
                    "https://login.example.com/token",
                ));
            },
        ),
        Row::preflight_r(
            "r-left",
            StateConflict,
            "the refresh token in Secret {state} was left by a deleted CubeCredential of this name: create Secret {login} with its \
             initial refresh token, or with a new one",
            |objects, setup| {
                objects.login = None;
                let namespace = &setup.place.namespace;
                objects
                    .others
                    .push(state("row-r-left", namespace, &setup.url("/r-left")));
            },
        ),
        Row {
            repair: Repair::Policy,
            ..Row::failing(
                "refused-state",
                Grant::RefreshToken,
                StateNotWritable,
                &format!("{refused}; retrying at {{time}}"),
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
                    "do not restart the operator, or the new refresh token is lost; {unchanged}"
                ),
                Retry::Never,
            )
        }
        .while_a_token_lives()
        .with_events(&[
            "Normal TokenIssued",
            "Warning StateNotWritable",
            "Normal RefreshRequested",
        ])
        .then_sends("second"),
    ]
}

/// A refresh token that another object has, or may have.
pub(super) fn of_others() -> Vec<Row> {
    vec![
        Row {
            retry: Retry::Recheck,
            repair: Repair::Deletion(&["secret/row-r-copy-cube-state"]),
            ..Row::preflight_r(
                "r-copy",
                StateConflict,
                "Secret {state} is a copy of Secret \"another/row-r-copy-cube-state\": if nothing else uses it, \
                 annotate it with cube-operator.dev/adoptable-by={uid}",
                |objects, _| objects.others.push(state("row-r-copy", "another", "https://login.example.com/token")),
            )
        },
        Row {
            // The older one makes it.
            requests: 1,
            retry: Retry::Recheck,
            ..Row::preflight_r(
                "r-in-use",
                RefreshTokenInUse,
                "Secret {login} holds the refresh token of CubeCredential \"elder-login\": sign in again for this one, or move that \
                 login (docs/backup.md)",
                |objects, _| objects.others.push(objects.sibling("elder-login", "elder-login-token")),
            )
        }
        // Otherwise the elder one could use another sign-in first.
        .repaired_by(Repair::Deletion(&["cubecredential/elder-login", "secret/elder-login-cube-state"])),
    ]
}

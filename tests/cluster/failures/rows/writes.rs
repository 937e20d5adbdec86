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
        Row {
            // It is noticed when the target cannot be created.
            requests: 1,
            ..target(
                "conflict",
                TargetConflict,
                "Secret {target} exists and does not belong to this CubeCredential, so it is left alone: delete it, or set \
                 spec.target.name to another name; it is looked at again every minute",
                |objects, _| objects.others.push(foreign("row-conflict-token")),
            )
        }
        .repaired_by(Repair::Deletion(&["secret/row-conflict-token"])),
        target(
            "copy",
            TargetConflict,
            "Secret {target} is a copy of Secret \"another/original-token\", so it is left alone: delete it, or set spec.target.name to \
             another name; it is looked at again every minute",
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
            "Secret {target} was kept when an earlier CubeCredential of this name was deleted, and its token is not known to be for \
             the same client and endpoint: delete it, or let this CubeCredential replace its token: `kubectl annotate --overwrite \
             secret row-retained-token -n {namespace} cube-operator.dev/adoptable-by={uid}`; it is looked at again every minute",
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
        Row::preflight_r(
            "r-elsewhere",
            StateConflict,
            "the refresh token in Secret {state} is for https://login.example.com/token only: set spec.tokenURL back to that, or \
             sign in for the new endpoint and write its refresh token into key \"refresh-token\" of Secret {login}; nothing is sent \
             before that",
            |objects, setup| {
                objects.login = None;
                let namespace = &setup.place.namespace;
                objects.others.push(state("row-r-elsewhere", namespace, "https://login.example.com/token"));
            },
        ),
        Row::preflight_r(
            "r-left",
            StateConflict,
            "the refresh token in Secret {state} was left by a deleted CubeCredential of this name: create Secret {login} with the \
             label cube-operator.dev/credential=true, the annotation cube-operator.dev/token-hosts={host} and, in key \"refresh-token\", the refresh token that this login began with or \
             that of a new sign-in; nothing is sent before that",
            |objects, setup| {
                objects.login = None;
                let namespace = &setup.place.namespace;
                objects.others.push(state("row-r-left", namespace, &setup.url("/r-left")));
            },
        ),
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
                     way; it is written again every 30 s"
                ),
                Retry::Never,
            )
        }
        .while_a_token_lives()
        .with_events(&["Normal TokenIssued", "Warning StateNotWritable", "Normal RefreshRequested"])
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
                "Secret {state} is a copy of Secret \"another/row-r-copy-cube-state\", whose refresh token only one may use: if nobody \
                 else uses it, move the login here (docs/backup.md): `kubectl annotate --overwrite secret row-r-copy-cube-state -n \
                 {namespace} cube-operator.dev/adoptable-by={uid}`; it is looked at again every minute",
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
                "Secret {login} holds the refresh token of CubeCredential \"elder-login\", so it is not sent: sign in again for this \
                 one, or move that login (docs/backup.md); it is looked at again every minute",
                |objects, _| objects.others.push(objects.sibling("elder-login", "elder-login-token")),
            )
        }
        // Otherwise the elder one could use another sign-in first.
        .repaired_by(Repair::Deletion(&["cubecredential/elder-login", "secret/elder-login-cube-state"])),
    ]
}

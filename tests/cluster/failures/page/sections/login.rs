//! The stored refresh token.

use cube_operator::api::Reason::{
    RefreshTokenInUse, RefreshTokenLost, RefreshTokenMalformed, RefreshTokenNotFound,
    RefreshTokenNotLabelled, RefreshTokenRejected, StateConflict, StateNotWritable,
};

use super::Section;

pub(super) const LOGIN: &[Section] = &[
    Section {
        reason: RefreshTokenNotFound,
        who: "a person who may sign in",
        first: "sign in",
        act: "Sign in: `kubectl cube login NAME -n NAMESPACE` opens a browser, and writes the refresh token into the \
              Secret with the label and the annotation that it needs ([sign in](sign-in.md), also without that \
              program). The operator needs it once: after the first refresh the Secret may be deleted.",
        rows: &[("r-absent", "")],
    },
    Section {
        reason: RefreshTokenNotLabelled,
        who: "the owner of the Secret with the initial refresh token",
        first: "label it",
        act: "If you are its owner, set annotation and label: `kubectl annotate secret NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST`, then `kubectl label secret NAME -n NAMESPACE \
              cube-operator.dev/credential=true`. A login that has already begun also pauses while the label is \
              missing.",
        rows: &[("r-unlabelled", "")],
    },
    Section {
        reason: RefreshTokenMalformed,
        who: "the owner of the Secret with the initial refresh token",
        first: "write the value again",
        act: "Write it again without a trailing newline: `read -rs TOKEN; printf %s \"$TOKEN\" | jq -Rs \
              '{stringData: {\"refresh-token\": .}}' | kubectl patch secret NAME -n NAMESPACE --patch-file=/dev/stdin`. A \
              space or a byte order mark around the value comes from an editor.",
        rows: &[("r-line-break", "")],
    },
    Section {
        reason: RefreshTokenInUse,
        who: "a person who may sign in",
        first: "sign in again for this one",
        act: "A refresh token belongs to one CubeCredential: two that send it end each other's login. Sign in \
              for this one: `kubectl cube login NAME -n NAMESPACE`. If this CubeCredential \
              replaces the other one, [move the login](backup.md#move-a-login).",
        rows: &[("r-in-use", "")],
    },
    Section {
        reason: RefreshTokenRejected,
        who: "a person who may sign in",
        first: "sign in again",
        act: "Sign in again: `kubectl cube login NAME -n NAMESPACE`. The operator adopts the new refresh token \
              immediately. The old one was revoked (a changed password, an administrator), has \
              expired, or was used by another client. In the last case find that client: a rotating refresh token \
              belongs to the operator alone, so no second cluster, script or person may have it.",
        rows: &[
            ("r-rejected", ""),
            ("r-revoked", "While a token is still valid:"),
            ("r-status", "When the provider has its own word for it:"),
        ],
    },
    Section {
        reason: RefreshTokenLost,
        who: "a person who may sign in",
        first: "sign in again",
        act: "The provider consumed the refresh token in a request whose response was lost, so nobody has its \
              replacement. Sign in again: `kubectl cube login NAME -n NAMESPACE`. The operator adopts the new refresh \
              token immediately. Ask the provider for a grace period, with which the retry after a \
              lost response succeeds ([design](design.md#what-can-and-cannot-be-lost)).",
        rows: &[("r-lost", "")],
    },
    Section {
        reason: StateConflict,
        who: "the owner of that Secret",
        first: "find out what it is before you delete it",
        act: "The Secret `<name>-cube-state` holds the current refresh token. If another owner created it, recreate \
              the CubeCredential under another name, or delete that Secret if nobody uses it. If it was edited, \
              restore it from a backup. It may hold the only copy of the login, so delete it only after signing in \
              again. A refresh token is sent only to the endpoint (scheme, host, port and path) that it was stored \
              for, and only with the consent of the Secret that it came from: if the provider moved its token \
              endpoint, sign in again and store the new refresh token.",
        rows: &[
            ("r-foreign", ""),
            (
                "r-copy",
                "When the Secret is a copy ([backups and moves](backup.md)):",
            ),
            ("r-elsewhere", "When the spec names another endpoint:"),
            (
                "r-left",
                "When a deleted CubeCredential of this name left it, and the initial refresh token is gone:",
            ),
        ],
    },
    Section {
        reason: StateNotWritable,
        who: "the cluster's administrator",
        first: "do not restart the operator; let it write the Secret",
        act: "The message names the quota, the admission policy, the webhook or the missing role. If it begins with \
              *do not restart the operator*, the provider has already replaced the refresh token, and only the memory \
              of this process has the new one: until it is stored, keep the pod, its node and its namespace alive.",
        rows: &[
            ("refused-state", ""),
            (
                "storing",
                "When the provider has already consumed the old refresh token:",
            ),
        ],
    },
];

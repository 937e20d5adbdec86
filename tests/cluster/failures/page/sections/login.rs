//! The stored refresh token.

use cube_operator::api::Reason::{
    RefreshTokenInUse, RefreshTokenLost, RefreshTokenMalformed, RefreshTokenNotFound,
    RefreshTokenNotLabelled, RefreshTokenRejected, StateConflict, StateNotWritable,
};

use super::Section;

pub(super) const LOGIN: &[Section] = &[
    Section {
        reason: RefreshTokenNotFound,
        meaning: "there is no refresh token to begin with",
        who: "whoever may sign in",
        first: "sign in, and write the refresh token into the Secret",
        act: "Sign in at the provider, and write the refresh token into the Secret and key in the message: `kubectl create secret generic \
              NAME -n NAMESPACE --from-literal=refresh-token=...`, then `kubectl annotate secret NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST` and `kubectl label secret NAME -n NAMESPACE cube-operator.dev/credential=true`. It is needed once: when the login has begun, the Secret may go.",
        rows: &[("r-absent", "")],
    },
    Section {
        reason: RefreshTokenNotLabelled,
        meaning: "the owner of the Secret with the first refresh token has not permitted its use",
        who: "whoever keeps the seed",
        first: "label it",
        act: "If you are its owner, run the command in the message. A login that has begun rests too while the \
              label is missing.",
        rows: &[("r-unlabelled", "")],
    },
    Section {
        reason: RefreshTokenMalformed,
        meaning: "the value cannot be a refresh token",
        who: "whoever keeps the seed",
        first: "write the value again, without a line break",
        act: "Write it again; this adds no line break: `kubectl patch secret NAME -n NAMESPACE -p '{\"stringData\": {\"refresh-token\": \
              \"...\"}}'`. A blank or a byte order mark around the value comes from an editor, and is not seen.",
        rows: &[("r-line-break", "")],
    },
    Section {
        reason: RefreshTokenInUse,
        meaning: "another `CubeCredential`, or the state that a deleted one left, has this refresh token",
        who: "whoever may sign in",
        first: "sign in again for this one",
        act: "A refresh token belongs to one `CubeCredential`: two that send it end each other's login. Sign in at the provider again \
              and write the new refresh token into the Secret in the message. If this one is to replace the other one, \
              [move the login](backup.md#move-a-login).",
        rows: &[("r-in-use", "")],
    },
    Section {
        reason: RefreshTokenRejected,
        meaning: "the provider does not take the refresh token any more",
        who: "whoever may sign in",
        first: "sign in again",
        act: "Sign in at the provider again and write the new refresh token into the Secret and key in the message: `kubectl patch secret \
              NAME -n NAMESPACE -p '{\"stringData\": {\"refresh-token\": \"...\"}}'`. It is adopted at once. The old one was revoked (a changed \
              password, an administrator), has expired, or somebody else has used it. In the last case find out who: a refresh token \
              that rotates belongs to the operator alone, so no second cluster, script or person may have it.",
        rows: &[
            ("r-rejected", ""),
            ("r-revoked", "While a token still lives:"),
            ("r-status", "Where the provider has other words for it:"),
        ],
    },
    Section {
        reason: RefreshTokenLost,
        meaning: "the provider has replaced the refresh token, and the answer with the new one was lost",
        who: "whoever may sign in",
        first: "sign in again",
        act: "Sign in at the provider again and write the new refresh token into the Secret and key in the message: `kubectl patch secret \
              NAME -n NAMESPACE -p '{\"stringData\": {\"refresh-token\": \"...\"}}'`. It is adopted at once. Ask the provider for a grace \
              period, with which a lost answer heals by itself ([what can and cannot be \
              lost](design.md#what-can-and-cannot-be-lost)).",
        rows: &[("r-lost", "")],
    },
    Section {
        reason: StateConflict,
        meaning: "the Secret `<name>-cube-state` is somebody else's, was edited, or was not stored for what the spec says now",
        who: "whoever made or edited that Secret",
        first: "delete it, or restore it",
        act: "In this Secret the operator keeps the current refresh token. One that it did not make: delete it if nobody needs it, or \
              give the `CubeCredential` another name. One that was edited: restore it as it was; only if that is impossible, delete it, \
              sign in again and write the new refresh token into the seed's Secret. \
              A refresh token is sent only to the endpoint (scheme, host, port and path) that it was stored for, and only with the \
              consent of the Secret that it came from: if the provider has moved its token endpoint, sign in again and write the new \
              refresh token into the seed's Secret.",
        rows: &[
            ("r-foreign", ""),
            (
                "r-copy",
                "When the Secret is a copy ([backups and moves](backup.md)):",
            ),
            ("r-elsewhere", "When the spec names another endpoint:"),
            (
                "r-left",
                "When the state was left by a deleted `CubeCredential` of this name, and the seed is gone:",
            ),
        ],
    },
    Section {
        reason: StateNotWritable,
        meaning: "the API server refuses to store the refresh token",
        who: "the cluster's administrator",
        first: "do not restart the operator; remove what is in the way",
        act: "The message has the API server's own words: a quota, an admission policy, a missing role. Change that. If the message \
              begins with *do not restart the operator*, the provider has already replaced the refresh token, and the new one is in \
              the memory of this process alone: until it is stored, keep the pod, its node and its namespace alive.",
        rows: &[
            ("refused-state", ""),
            (
                "storing",
                "When the provider has used up the refresh token already:",
            ),
        ],
    },
];

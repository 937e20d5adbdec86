//! The Secret with the token.

use cube_operator::api::Reason::{TargetConflict, TargetDuplicate, TargetNotWritable};

use super::Section;

pub(super) const TARGET: &[Section] = &[
    Section {
        reason: TargetConflict,
        meaning: "a Secret by the target's name belongs to somebody else",
        who: "whoever made that Secret, or wrote the spec",
        first: "delete that Secret, or choose another `spec.target.name`",
        act: "Find out whose it is. If nobody needs it, delete it; else set `spec.target.name` to another name. The operator never \
              overwrites it. One that `deletionPolicy: Retain` kept is continued by a `CubeCredential` of the same name for the same \
              client, endpoint and grant; for anything else, whoever may write the Secret runs the command in the message.",
        rows: &[
            ("conflict", ""),
            ("copy", "When it is a copy of a target:"),
            (
                "retained",
                "When it was left by a deleted `CubeCredential` of this name:",
            ),
        ],
    },
    Section {
        reason: TargetDuplicate,
        meaning: "another, older `CubeCredential` has the same target",
        who: "whoever wrote the two specs",
        first: "choose another `spec.target.name`",
        act: "Set `spec.target.name` of one of the two to another name, or delete one of them.",
        rows: &[("duplicate", "")],
    },
    Section {
        reason: TargetNotWritable,
        meaning: "the API server refuses to store the token",
        who: "the cluster's administrator",
        first: "remove what is in the way: a quota, a policy",
        act: "The message has the API server's own words: a quota, an admission policy, a missing role. Change that, or set \
              `spec.target` to what is permitted. The token waits in memory meanwhile; no further one is requested for it.",
        rows: &[("refused-target", "")],
    },
];

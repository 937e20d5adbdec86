//! The Secret with the token.

use cube_operator::api::Reason::{TargetConflict, TargetDuplicate, TargetNotWritable};

use super::Section;

pub(super) const TARGET: &[Section] = &[
    Section {
        reason: TargetConflict,
        who: "the owner of that Secret, or the author of the CubeCredential",
        first: "set `spec.target.name` to another name",
        act: "Find out whose Secret it is. Set `spec.target.name` to another name, or delete the Secret if nobody uses \
              it. The operator never overwrites it. A Secret that `deletionPolicy: Retain` kept is continued by a \
              CubeCredential of the same name for the same client, endpoint and grant. For any other, its owner can \
              set the annotation: `kubectl annotate secret NAME -n NAMESPACE cube-operator.dev/adoptable-by=UID`.",
        rows: &[
            ("conflict", ""),
            ("copy", "When it is a copy of a target:"),
            (
                "retained",
                "When a deleted CubeCredential of this name left it:",
            ),
        ],
    },
    Section {
        reason: TargetDuplicate,
        who: "the authors of the two CubeCredentials",
        first: "set another `spec.target.name`",
        act: "Set `spec.target.name` of one of the two to another name, or delete one of them.",
        rows: &[("duplicate", "")],
    },
    Section {
        reason: TargetNotWritable,
        who: "the cluster's administrator",
        first: "let the operator write the Secret",
        act: "The message names the quota, the admission policy, the webhook or the missing role. Change that, or \
              change `spec.target` so that it is allowed. Meanwhile the token waits in memory, and no other one is \
              requested.",
        rows: &[("refused-target", "")],
    },
];

//! The Secret with the token.

use cube_operator::api::Reason::{
    ProbeFailed, TargetConflict, TargetDuplicate, TargetNotWritable, TemplateInvalid,
};

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
    Section {
        reason: TemplateInvalid,
        who: "the author of the CubeCredential",
        first: "correct the template",
        act: "The message names the key, the line and what is wrong there; for a name that is undefined, those that exist. Correct \
              `spec.target.data` ([templates](templates.md)). No token is requested before that, and a live token stays as it is. If \
              the provider's next response has the field, request it: `kubectl cube refresh NAME -n NAMESPACE`.",
        rows: &[("template", "")],
    },
    Section {
        reason: ProbeFailed,
        who: "the owner of the API, or the author of the CubeCredential",
        first: "have the API accept this client, or correct `spec.probe`",
        act: "The token endpoint issued a token, and the API of `spec.probe` did not accept it. With 403 the API often does \
              not know this cluster's egress IP address, or the client lacks a role; after a role was added, also request a \
              new token: `kubectl cube refresh NAME -n NAMESPACE`. While another token lives, consumers keep that one; without \
              one, or if the API is down, the new token is published after three failures, and Ready says that it is unproven. The probe continues \
              without further token requests ([the probe](probe.md)).",
        rows: &[("unproven", "")],
    },
];

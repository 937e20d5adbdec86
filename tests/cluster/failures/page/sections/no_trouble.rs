//! Reasons that are no failure.

use cube_operator::api::Reason::{
    Pending, RateBudget, Suspended, Synced, TokenIssued, TokenTooShort,
};

use super::Section;

pub(super) const NO_TROUBLE: &[Section] = &[
    Section {
        reason: Suspended,
        who: "the person who suspended it",
        first: "set `spec.suspend` to false to resume",
        act: "`kubectl patch cubecredential NAME -n NAMESPACE --type=merge -p '{\"spec\":{\"suspend\":false}}'` \
              resumes it.",
        rows: &[("suspended", "")],
    },
    Section {
        reason: Pending,
        who: "nobody",
        first: "no action needed",
        act: "Wait for the time in the message: the operator is already sending the refresh token (40 s at \
              most). If `READY` is `False` with another reason, see that reason.",
        rows: &[],
    },
    Section {
        reason: TokenTooShort,
        who: "the provider",
        first: "ask for tokens that live 5 minutes or longer",
        act: "The operator requests at most one token every 12 seconds, and the kubelet brings a new one into a pod \
              within 90 seconds, so consumers of such tokens mostly have none. A change of `spec.refreshBefore` does \
              not help.",
        rows: &[("short", "")],
    },
    Section {
        reason: RateBudget,
        who: "nobody",
        first: "no action needed",
        act: "All CubeCredentials with one client id and token URL share a budget of requests ([request \
              budget](request-budget.md)), so that the provider's rate limit is kept; a pause that the provider asked \
              for applies to all with the same client secret. A secret that has not worked yet gets only a part of the \
              budget. If tokens expire while they wait, let pods share the target of one CubeCredential, or raise the \
              rate with `tokenRequestInterval` of the chart, or of the provider object that the message names, if the \
              provider allows more.",
        rows: &[("turn", "")],
    },
    Section {
        reason: TokenIssued,
        who: "nobody",
        first: "no action needed",
        act: "If a consumer gets 401 all the same, the token was revoked early, or the consumer does not read it \
              again: a file in a pod follows its Secret within 90 seconds, environment variables and `subPath` mounts \
              never.",
        rows: &[("bearer", "")],
    },
    Section {
        reason: Synced,
        who: "nobody",
        first: "no action needed",
        act: "See [`TokenIssued`](#tokenissued).",
        rows: &[],
    },
];

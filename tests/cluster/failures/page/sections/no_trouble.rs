//! Reasons that are no failure.

use cube_operator::api::Reason::{Pending, RateBudget, Suspended, Synced, TokenIssued};

use super::Section;

pub(super) const NO_TROUBLE: &[Section] = &[
    Section {
        reason: Suspended,
        meaning: "`spec.suspend` is true",
        who: "whoever suspended it",
        first: "set it to false when you want tokens again",
        act: "Somebody wanted it so. `kubectl patch cubecredential NAME --type=merge -p '{\"spec\":{\"suspend\":false}}'` ends it.",
        rows: &[("suspended", "")],
    },
    Section {
        reason: Pending,
        meaning: "nothing was due yet, or there is something to wait for",
        who: "nobody has to",
        first: "wait; if `READY` is `False`, look for the reason of `Ready`",
        act: "Wait for the time in the message. It is told of a token that lives for seconds only, of a refresh token that another \
              process of the operator is sending (40 s at most), and as the reason of `Refreshed` while a target is in the way.",
        rows: &[("short", "")],
    },
    Section {
        reason: RateBudget,
        meaning: "the next token request of this client waits for its turn",
        who: "nobody has to",
        first: "wait",
        act: "Wait. All `CubeCredentials` with one client id and token URL share [a budget of requests](request-budget.md), so that the \
              provider's limit is kept, and a pause that the provider asked for holds for all with the same client secret. A secret \
              that has not worked yet gets a part of the budget only. If it takes too long, let pods share the target of one `CubeCredential`, or set `tokenRequestInterval` of the chart, if the provider permits more.",
        rows: &[("turn", "")],
    },
    Section {
        reason: TokenIssued,
        meaning: "the last exchange worked",
        who: "nobody has to",
        first: "nothing",
        act: "Nothing. If a consumer is refused all the same, the token was revoked early, or the consumer does not read it again: a \
              file in a pod follows its Secret within 90 seconds, environment variables and `subPath` mounts never.",
        rows: &[("bearer", "")],
    },
    Section {
        reason: Synced,
        meaning: "the Secret holds a live token; the reason of `Ready`",
        who: "nobody has to",
        first: "nothing",
        act: "Nothing. See [`TokenIssued`](#tokenissued).",
        rows: &[],
    },
];

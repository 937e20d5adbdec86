//! What is worth an event: changes, never routine.

use jiff::SignedDuration;

use super::{attempt::Memory, message::span, settings::Settings, verdict::Conditions};
use crate::api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What changed.
    pub kind: EventKind,
    /// In a sentence.
    pub note: String,
}

/// What changed. The name is the event's reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum EventKind {
    TokenIssued,
    Recovered,
    TargetRepaired,
    RefreshRequested,
    SeedAdopted,
    ExpiryUnknown,
    ScopeNarrowed,
    ClockSkew,
    ShortLivedToken,
    /// Not of a reconcile: see `controller::consumers`.
    StaleConsumer,
    Failed(Reason),
}

impl EventKind {
    /// Whether the event is a warning.
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(
            self,
            Self::ExpiryUnknown
                | Self::ScopeNarrowed
                | Self::ClockSkew
                | Self::ShortLivedToken
                | Self::StaleConsumer
                | Self::Failed(_)
        )
    }

    /// The event's reason.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::Failed(reason) => reason.to_string(),
            other => format!("{other:?}"),
        }
    }
}

/// What happened since the last report.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not a state"
)]
pub(super) struct Changes {
    pub(super) issued: bool,
    pub(super) repaired: bool,
    pub(super) served_request: bool,
    pub(super) seed_adopted: bool,
    pub(super) expiry_unknown: bool,
    pub(super) scope_narrowed: bool,
    /// Seconds that the provider's clock is ahead (or behind, if negative), where that matters.
    pub(super) clock_skew: Option<i64>,
    /// How long before its expiry the token is replaced, where that is too late for those who mount it.
    pub(super) short_lived: Option<SignedDuration>,
}

/// Facts about the last token that are news only when they begin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) expiry_unknown: bool,
    pub(super) clock_skew: bool,
    pub(super) short_lived: bool,
}

/// What changes with this report.
pub(super) fn news(
    before: &CubeCredentialStatus,
    verdict: &Conditions,
    memory: &Memory,
    settings: Option<&Settings>,
) -> Vec<Event> {
    let mut news = Vec::new();
    let mut tell = |kind, note: String| news.push(Event { kind, note });
    let target = settings
        .map(|settings| settings.target_name.as_str())
        .unwrap_or_default();

    let was = |r#type| {
        before
            .condition(r#type)
            .map(|c| (c.status, c.reason.clone()))
    };
    for (r#type, fact) in [
        (ConditionType::Ready, &verdict.ready),
        (ConditionType::Refreshed, &verdict.refreshed),
    ] {
        let own_trouble =
            r#type == ConditionType::Refreshed || fact.reason != verdict.refreshed.reason;
        let waiting = fact.status != ConditionStatus::False || fact.reason.is_waiting();
        let is = (fact.status, fact.reason.to_string());
        if !waiting && own_trouble && was(r#type) != Some(is) {
            tell(EventKind::Failed(fact.reason), fact.message.clone());
        }
    }
    let happened = &memory.happened;
    let failed = memory.told_failure
        || was(ConditionType::Refreshed)
            .is_some_and(|(status, _)| status == ConditionStatus::False);
    if happened.issued && before.last_attempt_at.is_none() && !failed {
        tell(
            EventKind::TokenIssued,
            format!("the first token was issued and is in Secret {target:?}"),
        );
    }
    if failed && verdict.refreshed.status == ConditionStatus::True {
        tell(
            EventKind::Recovered,
            format!("Secret {target:?} holds a live token again"),
        );
    }
    if happened.repaired {
        tell(
            EventKind::TargetRepaired,
            format!("Secret {target:?} was deleted or edited and is as it should be again"),
        );
    }
    if happened.served_request {
        tell(
            EventKind::RefreshRequested,
            "a token was issued as the annotation asked for".into(),
        );
    }
    if happened.seed_adopted {
        let seed = settings.and_then(|settings| settings.seed());
        let name = seed.map(|seed| seed.name.as_str()).unwrap_or_default();
        tell(
            EventKind::SeedAdopted,
            format!("the login continues from the refresh token in Secret {name:?}"),
        );
    }
    if happened.expiry_unknown {
        let assumed = settings
            .map(|settings| span(settings.assumed_lifetime))
            .unwrap_or_default();
        tell(
            EventKind::ExpiryUnknown,
            format!(
                "the answer states no usable expires_in: spec.assumedLifetime ({assumed}) is taken for it"
            ),
        );
    }
    if happened.scope_narrowed {
        tell(
            EventKind::ScopeNarrowed,
            "fewer scopes were granted than spec.scopes asks for: see status.scopes".into(),
        );
    }
    if let Some(seconds) = happened.clock_skew {
        let direction = if seconds > 0 { "ahead of" } else { "behind" };
        let note = format!(
            "the provider's clock is {} s {direction} this cluster's: check the nodes' time synchronisation",
            seconds.abs()
        );
        tell(EventKind::ClockSkew, note);
    }
    if let Some(margin) = happened.short_lived {
        let note = format!(
            "the token is replaced {} before it expires, but a pod that mounts Secret {target:?} may see the new one only 90 s \
             later: raise spec.refreshBefore, or ask the provider for tokens that live 5 minutes or longer",
            span(margin)
        );
        tell(EventKind::ShortLivedToken, note);
    }
    news
}

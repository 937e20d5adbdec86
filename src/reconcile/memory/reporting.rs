//! The changes since the last report, and the facts that were announced.

use jiff::{SignedDuration, Timestamp};

use crate::{api_error::ApiError, oauth::ca_bundle::LeftOut, reconcile::source::SecretRole};

/// The reporting part of the memory.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct Reporting {
    changes: Vec<Change>,
    /// A failure was reported, and since then no token: a credential that waits for its turn may not show it any more.
    failure_reported: bool,
    announced: Announced,
    /// The grant is a fact about the spec, which no token changes.
    unlisted_grant_announced: bool,
    /// Pods could not be annotated after the last refresh.
    pods_not_refreshed: bool,
}

/// A change that is worth an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reconcile) enum Change {
    /// A token was issued and published.
    Issued,
    /// The target had been deleted or edited, and was written again.
    Repaired,
    /// A Secret under an earlier name of the target was deleted.
    Moved { secret: String },
    /// A refresh request by hand was served.
    ServedRequest,
    /// A login began with another initial refresh token.
    SeedAdopted,
    /// The grant has changed, and the state with its refresh token is left.
    RefreshTokenLeft,
    /// The provider's metadata does not list the grant.
    GrantNotListed,
    /// The response stated no lifetime, which was taken from elsewhere.
    ExpiryUnknown { from: LifetimeSource },
    /// The lifetime is longer than those of client credentials ever are.
    LongLived { lifetime: SignedDuration },
    /// The provider issued the published token again, which ends then.
    Repeated { end: Timestamp },
    /// Fewer scopes were granted than asked for.
    ScopeNarrowed,
    /// The provider's clock is so many seconds ahead (or behind, if negative).
    ClockSkew { seconds: i64 },
    /// The token is replaced so shortly before its expiry that pods which mount it see the new one too late.
    ShortLived { margin: SignedDuration },
    /// A Secret names no hosts that it may be sent to.
    TokenHostsMissing { role: SecretRole },
    /// A part of the CA bundle cannot be used.
    CaBundleIncomplete { left_out: LeftOut },
    /// Pods that mount the target could not be annotated after a refresh.
    PodsNotRefreshed { why: ApiError },
    /// The spec names workloads, and this operator may restart none.
    RestartsNotAllowed,
    /// The old token ends before the workloads are restarted.
    RestartTooLate { why: TooLate },
}

/// Why the old token ends before workloads are restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reconcile) enum TooLate {
    /// The provider may end it when it issues the new one.
    Rotation,
    /// Tokens are refreshed more often than workloads are restarted.
    Interval,
    /// So much time is left for all rollouts.
    Rollout { margin: SignedDuration },
}

/// The source of the lifetime of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reconcile) enum LifetimeSource {
    /// From `expires_in`, as it should be.
    ExpiresIn,
    /// From the field of this name, which states the end as a time.
    Field(&'static str),
    /// From the access token, which is a JWT.
    Jwt,
    /// From the spec.
    Assumed,
}

/// Facts about the last token that are announced only when they begin, so that no refresh repeats them.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Announced {
    lifetime_from: Option<LifetimeSource>,
    long_lifetime: bool,
    /// A provider that does this does it again at each refresh.
    repeated: bool,
    clock_skew: bool,
    short_lived: bool,
    unlimited_secret: Option<SecretRole>,
    left_out: Option<Box<LeftOut>>,
}

/// The facts about a token that may be announced.
#[derive(Clone, Copy, Debug)]
pub(in crate::reconcile) struct TokenFacts {
    pub(in crate::reconcile) lifetime_from: LifetimeSource,
    /// The lifetime, if it is too long to be likely.
    pub(in crate::reconcile) long_lifetime: Option<SignedDuration>,
    /// The end of the published token, if it came again.
    pub(in crate::reconcile) repeated: Option<Timestamp>,
    pub(in crate::reconcile) clock_skew: Option<SignedDuration>,
    /// The margin, where it is too short for pods that mount the token.
    pub(in crate::reconcile) short_margin: Option<SignedDuration>,
    /// The first Secret that names no hosts.
    pub(in crate::reconcile) unlimited_secret: Option<SecretRole>,
    /// The part of the CA bundle that was left out.
    pub(in crate::reconcile) left_out: Option<LeftOut>,
    pub(in crate::reconcile) scope_narrowed: bool,
    pub(in crate::reconcile) served_request: bool,
}

impl Reporting {
    pub(in crate::reconcile) fn note(&mut self, change: Change) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// The provider's metadata does not list the grant of a spec that was not reported before. Its next specs are no news.
    pub(in crate::reconcile) fn grant_not_listed(&mut self) {
        if !self.unlisted_grant_announced {
            self.unlisted_grant_announced = true;
            self.note(Change::GrantNotListed);
        }
    }

    /// Pods were annotated after a refresh, or that failed. Only the first failure in a row is news.
    pub(in crate::reconcile) fn pods_refreshed(&mut self, error: Option<ApiError>) {
        let failed = error.is_some();
        if let Some(why) = error.filter(|_| !self.pods_not_refreshed) {
            self.note(Change::PodsNotRefreshed { why });
        }
        self.pods_not_refreshed = failed;
    }

    /// A token arrived: facts about an earlier token that were not reported yet are dropped.
    pub(in crate::reconcile) fn token_arrived(&mut self, facts: TokenFacts) {
        self.changes.retain(|change| !change.is_of_a_token());
        let announced = std::mem::take(&mut self.announced);
        let from = facts.lifetime_from;
        if from != LifetimeSource::ExpiresIn && announced.lifetime_from != Some(from) {
            self.note(Change::ExpiryUnknown { from });
        }
        if let Some(lifetime) = facts.long_lifetime.filter(|_| !announced.long_lifetime) {
            self.note(Change::LongLived { lifetime });
        }
        if let Some(end) = facts.repeated.filter(|_| !announced.repeated) {
            self.note(Change::Repeated { end });
        }
        if facts.scope_narrowed {
            self.note(Change::ScopeNarrowed);
        }
        if let Some(skew) = facts.clock_skew.filter(|_| !announced.clock_skew) {
            let seconds = skew.as_secs();
            self.note(Change::ClockSkew { seconds });
        }
        if let Some(margin) = facts.short_margin.filter(|_| !announced.short_lived) {
            self.note(Change::ShortLived { margin });
        }
        let unlimited = facts.unlimited_secret;
        if let Some(role) = unlimited.filter(|_| announced.unlimited_secret != unlimited) {
            self.note(Change::TokenHostsMissing { role });
        }
        if let Some(left_out) = facts
            .left_out
            .filter(|left_out| announced.left_out.as_deref() != Some(left_out))
        {
            self.note(Change::CaBundleIncomplete { left_out });
        }
        if facts.served_request {
            self.note(Change::ServedRequest);
        }
        self.announced = Announced {
            lifetime_from: Some(from),
            long_lifetime: facts.long_lifetime.is_some(),
            repeated: announced.repeated || facts.repeated.is_some(),
            clock_skew: facts.clock_skew.is_some(),
            short_lived: facts.short_margin.is_some(),
            unlimited_secret: unlimited,
            left_out: facts.left_out.map(Box::new),
        };
    }

    /// The changes since the last report.
    pub(in crate::reconcile) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns whether a failure was reported, and no token since.
    pub(in crate::reconcile) fn failure_reported(&self) -> bool {
        self.failure_reported
    }

    /// A status was written. `refreshed` says whether its condition Refreshed is a success or a failure, if it is either.
    pub(in crate::reconcile) fn reported(&mut self, refreshed: Option<bool>) {
        // A list that was only cleared would keep its memory until the next refresh.
        self.changes = Vec::new();
        if let Some(refreshed) = refreshed {
            self.failure_reported = !refreshed;
        }
    }
}

impl Change {
    /// Returns whether it describes one token, and ends with it.
    fn is_of_a_token(&self) -> bool {
        match self {
            Self::ExpiryUnknown { .. }
            | Self::LongLived { .. }
            | Self::ScopeNarrowed
            | Self::ClockSkew { .. }
            | Self::ShortLived { .. }
            | Self::ServedRequest => true,
            Self::Issued
            | Self::Repaired
            | Self::Repeated { .. }
            | Self::Moved { .. }
            | Self::SeedAdopted
            | Self::RefreshTokenLeft
            | Self::GrantNotListed
            | Self::TokenHostsMissing { .. }
            | Self::CaBundleIncomplete { .. }
            | Self::PodsNotRefreshed { .. }
            | Self::RestartsNotAllowed
            | Self::RestartTooLate { .. } => false,
        }
    }
}

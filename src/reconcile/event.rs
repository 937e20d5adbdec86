//! Events, which mark changes and never routine work.

use crate::api::Reason;

/// An event about one `CubeCredential`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The change that it reports.
    pub kind: EventKind,
    /// The sentence that people read.
    pub note: String,
}

/// The change that an event reports. Its name is the event's reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum EventKind {
    TokenIssued,
    Recovered,
    TargetRepaired,
    TargetMoved,
    TargetKept,
    RefreshRequested,
    SeedAdopted,
    RefreshTokenLeft,
    GrantNotListed,
    ExpiryUnknown,
    LongLivedToken,
    TokenRepeated,
    ScopeNarrowed,
    ClockSkew,
    ShortLivedToken,
    TokenHostsMissing,
    CABundleIncomplete,
    /// `controller::consumers` publishes it; no reconcile does.
    StaleConsumer,
    Failed(Reason),
}

impl EventKind {
    #[must_use]
    pub(crate) fn is_warning(self) -> bool {
        match self {
            Self::TokenIssued
            | Self::Recovered
            | Self::TargetRepaired
            | Self::TargetMoved
            | Self::RefreshRequested
            | Self::SeedAdopted => false,
            Self::RefreshTokenLeft
            | Self::GrantNotListed
            | Self::TargetKept
            | Self::ExpiryUnknown
            | Self::LongLivedToken
            | Self::TokenRepeated
            | Self::ScopeNarrowed
            | Self::ClockSkew
            | Self::ShortLivedToken
            | Self::TokenHostsMissing
            | Self::CABundleIncomplete
            | Self::StaleConsumer
            | Self::Failed(_) => true,
        }
    }

    #[must_use]
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Failed(reason) => reason.to_string(),
            other => format!("{other:?}"),
        }
    }
}

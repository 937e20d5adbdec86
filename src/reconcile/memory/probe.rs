//! The memory of the probe: what the API said about the token at hand, or about the published one that it has not accepted yet.
//!
//! ```text
//!   received ─▶ probed ─ accepted ─▶ published
//!    ▲            ▲ └─ failed ─▶ held back ─ the third failure in a row, and no refusal or no other token lives ─┐
//!    │            │                 │  │                                                                       │
//!    │            └─────────────────┘ ─┼────────── published, unproven: its target says so ◀───────────────────┘
//!    └── its own refresh is due, or a person requests one: the failures in a row go on
//! ```
//!
//! Nothing of it outlives the process: a stored refresh token's access token is in the state and is probed again, any other one that
//! was held back is lost and costs an exchange. That a published token is unproven is an annotation of its target.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    api::RetryClass,
    oauth::{error::ProbeError, probe::Probe},
    reconcile::{pace::delays, token::TokenMetadata},
};

/// The probe's part of the memory. Without a probe, it is empty.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct ProbeMemory(Option<Box<Tried>>);

/// A token that was tried. Its hash is keyed with the token, and so is the same for the same token only.
#[derive(Clone, Debug)]
struct Tried {
    hash: String,
    result: Tested,
    /// The failures since a token was last accepted or published, whichever tokens failed.
    row: Row,
    /// The hash of the token that consumers had meanwhile. With another one, a process has published a token, and the row is over.
    beside: Option<String>,
}

/// Failed probes of new tokens in a row. A token that replaces one that consumers never had does not begin anew: otherwise tokens
/// that are replaced often would never be published.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::reconcile) struct Row {
    count: i32,
    is_refused: bool,
}

#[derive(Clone, Debug)]
enum Tested {
    Accepted,
    Failed(ProbeFailure),
}

/// A failed probe, and the next one.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct ProbeFailure {
    pub(in crate::reconcile) error: ProbeError,
    pub(in crate::reconcile) class: RetryClass,
    pub(in crate::reconcile) at: Timestamp,
    pub(in crate::reconcile) next_attempt: Timestamp,
    /// The API refused the token, and did not just fail.
    pub(in crate::reconcile) is_refusal: bool,
    /// The number of failed probes of this token in a row.
    pub(in crate::reconcile) count: i32,
    /// The probe of the spec and the refresh request of that time.
    pub(in crate::reconcile) probe: Arc<Probe>,
    pub(in crate::reconcile) refresh_request: Option<String>,
}

impl ProbeMemory {
    /// The API accepted the token with this hash.
    pub(in crate::reconcile) fn accept(&mut self, hash: String) {
        self.0 = Some(Box::new(Tried {
            hash,
            result: Tested::Accepted,
            row: Row::default(),
            beside: None,
        }));
    }

    /// A probe of this token failed. `beside` is the hash of the token that consumers have, which may be this one.
    pub(in crate::reconcile) fn fail(
        &mut self,
        hash: String,
        failure: ProbeFailure,
        beside: Option<String>,
    ) {
        let row = if beside.as_ref() == Some(&hash) {
            Row::default()
        } else {
            self.row(beside.as_deref()).and(&failure)
        };
        let before = self.0.take().and_then(|tried| tried.beside);
        self.0 = Some(Box::new(Tried {
            hash,
            result: Tested::Failed(failure),
            row,
            beside: beside.or(before),
        }));
    }

    /// This token was published. Only an unproven one is still of interest.
    pub(in crate::reconcile) fn published(&mut self, token: &TokenMetadata) {
        let tried = self.0.take();
        self.0 = tried.filter(|tried| token.unproven && tried.hash == token.inputs_hash);
        if let Some(tried) = &mut self.0 {
            tried.row = Row::default();
        }
    }

    /// The failures in a row of tokens that consumers never had, while they have the token with this hash.
    pub(in crate::reconcile) fn row(&self, beside: Option<&str>) -> Row {
        let tried = self.0.as_deref();
        // A target that was deleted does not say that another token was published.
        let tried = tried.filter(|tried| beside.is_none() || tried.beside.as_deref() == beside);
        tried.map_or(Row::default(), |tried| tried.row)
    }

    pub(in crate::reconcile) fn is_accepted(&self, hash: &str) -> bool {
        matches!(self.of(hash), Some(Tested::Accepted))
    }

    pub(in crate::reconcile) fn failure(&self, hash: &str) -> Option<&ProbeFailure> {
        match self.of(hash)? {
            Tested::Failed(failure) => Some(failure),
            Tested::Accepted => None,
        }
    }

    fn of(&self, hash: &str) -> Option<&Tested> {
        let tried = self.0.as_deref()?;
        (tried.hash == hash).then_some(&tried.result)
    }
}

impl Row {
    fn and(self, failure: &ProbeFailure) -> Self {
        Self {
            count: self.count.saturating_add(1),
            is_refused: self.is_refused || failure.is_refusal,
        }
    }

    /// Returns whether a token that has no other beside it is published in spite of these failures.
    pub(in crate::reconcile) fn suffices(self) -> bool {
        self.count >= delays::PROBES_BEFORE_PUBLISHING
    }

    /// Returns whether another token is better than these, because the API refused one of them.
    pub(in crate::reconcile) fn is_refused(self) -> bool {
        self.is_refused
    }
}

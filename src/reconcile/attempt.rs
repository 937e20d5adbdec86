//! What is remembered between reconciles: the last failure, and a token that could not be published yet.

use jiff::{SignedDuration, Timestamp};

use super::{
    budget::{ClientKey, PermitRequest},
    inputs::Digest,
    message,
    news::{Changes, Told},
    observed::TargetSecret,
    schedule,
    state::{Claim, Stored},
    target::{DesiredMetadata, Holding},
};
use crate::api::{
    Attempted, ConditionStatus, ConditionType, CubeCredentialStatus, Reason, RetryClass,
};

/// What a process remembers of one `CubeCredential`. Its durable part is in the status.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not a state"
)]
pub struct Memory {
    /// A token in hand: just issued and not published yet, or read from a target.
    pub(super) holding: Option<Holding>,
    /// Whether the token in hand was issued and never published.
    pub(super) unpublished: bool,
    pub(super) failure: Option<Failure>,
    pub(super) failures: i32,
    /// How many of them may have used up the refresh token: a provider's grace is waiting for the tries after the first of these.
    pub(super) unknown_outcomes: i32,
    pub(super) last_attempt_at: Option<Timestamp>,
    /// When the last token came: a slow provider's tokens may be due when they arrive, and it is not to be asked without end.
    pub(super) answered_at: Option<Timestamp>,
    /// The digest of the inputs of the last failed attempt: tells a changed secret from a label edit.
    pub(super) tried: Option<Digest>,
    /// The versions of the inputs that are known to differ from those of the published token.
    pub(super) refuted: Option<Versions>,
    /// The place in the queue of the client's budget, and what it was taken for.
    pub(super) queued: Option<(PermitRequest, Versions)>,
    /// The CA bundle may have changed since the last failed attempt.
    pub(super) ca_touched: bool,
    /// The API server refused the target.
    pub(super) unwritable: Option<Unwritable>,
    /// The API server refused the state.
    pub(super) state_unwritable: Option<Unwritable>,
    /// What the provider answered and is in no Secret yet. Nothing else happens before it is.
    pub(super) pending: Option<Pending>,
    /// Our claim with which surely nothing was spent: written and not used, or used for a request that was not served.
    pub(super) unspent: Option<Claim>,
    /// The claim of another process, and when it was first seen.
    pub(super) claim_of_another: Option<(Claim, Timestamp)>,
    /// The request that the claim was made for was not served: the claim is to be given back.
    pub(super) claim_is_idle: bool,
    /// The provider rejected a refresh token, and the state is still to be asked whether somebody stored a successor.
    pub(super) rejection: Option<Rejected>,
    /// The generation for which the state was last looked at: its owner reference follows the spec.
    pub(super) state_seen: Option<i64>,
    /// The seed of the login that the state was last seen to hold.
    pub(super) login: Option<String>,
    /// The state says that the login is lost.
    pub(super) login_lost: bool,
    pub(super) happened: Changes,
    /// A failure was told, and since then no token: who waits for its turn may not show it any more.
    pub(super) told_failure: bool,
    /// What was told of the last token, so that no refresh repeats it.
    pub(super) told: Told,
    /// The last status that told of the target, while that is missing: its repair may have to wait.
    pub(super) missing: Option<CubeCredentialStatus>,
    /// Our last write of the target, in the version that it gave.
    pub(super) written: Option<(String, DesiredMetadata)>,
}

/// The versions of inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) generation: i64,
    pub(super) source_version: String,
    pub(super) seed_version: Option<String>,
}

/// An answer of the provider that is still to be stored.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// What the state is to hold.
    pub(super) stored: Stored,
    /// The generation of the state, and the hash of the refresh token, that it follows from.
    pub(super) after: (u64, String),
    /// How often it could not be written.
    pub(super) tries: u32,
    /// The last try failed: a pause comes first.
    pub(super) resting: bool,
    /// The API server refuses it for this reason, which is still to be told.
    pub(super) trouble: Option<String>,
}

/// A refresh token that the provider rejected.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    /// Its hash.
    pub(super) of: String,
    pub(super) what: String,
}

/// A Secret that the API server refused: a quota, an admission policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unwritable {
    pub(super) message: String,
    pub(super) next_try: Timestamp,
    pub(super) tries: i32,
    /// Another generation may name another target: it is tried at once.
    pub(super) generation: i64,
}

/// An exchange that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// The whole sentence: what, remedy, next try.
    pub message: String,
    /// When it is tried again by itself.
    pub next_try: Option<Timestamp>,
    /// What it was made with.
    pub attempted: Attempted,
}

impl Memory {
    /// What a new process knows from the status that an earlier one wrote.
    ///
    /// The status may have been edited or restored, so it can only delay a try, and no longer than its class ever does.
    #[must_use]
    pub fn recall(status: &CubeCredentialStatus, now: Timestamp) -> Self {
        let failure = recall_failure(status, now);
        Self {
            failures: if failure.is_some() {
                status.failures.unwrap_or(0).max(0)
            } else {
                0
            },
            last_attempt_at: status.last_attempt_at,
            ca_touched: failure.is_some(),
            failure,
            ..Self::default()
        }
    }

    /// The token in hand, if one waited, is in the target now.
    pub(super) fn published(&mut self) {
        self.happened.issued |= self.unpublished;
        self.unpublished = false;
    }

    /// Whether this is our last write of the target, which was to have this metadata.
    pub(super) fn wrote(&self, secret: &TargetSecret, wanted: &DesiredMetadata) -> bool {
        !self.unpublished
            && self
                .written
                .as_ref()
                .is_some_and(|(version, metadata)| *version == secret.version && metadata == wanted)
    }

    /// Whether an answer of the provider is in no Secret yet: whoever has this memory may not stop.
    #[must_use]
    pub fn is_storing(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether it waits for its turn in its client's budget.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.queued.is_some()
    }

    /// The client that the provider has asked to pause, and until when.
    #[must_use]
    pub fn pause(&self) -> Option<(ClientKey, Timestamp)> {
        let attempted = &self.failure.as_ref()?.attempted;
        let client = attempted.client.as_ref()?;
        Some((ClientKey::stored(client), attempted.paused_until?))
    }

    /// Something that a CA bundle is read from has changed.
    pub fn touch_ca_bundle(&mut self) {
        self.ca_touched = true;
    }

    /// The memory for one reconcile. What is touched from now on is news to the next one.
    #[must_use]
    pub fn begin(&mut self) -> Self {
        let memory = self.clone();
        self.ca_touched = false;
        memory
    }

    /// Takes back the memory of a reconcile that has ended. A token that was only read is forgotten, so that none is kept in
    /// memory between reconciles.
    pub fn end(&mut self, memory: Self) {
        let touched = self.ca_touched;
        *self = memory;
        self.ca_touched |= touched;
        if !self.unpublished {
            self.holding = None;
        }
    }
}

fn recall_failure(status: &CubeCredentialStatus, now: Timestamp) -> Option<Failure> {
    let refreshed = status.condition(ConditionType::Refreshed)?;
    let mut attempted = status.attempted.clone()?;
    // A dead refresh token is remembered in the state, which nobody edits by mistake.
    let failed = Reason::from_name(&refreshed.reason)
        .filter(|reason| {
            reason.is_exchange_failure() && reason.retry_class() != Some(RetryClass::Terminal)
        })
        .filter(|_| refreshed.status == ConditionStatus::False);
    let (reason, message) = if let Some(reason) = failed {
        (reason, refreshed.message.clone())
    } else {
        // Suspended or refused since: what is left is the pause.
        let until = attempted.paused_until.filter(|until| now < *until)?;
        (Reason::RateLimited, message::paused(until))
    };
    let latest = later(now, schedule::longest_delay(reason));
    attempted.paused_until = attempted.paused_until.map(|until| until.min(latest));
    Some(Failure {
        reason,
        message,
        next_try: Some(
            status
                .refresh_at
                .or(attempted.paused_until)
                .unwrap_or(now)
                .min(latest),
        ),
        attempted,
    })
}

/// `time + duration`, at the end of time where it would overflow.
pub(super) fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

//! The memory of one `CubeCredential` between reconciles, in six parts that know nothing of each other.
//!
//! | part | remembers |
//! |---|---|
//! | [`TargetMemory`] | the token at hand, our last write of the target, and the API server's last refusal |
//! | [`ExchangeMemory`] | the last failure and its count, the place in the queue |
//! | [`LoginMemory`] | the response that must be stored, our claim, and the last state of the login |
//! | [`RestartMemory`] | the workloads that are being restarted |
//! | [`ProbeMemory`] | what the API said about the token at hand, if the spec has a probe |
//! | [`Reporting`] | the changes since the last report, and the facts that were announced |

mod consumers;
mod exchange;
mod login;
mod probe;
mod reporting;
mod target;
mod unwritable;
mod versions;

use jiff::Timestamp;

use crate::api::CubeCredentialStatus;
pub(super) use consumers::{Hindrance, NextRestart, NotRestarted, RestartMemory};
pub(super) use exchange::{ExchangeMemory, FailedAttempt, Failure, FailureCause, Published};
pub(super) use login::{LoginMemory, RejectedHere, Setback, StorePhase, Unstored};
pub(super) use probe::{ProbeFailure, ProbeMemory};
pub(super) use reporting::{Change, LifetimeSource, Reporting, TokenFacts, TooLate};
pub(super) use target::{TargetMemory, Written};
pub(super) use unwritable::Unwritable;
pub(super) use versions::Versions;

/// The memory of one `CubeCredential` in this process. Its durable part is in the status and in the state.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub(super) target: TargetMemory,
    pub(super) exchange: ExchangeMemory,
    pub(super) login: LoginMemory,
    pub(super) probe: ProbeMemory,
    pub(super) reporting: Reporting,
    /// Only few credentials restart workloads.
    pub(super) restart: Option<Box<RestartMemory>>,
}

impl Memory {
    /// The memory of a new process, from the status that an earlier one wrote.
    ///
    /// The status may have been edited or restored, so it can only delay an attempt, and no longer than its class ever does.
    #[must_use]
    pub fn recall(status: &CubeCredentialStatus, now: Timestamp) -> Self {
        Self {
            exchange: ExchangeMemory::recall(status, now),
            ..Self::default()
        }
    }

    /// Returns whether a response of the provider is in no Secret yet. A process with such a memory may not stop.
    #[must_use]
    pub fn is_storing(&self) -> bool {
        self.login.unstored().is_some()
    }

    /// Returns whether it waits for a permit.
    #[must_use]
    pub(crate) fn is_queued(&self) -> bool {
        self.exchange.queued().is_some()
    }

    /// The end of the pause that the provider has asked for, if it is not over.
    #[must_use]
    pub fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.exchange.failure()?.attempted.paused_until?;
        (now < until).then_some(until)
    }

    /// The object with the CA bundle has changed.
    pub(crate) fn touch_ca_bundle(&mut self) {
        self.exchange.touch_ca_bundle();
    }

    /// The memory for one reconcile. A change of the CA bundle from now on counts for the next one.
    #[must_use]
    pub fn begin(&mut self) -> Self {
        let memory = self.clone();
        self.exchange.forget_ca_bundle_touch();
        memory
    }

    /// Takes back the memory of a reconcile that has ended. A token that was only read is forgotten, so that none is kept in
    /// memory between reconciles.
    pub fn end(&mut self, memory: Self) {
        let touched = self.exchange.is_ca_bundle_touched();
        *self = memory;
        if touched {
            self.exchange.touch_ca_bundle();
        }
        self.target.forget_read_token();
    }
}

//! The loop of one reconcile, without its effects: a driver awaits what [`Session::next`] asks for and gives the outcome to
//! [`Session::absorb`]. The controller, the unit tests, the simulation and the fuzz target are such drivers.

use jiff::{SignedDuration, Timestamp};

use super::{
    absorb::{absorb, recall},
    case::Case,
    credential::Credential,
    decide::decide,
    memory::Memory,
    observed::Observed,
    pace::{Budget, ClientKey, Lesson, Slot},
    plan::{Action, Exchanged, Next, Outcome, Read},
    provider::ProviderFlaw,
    target::{Target, TargetSecret},
};
use crate::{
    api::{ProviderRef, Reason, label},
    api_error::ApiError,
};

/// A reconcile takes a dozen steps at most. More would be a mistake in the decision, and must not become a storm.
const MOST_STEPS: usize = 50;

/// One reconcile of one `CubeCredential`.
#[derive(Debug)]
pub struct Session {
    observed: Observed,
    steps: usize,
    /// It has waited with a response that could not be stored. That may take hours, in which consent, spec and provider change.
    has_waited: bool,
}

/// The next step of the driver.
#[derive(Debug)]
pub enum Turn {
    /// Read something, and absorb the outcome.
    Read(Read),
    /// Change something, and absorb the outcome.
    Act(Box<Action>),
    /// Take a slot for an exchange, and absorb [`Outcome::Slot`]. The slot is free again when the reconcile ends, at the latest.
    TakeSlot {
        /// The latest time at which the exchange should be over.
        deadline: Timestamp,
    },
    /// Wait for this time, however long the reconcile takes, and absorb [`Outcome::Waited`].
    Wait(SignedDuration),
    /// Nothing is left to do.
    Done {
        /// The time of the next reconcile if nothing changes before.
        wake_at: Option<Timestamp>,
    },
    /// A token request would begin, and the driver does not allow one now.
    Held,
    /// The reconcile does not come to an end: report a bug.
    Stuck,
}

impl Turn {
    /// Returns whether its read or action may take seconds, and so holds no worker.
    #[must_use]
    pub(crate) fn is_slow(&self) -> bool {
        match self {
            Self::Read(read) => read.is_slow(),
            Self::Act(action) => action.is_slow(),
            Self::TakeSlot { .. }
            | Self::Wait(_)
            | Self::Done { .. }
            | Self::Held
            | Self::Stuck => false,
        }
    }
}

/// The effects of an outcome that the driver keeps beyond the session.
#[derive(Debug, Default)]
pub struct Effects {
    /// The target as it is now known, so that the same version is not read again. Only what the watch shows is kept.
    pub known_target: Option<TargetSecret>,
    /// The lesson of a response about a client: it holds for all credentials with the same client.
    pub lesson: Option<(ClientKey, Lesson)>,
    /// The provider object whose issuer's metadata may name another token endpoint by now.
    pub outdated_provider: Option<ProviderRef>,
}

/// The result of a reconcile.
#[derive(Debug)]
pub struct Ended {
    /// The object with the status that was last read or written.
    pub credential: Credential,
    /// The memory for the next reconcile.
    pub memory: Memory,
}

impl Session {
    /// Begins with what was observed.
    #[must_use]
    pub fn begin(mut observed: Observed) -> Self {
        recall(&mut observed);
        Self {
            observed,
            steps: 0,
            has_waited: false,
        }
    }

    /// The current observation.
    #[must_use]
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Returns whether it waits for a slot.
    #[must_use]
    pub(crate) fn waits_for_slot(&self) -> bool {
        matches!(self.observed.slot, Some(Slot::Later { .. }))
    }

    /// The next step. `may_begin` is called before a token request begins; a request that an earlier claim was made for is
    /// finished in any case.
    pub fn next(&mut self, may_begin: impl FnOnce() -> bool, now: Timestamp) -> Turn {
        if self.steps == MOST_STEPS {
            return Turn::Stuck;
        }
        self.steps += 1;
        match decide(&self.observed, now) {
            Next::Done { wake_at } => Turn::Done { wake_at },
            Next::Read(read) => Turn::Read(read),
            Next::Act(action) if action.begins_exchange() && !may_begin() => Turn::Held,
            Next::Act(action) => Turn::Act(action),
            // Whatever leaves the cluster has a slot. Another reconcile observes everything anew.
            Next::TakeSlot { .. } if self.has_waited => Turn::Done { wake_at: Some(now) },
            Next::TakeSlot { deadline } => Turn::TakeSlot { deadline },
            Next::Wait(duration) => {
                self.steps = 0;
                Turn::Wait(duration)
            }
        }
    }

    /// Takes in an outcome.
    pub fn absorb(&mut self, outcome: Outcome, now: Timestamp) -> Effects {
        let exchanged = match &outcome {
            Outcome::Exchanged(exchanged) => Some(&**exchanged),
            _ => None,
        };
        let lesson = exchanged.and_then(lesson);
        let outdated_provider = exchanged.and_then(outdated_provider);
        self.has_waited |= matches!(outcome, Outcome::Waited { .. });
        let may_tell_of_a_pause = matches!(outcome, Outcome::Exchanged(_) | Outcome::Source(_));
        let brings_the_target = matches!(outcome, Outcome::Target(_) | Outcome::Published(_));
        absorb(&mut self.observed, outcome, now);
        let managed = |secret: &&TargetSecret| label::is_set(&secret.labels, label::MANAGED);
        let known_target = match &self.observed.target {
            Target::Present(secret) if brings_the_target => Some(secret).filter(managed).cloned(),
            Target::Present(_) | Target::Unknown | Target::Absent => None,
        };
        Effects {
            known_target,
            outdated_provider,
            lesson: lesson.or_else(|| self.pause(now).filter(|_| may_tell_of_a_pause)),
        }
    }

    /// Returns whether it is not known yet what the provider object says that the spec names.
    #[must_use]
    pub fn waits_for_its_provider(&self) -> bool {
        let settings = self.observed.settings.as_ref();
        settings.is_ok_and(|settings| settings.provider_flaw() == Some(&ProviderFlaw::Unlisted))
    }

    /// The read that shows which client an earlier process was asked to pause; `None`: there is no such pause, or the client is
    /// not to be known.
    #[must_use]
    pub fn needs_for_its_pause(&self, now: Timestamp) -> Option<Read> {
        let observed = &self.observed;
        let settings = observed.settings.as_ref().ok()?;
        let attempted = &observed.memory.exchange.failure()?.attempted;
        observed.memory.paused_until(now)?;
        (observed.source.version()? == attempted.source_resource_version)
            .then(|| Read::source(settings, &observed.source))
    }

    fn pause(&self, now: Timestamp) -> Option<(ClientKey, Lesson)> {
        Case::of(&self.observed, now)?.pause()
    }

    /// A read or an action failed. The reconcile continues while a response must be stored, because that is never given up.
    ///
    /// # Errors
    /// The error that ends the reconcile.
    pub fn survive(&mut self, error: ApiError, now: Timestamp) -> Result<(), ApiError> {
        if !self.observed.memory.is_storing() {
            return Err(error);
        }
        absorb(&mut self.observed, Outcome::Interrupted(error), now);
        Ok(())
    }

    /// The reconcile has ended; it `worked` unless an error ended it. An unused permit goes back to the budget.
    #[must_use]
    pub fn end(self, worked: bool, budget: &mut Budget, now: Timestamp) -> Ended {
        let Observed {
            credential,
            permit,
            memory,
            ..
        } = self.observed;
        budget.end(credential.uid.as_str().into(), permit.as_ref(), worked, now);
        Ended { credential, memory }
    }
}

/// The provider object whose endpoint did not respond as a token endpoint, if its issuer's metadata named it.
fn outdated_provider(exchanged: &Exchanged) -> Option<ProviderRef> {
    let error = exchanged.result.as_ref().err()?;
    let provider = exchanged.attempt.settings.discovery_of();
    provider
        .filter(|_| error.endpoint_may_have_moved())
        .cloned()
}

/// The lesson of an exchange about the client that made it. Most failures say nothing about its secret.
fn lesson(exchanged: &Exchanged) -> Option<(ClientKey, Lesson)> {
    let lesson = match &exchanged.result {
        Ok(_) => Lesson::Works,
        Err(error) => match error.reason() {
            Reason::InvalidClient => Lesson::Refused,
            // The assertion of such a grant is what authenticates the client.
            Reason::InvalidGrant if exchanged.attempt.settings.grant.assertion().is_some() => {
                Lesson::Refused
            }
            _ => return None,
        },
    };
    Some((exchanged.attempt.client.clone(), lesson))
}

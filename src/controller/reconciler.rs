//! One reconcile: observe, then decide, perform and absorb until nothing is left to do.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use kube::{ResourceExt, runtime::controller::Action as Requeue};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    log::log_change,
    readiness::{KnownPauses, Readiness},
};
use crate::{
    api::{CaBundleKind, CubeCredentialStatus},
    clock::now,
    cluster::{Affected, Context, ObjectKey, Watched, convert, key, reference},
    kubernetes::error::ApiError,
    leader::Leadership,
    lock::lock,
    reconcile::{Action, Credential, Memory, Next, Observed, Outcome, absorb, decide},
};

/// Delays after an error of the API server: 1 s, doubling to a minute.
pub(super) const LONGEST_API_DELAY: Duration = Duration::from_secs(60);
/// How soon a process checks again whether it leads, after it could not renew its lease.
pub(super) const LEADERSHIP_DELAY: Duration = Duration::from_secs(2);

/// A reconcile takes a dozen steps at most; more would be a mistake in the decision, and must not become a storm.
const MOST_STEPS: usize = 50;

/// Timers stand still while a machine is suspended, and clocks are set: the time is checked again after five minutes. It costs no
/// request.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);

/// What one scope (a namespace, or all) is reconciled with.
pub(super) struct Reconciler {
    pub(super) context: Context,
    pub(super) readiness: Readiness,
    /// Tasks that nothing cancels: kube drops a running reconcile with its stream, and a provider's response would go with it.
    pub(super) tasks: TaskTracker,
    /// The uids of the objects that are being reconciled.
    pub(super) running: Mutex<HashSet<String>>,
    pub(super) leadership: Leadership,
    pub(super) stop: CancellationToken,
    states: Mutex<HashMap<String, ObjectState>>,
}

/// What is kept of one `CubeCredential` between reconciles, by its uid.
#[derive(Default)]
struct ObjectState {
    key: ObjectKey,
    memory: Memory,
    /// The status that was written last, which the watch may not have shown yet.
    reported: Option<(u64, CubeCredentialStatus)>,
    api_errors: u32,
}

impl Reconciler {
    pub(super) fn new(
        context: Context,
        pauses: Arc<KnownPauses>,
        leadership: Leadership,
        stop: CancellationToken,
    ) -> Self {
        Self {
            context,
            readiness: Readiness::new(pauses),
            tasks: TaskTracker::new(),
            running: Mutex::default(),
            leadership,
            stop,
            states: Mutex::default(),
        }
    }

    /// A deleted object leaves nothing behind.
    pub(super) fn forget(&self, object: &Watched) {
        let uid = object.uid().unwrap_or_default();
        lock(&self.states).remove(&uid);
        self.context.forget(&uid, &key(object));
    }

    /// Keeps the pauses that providers asked an earlier process for.
    pub(super) fn recall_pauses(&self) {
        for object in self.context.all() {
            let memory = Memory::recall(&convert::status(&object), now());
            self.context.learn_pause(&memory);
        }
    }

    /// An object that was deleted while the watch was interrupted has no event of its own.
    pub(super) fn forget_missing(&self) {
        let objects = self.context.all();
        let present: HashSet<_> = objects.iter().filter_map(|object| object.uid()).collect();
        lock(&self.states).retain(|uid, state| {
            let stays = present.contains(uid);
            if !stays {
                self.context.forget(uid, &state.key);
            }
            stays
        });
    }

    /// Remembers that a CA bundle may have changed, and returns the credentials that it affects.
    pub(super) fn touch_ca_bundles(&self, kind: CaBundleKind, bundle: &ObjectKey) -> Affected {
        let trusting = self.context.trusting(kind, bundle);
        let mut objects = lock(&self.states);
        for credential in &trusting {
            if let Some(state) = objects.get_mut(&credential.uid) {
                state.memory.touch_ca_bundle();
            }
        }
        trusting
            .iter()
            .map(|credential| reference(&credential.key))
            .collect()
    }

    pub(super) async fn run(&self, object: &Watched) -> Result<Requeue, ApiError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "it measures how long the reconcile takes"
        )]
        let start = Instant::now();
        let mut observed = self.observe(object);
        let result = self.steps(object, &mut observed).await;
        self.keep(object, observed, result.is_ok());
        if let Err(error) = &result
            && !error.is_conflict()
        {
            let ObjectKey { namespace, name } = key(object);
            tracing::warn!(namespace, name, %error, "reconcile interrupted");
        }
        let metrics = &self.context.parts.metrics;
        metrics.reconciled(result.is_ok(), start.elapsed());
        result
    }

    /// How many reconciles in a row the API server has interrupted.
    pub(super) fn api_errors(&self, object: &Watched) -> u32 {
        let states = lock(&self.states);
        let state = states.get(&object.uid().unwrap_or_default());
        state.map_or(1, |state| state.api_errors)
    }

    async fn steps(&self, object: &Watched, observed: &mut Observed) -> Result<Requeue, ApiError> {
        let mut steps = 0;
        while steps < MOST_STEPS {
            steps += 1;
            let plan = decide(observed, now());
            let outcome = match plan.next {
                Next::Done => return Ok(requeue(plan.wake_at, now())),
                Next::Wait(duration) => {
                    // However long it takes.
                    steps = 0;
                    tokio::time::sleep(duration.unsigned_abs()).await;
                    Ok(Outcome::Waited)
                }
                Next::Read(what) => self.context.read(what, &observed.credential).await,
                Next::Act(action) if action.begins_exchange() && self.stop.is_cancelled() => {
                    // The next process makes it: nothing that could be lost is begun any more.
                    return Ok(Requeue::await_change());
                }
                Next::Act(action) if action.begins_exchange() && !self.leadership.is_current() => {
                    return Ok(Requeue::requeue(LEADERSHIP_DELAY));
                }
                Next::Act(action) => self.act(*action, object, observed).await,
            };
            let outcome = match outcome {
                Err(error) if observed.memory.is_storing() => Outcome::Interrupted(error),
                outcome => outcome?,
            };
            absorb(observed, outcome, now());
            self.context.remember(observed);
            self.context.learn_pause(&observed.memory);
        }
        let (namespace, name) = (&observed.credential.namespace, &observed.credential.name);
        tracing::error!(
            namespace,
            name,
            "a reconcile did not come to rest: please report this"
        );
        Ok(Requeue::requeue(LONGEST_API_DELAY))
    }

    async fn act(
        &self,
        action: Action,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        if let Action::Report { status, .. } = &action {
            // Metrics tell it even if the API server does not take it.
            self.show(&observed.credential, status);
        }
        let outcome = self.context.perform(action, object, observed).await?;
        let (namespace, name) = (&observed.credential.namespace, &observed.credential.name);
        match &outcome {
            Outcome::Exchanged(exchanged) => {
                if let Err(error) = &exchanged.result {
                    tracing::warn!(namespace, name, reason = %error.reason(), "no token: {error}");
                }
            }
            Outcome::Reported { status, version } => {
                log_change(&observed.credential, status);
                if let Some(state) = lock(&self.states).get_mut(&observed.credential.uid) {
                    state.reported = Some((version.parse().unwrap_or(0), status.clone()));
                }
            }
            _ => {}
        }
        Ok(outcome)
    }

    fn show(&self, credential: &Credential, status: &CubeCredentialStatus) {
        let objects = lock(&self.states);
        // Without a state it was deleted meanwhile.
        if objects.contains_key(&credential.uid) {
            let (namespace, name) = (&credential.namespace, &credential.name);
            self.context.parts.metrics.reported(namespace, name, status);
        }
    }

    fn observe(&self, object: &Watched) -> Observed {
        let mut objects = lock(&self.states);
        let state = objects
            .entry(object.uid().unwrap_or_default())
            .or_insert_with(|| ObjectState {
                key: key(object),
                memory: Memory::recall(&convert::status(object), now()),
                ..ObjectState::default()
            });
        let mut observed = self.context.observe(object, state.memory.begin());
        let version = object
            .resource_version()
            .and_then(|version| version.parse().ok())
            .unwrap_or(u64::MAX);
        // Of an object that cannot be read, not even the status is known.
        if let Some((written, status)) = &state.reported
            && (*written >= version || object.0.is_err())
        {
            observed.credential.status = status.clone();
        }
        observed
    }

    fn keep(&self, object: &Watched, observed: Observed, worked: bool) {
        lock(&self.context.parts.budget).end(
            &observed.credential.uid,
            observed.permit.as_ref(),
            worked,
            now(),
        );
        let mut objects = lock(&self.states);
        let (namespace, name) = (&observed.credential.namespace, &observed.credential.name);
        let stored = self.context.current(object);
        if stored.as_ref().and_then(|stored| stored.uid()) != object.uid() {
            // Deleted meanwhile: nothing comes that would forget it later.
            objects.remove(&observed.credential.uid);
            lock(&self.context.parts.budget).leave(&observed.credential.uid);
            if stored.is_none() {
                self.context.parts.metrics.forget(namespace, name);
            }
        } else if let Some(state) = objects.get_mut(&observed.credential.uid) {
            if worked {
                let status = &observed.credential.status;
                self.context.parts.metrics.reported(namespace, name, status);
            }
            state.memory.end(observed.memory);
            state.api_errors = if worked {
                0
            } else {
                state.api_errors.saturating_add(1)
            };
        }
    }
}

fn requeue(wake_at: Option<Timestamp>, now: Timestamp) -> Requeue {
    wake_at.map_or_else(Requeue::await_change, |at| {
        let delay = at
            .duration_since(now)
            .clamp(SignedDuration::from_secs(1), LONGEST_SLEEP);
        Requeue::requeue(delay.unsigned_abs())
    })
}

#[cfg(test)]
mod tests;

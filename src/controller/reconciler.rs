//! One reconcile: observe, then decide, perform and absorb until nothing is left to do.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use kube::{ResourceExt, runtime::controller::Action as Requeue};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::readiness::{KnownPauses, Readiness};
use crate::{
    api::{CaBundleKind, ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    clock::now,
    cluster::{Affected, Context, ObjectKey, Watched, convert, key},
    kubernetes::error::ApiError,
    leader::Leadership,
    lock::lock,
    reconcile::{Action, Credential, Memory, Next, Observed, Outcome, absorb, decide},
};

/// Delays after an error of the API server: 1 s, doubling to a minute.
const LONGEST_API_DELAY: Duration = Duration::from_secs(60);
/// After a conflict the objects are only read again.
const CONFLICT_DELAY: Duration = Duration::from_millis(200);

/// How long a reconcile keeps a worker: a provider that hangs is waited for 30 s, and must not delay the clients of others.
const LONGEST_TURN: Duration = Duration::from_secs(2);

/// How soon a process checks again whether it leads, after it could not renew its lease.
const LEADERSHIP_DELAY: Duration = Duration::from_secs(2);

/// A reconcile takes a dozen steps at most; more would be a mistake in the decision, and must not become a storm.
const MOST_STEPS: usize = 50;

/// Timers stand still while a machine is suspended, and clocks are set: the time is checked again after five minutes. It costs no
/// request.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);

/// What one scope (a namespace, or all) is reconciled with.
pub(super) struct Reconciler {
    pub(super) context: Context,
    pub(super) readiness: Readiness,
    /// What nothing cancels: kube drops a running reconcile together with its stream, and a provider's answer with it.
    pub(super) tasks: TaskTracker,
    /// The uids of the objects that are being reconciled.
    running: Mutex<HashSet<String>>,
    leadership: Leadership,
    stop: CancellationToken,
    states: Mutex<HashMap<String, ObjectState>>,
}

/// What is kept of one `CubeCredential` between reconciles, by its uid.
#[derive(Default)]
struct ObjectState {
    key: ObjectKey,
    memory: Memory,
    /// The status that was written last, which the watch may not have told about yet.
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

    /// What the providers asked an earlier process to do.
    pub(super) fn recall_pauses(&self) {
        for object in self.context.all() {
            let memory = Memory::recall(&convert::status(&object), now());
            self.context.learn_pause(&memory);
        }
    }

    /// What was deleted while the watch was interrupted has no event of its own.
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
        let mut states = lock(&self.states);
        for credential in &trusting {
            if let Some(state) = states.get_mut(&credential.uid) {
                state.memory.touch_ca_bundle();
            }
        }
        trusting
            .iter()
            .map(|credential| credential.key.credential())
            .collect()
    }

    async fn run(&self, object: &Watched) -> Result<Requeue, ApiError> {
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
            Outcome::Exchanged {
                result: Err(refusal),
                ..
            } => {
                tracing::warn!(namespace, name, reason = %refusal.reason, "no token: {}", refusal.what);
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
        let states = lock(&self.states);
        // Without a state it was deleted meanwhile.
        if states.contains_key(&credential.uid) {
            let (namespace, name) = (&credential.namespace, &credential.name);
            self.context.parts.metrics.reported(namespace, name, status);
        }
    }

    fn observe(&self, object: &Watched) -> Observed {
        let mut states = lock(&self.states);
        let state = states
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
            observed.turn.as_ref(),
            worked,
            now(),
        );
        let mut states = lock(&self.states);
        let (namespace, name) = (&observed.credential.namespace, &observed.credential.name);
        let stored = self.context.current(object);
        if stored.as_ref().and_then(|stored| stored.uid()) != object.uid() {
            // Deleted meanwhile: nothing comes that would forget it later.
            states.remove(&observed.credential.uid);
            lock(&self.context.parts.budget).leave(&observed.credential.uid);
            if stored.is_none() {
                self.context.parts.metrics.forget(namespace, name);
            }
        } else if let Some(state) = states.get_mut(&observed.credential.uid) {
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

/// One reconcile of an object at a time, also when kube no longer waits for it.
struct Exclusive {
    reconciler: Arc<Reconciler>,
    uid: String,
}

impl Exclusive {
    fn take(reconciler: &Arc<Reconciler>, uid: String) -> Option<Self> {
        let free = lock(&reconciler.running).insert(uid.clone());
        free.then(|| Self {
            reconciler: Arc::clone(reconciler),
            uid,
        })
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        lock(&self.reconciler.running).remove(&self.uid);
    }
}

/// Reconciles one object once the first lists are there.
pub(super) async fn reconcile(
    object: Arc<Watched>,
    reconciler: Arc<Reconciler>,
) -> Result<Requeue, ApiError> {
    // A shutdown ends the watches too: the first lists would never come.
    tokio::select! {
        () = reconciler.readiness.complete() => {}
        () = reconciler.stop.cancelled() => return Ok(Requeue::await_change()),
    }
    if !reconciler.leadership.is_current() {
        return Ok(Requeue::requeue(LEADERSHIP_DELAY));
    }
    let Some(exclusive) = Exclusive::take(&reconciler, object.uid().unwrap_or_default()) else {
        return Ok(Requeue::requeue(LONGEST_TURN));
    };
    let run = async move { exclusive.reconciler.run(&object).await };
    tokio::select! {
        result = reconciler.tasks.spawn(run) => match result {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        },
        // It goes on, and others get their turn; what is to be done after it is seen then.
        () = tokio::time::sleep(LONGEST_TURN) => Ok(Requeue::requeue(LONGEST_TURN)),
    }
}

/// What to do after an error of the API server: look again, later each time.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that kube calls"
)]
pub(super) fn on_error(
    object: Arc<Watched>,
    error: &ApiError,
    reconciler: Arc<Reconciler>,
) -> Requeue {
    if error.is_conflict() {
        return Requeue::requeue(CONFLICT_DELAY);
    }
    let errors = lock(&reconciler.states)
        .get(&object.uid().unwrap_or_default())
        .map_or(1, |state| state.api_errors);
    let delay = Duration::from_secs(1 << errors.saturating_sub(1).min(6));
    Requeue::requeue(delay.min(LONGEST_API_DELAY))
}

fn requeue(wake_at: Option<Timestamp>, now: Timestamp) -> Requeue {
    wake_at.map_or_else(Requeue::await_change, |at| {
        let delay = at
            .duration_since(now)
            .clamp(SignedDuration::from_secs(1), LONGEST_SLEEP);
        Requeue::requeue(delay.unsigned_abs())
    })
}

/// One line a change. A failed exchange has had its line when it failed, and waiting is no failure.
fn log_change(before: &Credential, after: &CubeCredentialStatus) {
    let (namespace, name) = (&before.namespace, &before.name);
    if after.expires_at.is_some() && after.issued_at != before.status.issued_at {
        let expires_at = after.expires_at.map(|time| time.to_string());
        tracing::info!(namespace, name, expires_at, "token published");
    }
    for r#type in [ConditionType::Ready, ConditionType::Refreshed] {
        let Some(fact) = after.condition(r#type) else {
            continue;
        };
        let quiet = Reason::from_name(&fact.reason)
            .is_some_and(|reason| reason.is_exchange_failure() || reason.is_waiting());
        let known = before
            .status
            .condition(r#type)
            .is_some_and(|before| before.reason == fact.reason);
        if fact.status == ConditionStatus::False && !quiet && !known {
            tracing::warn!(namespace, name, condition = ?r#type, reason = fact.reason, "{}", fact.message);
        }
    }
}

#[cfg(test)]
mod tests;

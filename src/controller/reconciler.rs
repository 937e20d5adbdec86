//! One reconcile: observe, then decide, perform and absorb until nothing is left to do.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use kube::{ResourceExt, runtime::controller::Action as Requeue};
use tokio::sync::OnceCell;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    log::log_change,
    readiness::{KnownPauses, Readiness},
    states::ObjectStates,
};
use crate::{
    api::{CaBundleKind, CubeCredentialStatus},
    clock::now,
    cluster::{Affected, Context, ObjectKey, Watched, convert, key, reference},
    kubernetes::error::ApiError,
    leader::Leadership,
    lock::lock,
    reconcile::{Action, Credential, Ended, Memory, Observed, Outcome, Read, Session, Turn},
};

/// Delays after an error of the API server: 1 s, doubling to a minute.
pub(super) const LONGEST_API_DELAY: Duration = Duration::from_secs(60);
/// The delay before a process that could not renew its lease checks again whether it leads.
pub(super) const LEADERSHIP_DELAY: Duration = Duration::from_secs(2);

/// The number of pauses of an earlier process that are recalled at the same time, and the longest time for all of them. Without
/// them, no client sends more than a request or two.
const RECALLS: usize = 8;
const LONGEST_RECALL: Duration = Duration::from_secs(10);

/// The longest sleep. Timers stop while a machine is suspended, and clocks are adjusted, so the time is checked every five
/// minutes, which costs no request.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);

/// Everything that the reconciles of one scope (a namespace, or all) share.
pub(super) struct Reconciler {
    pub(super) context: Context,
    pub(super) readiness: Readiness,
    /// Tasks that nothing cancels: kube drops a running reconcile with its stream, and a provider's response would be lost with
    /// it.
    pub(super) tasks: TaskTracker,
    /// The uids of the objects that are being reconciled.
    pub(super) running: Mutex<HashSet<String>>,
    pub(super) leadership: Leadership,
    pub(super) stop: CancellationToken,
    pub(super) states: ObjectStates,
    recalled: OnceCell<()>,
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
            states: ObjectStates::default(),
            recalled: OnceCell::new(),
        }
    }

    /// Forgets a deleted object.
    pub(super) fn forget(&self, object: &Watched) {
        let uid = object.uid().unwrap_or_default();
        self.states.lock().forget(&uid);
        self.context.forget(&uid, &key(object));
    }

    /// Learns the pauses that providers asked an earlier process for, before anything is sent. The status does not say of which
    /// client they are, because a hash of its secret would confirm a guess, so its Secret is read. Where that fails, the
    /// credential itself keeps its pause.
    pub(super) async fn recall_pauses(&self) {
        let recall = || async {
            let paused = self.context.all().into_iter().filter_map(|object| {
                let memory = Memory::recall(&convert::status(&object), now());
                let session = Session::begin(self.context.observe(&object, memory));
                let read = session.needs_for_its_pause(now())?;
                Some((session, read))
            });
            let reads = stream::iter(paused.collect::<Vec<_>>())
                .for_each_concurrent(RECALLS, |(session, read)| self.recall_pause(session, read));
            drop(tokio::time::timeout(LONGEST_RECALL, reads).await);
            self.readiness.recalled();
        };
        self.recalled.get_or_init(recall).await;
        self.readiness.pauses_are_known().await;
    }

    async fn recall_pause(&self, mut session: Session, read: Read) {
        let credential = session.observed().credential.clone();
        if let Ok(outcome) = self.context.read(read, &credential).await {
            let effects = session.absorb(outcome, now());
            self.context.learn(effects, &credential);
        }
    }

    /// Whether an earlier process was asked to pause.
    pub(super) fn has_pauses(&self) -> bool {
        let mut objects = self.context.all().into_iter();
        objects.any(|object| {
            let memory = Memory::recall(&convert::status(&object), now());
            memory.paused_until(now()).is_some()
        })
    }

    /// Forgets the objects that were deleted while the watch was interrupted: no event arrives for them.
    pub(super) fn forget_missing(&self) {
        let objects = self.context.all();
        let present: HashSet<_> = objects.iter().filter_map(|object| object.uid()).collect();
        let mut states = self.states.lock();
        for missing in states.forget_all_but(&present) {
            self.context.forget(&missing.uid, &missing.key);
        }
    }

    /// Remembers that a CA bundle may have changed, and returns the credentials that it affects.
    pub(super) fn touch_ca_bundles(&self, kind: CaBundleKind, bundle: &ObjectKey) -> Affected {
        let trusting = self.context.trusting(kind, bundle);
        for credential in &trusting {
            self.states.touch_ca_bundle(&credential.uid);
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
        let mut session = Session::begin(self.states.observe(&self.context, object));
        let result = self.steps(object, &mut session).await;
        self.keep(object, session, result.is_ok());
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

    async fn steps(&self, object: &Watched, session: &mut Session) -> Result<Requeue, ApiError> {
        let may_begin = || !self.stop.is_cancelled() && self.leadership.is_current();
        loop {
            let outcome = match session.next(may_begin, now()) {
                Turn::Done { wake_at } => return Ok(requeue(wake_at, now())),
                Turn::Held => return Ok(self.held()),
                Turn::Stuck => return Ok(stuck(&session.observed().credential)),
                Turn::Wait(duration) => {
                    tokio::time::sleep(duration.unsigned_abs()).await;
                    Ok(Outcome::Waited)
                }
                Turn::Read(what) => {
                    let credential = &session.observed().credential;
                    self.context.read(what, credential).await
                }
                Turn::Act(action) => self.act(*action, object, session.observed()).await,
            };
            match outcome {
                Ok(outcome) => {
                    let effects = session.absorb(outcome, now());
                    self.context.learn(effects, &session.observed().credential);
                }
                Err(error) => session.survive(error, now())?,
            }
        }
    }

    /// A token request is due, and may not begin.
    fn held(&self) -> Requeue {
        if self.stop.is_cancelled() {
            // The next process makes it: this one begins nothing that could be lost.
            return Requeue::await_change();
        }
        Requeue::requeue(LEADERSHIP_DELAY)
    }

    async fn act(
        &self,
        action: Action,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        if let Action::Report { status, .. } = &action {
            // Metrics show it even if the API server does not accept the status.
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
                let version = version.parse().unwrap_or(0);
                self.states
                    .reported(&observed.credential.uid, version, status);
            }
            _ => {}
        }
        Ok(outcome)
    }

    fn show(&self, credential: &Credential, status: &CubeCredentialStatus) {
        let objects = self.states.lock();
        // Without a state, the object was deleted in the meantime.
        if objects.has(&credential.uid) {
            let (namespace, name) = (&credential.namespace, &credential.name);
            self.context.parts.metrics.reported(namespace, name, status);
        }
    }

    fn keep(&self, object: &Watched, session: Session, worked: bool) {
        let budget = &self.context.parts.budget;
        let Ended { credential, memory } = session.end(worked, &mut lock(budget), now());
        let metrics = &self.context.parts.metrics;
        let (namespace, name) = (&credential.namespace, &credential.name);
        let mut states = self.states.lock();
        let current = self.context.current(object);
        if current.as_ref().and_then(|current| current.uid()) != object.uid() {
            // The object was deleted in the meantime: no later event would forget it.
            states.forget(&credential.uid);
            lock(budget).forget(&credential.uid);
            if current.is_none() {
                metrics.forget(namespace, name);
            }
        } else if states.keep(&credential.uid, memory, worked) && worked {
            metrics.reported(namespace, name, &credential.status);
        }
    }
}

fn stuck(credential: &Credential) -> Requeue {
    let (namespace, name) = (&credential.namespace, &credential.name);
    tracing::error!(
        namespace,
        name,
        "a reconcile did not come to rest: please report this"
    );
    Requeue::requeue(LONGEST_API_DELAY)
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

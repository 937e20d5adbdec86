//! One reconcile: observe, then decide, perform and absorb until nothing is left to do.

mod recall;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use kube::Resource;
use tokio::sync::{Notify, OnceCell};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    bundles::BundleWatches,
    log::{log_change, log_probe},
    readiness::ScopeReadiness,
    retry,
    slots::{Ending, Exchanges},
    states::ObjectStates,
};
use crate::{
    api::{CaBundleKind, CubeCredentialStatus},
    clock::{now, precisely},
    cluster::{Affected, Context, FollowedBundle, Gone, ObjectKey, Presence, Watched, key},
    kubernetes::error::ApiError,
    leader::Leadership,
    lock::lock,
    object::Uid,
    reconcile::{Action, Credential, Ended, Observed, Outcome, Session, Slot, Turn},
};

/// The delay after a reconcile that did not end, or panicked.
pub(super) const BUG_DELAY: Duration = Duration::from_secs(60);
/// The delay before a process that could not renew its lease checks again whether it leads.
pub(super) const LEADERSHIP_DELAY: Duration = Duration::from_secs(2);

/// A conflict with a longer delay has repeated itself.
const UNLOGGED_DELAY: Duration = Duration::from_secs(2);

/// The longest sleep. Timers stop while a machine is suspended, and clocks are adjusted, so the time is checked every five
/// minutes, which costs no request.
pub(super) const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);
/// The delay before a reconcile whose time is over already.
const OVERDUE_DELAY: Duration = Duration::from_secs(1);
/// The longest pause before a response is stored again by a process that stops.
const LONGEST_PAUSE_AT_THE_END: Duration = Duration::from_secs(1);

/// The worker of a reconcile. Workers use the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worker {
    Left,
    Taken,
}

/// Everything that the reconciles of one scope (a namespace, or all) share.
pub(super) struct Reconciler {
    pub(super) context: Context,
    pub(super) readiness: ScopeReadiness,
    /// The reconciles in progress. Nothing cancels them: a provider's response would be lost.
    pub(super) tasks: TaskTracker,
    pub(super) exchanges: Arc<Exchanges>,
    pub(super) leadership: Leadership,
    pub(super) stop: CancellationToken,
    pub(super) states: ObjectStates,
    /// True while a reconcile holds a worker.
    pub(super) is_working: AtomicBool,
    bundles: BundleWatches,
    recalled: OnceCell<()>,
    /// Notified when a list of provider objects has become known, or cannot be had.
    pub(super) providers_listed: Notify,
}

impl Reconciler {
    pub(super) fn new(
        context: Context,
        bundles: BundleWatches,
        readiness: ScopeReadiness,
        exchanges: Arc<Exchanges>,
        leadership: Leadership,
        stop: CancellationToken,
    ) -> Self {
        Self {
            context,
            bundles,
            readiness,
            tasks: TaskTracker::new(),
            exchanges,
            leadership,
            stop,
            states: ObjectStates::default(),
            is_working: AtomicBool::default(),
            recalled: OnceCell::new(),
            providers_listed: Notify::new(),
        }
    }

    /// Forgets an object that does not exist any more.
    pub(super) fn forget(&self, &Gone { ref key, uid }: &Gone) {
        let mut states = self.states.lock();
        states.forget(uid);
        self.bundles.follow(uid, None);
        self.context.forget(uid, key);
        self.exchanges.forget(uid);
    }

    /// Remembers that a CA bundle may have changed, and returns the credentials that have to be reconciled: those that work read it
    /// for their next exchange. A watch that begins shows its bundle too, and thousands may trust it.
    pub(super) fn touch_ca_bundles(&self, kind: CaBundleKind, bundle: &ObjectKey) -> Affected {
        let trusting = self.context.trusting(kind, bundle).into_iter();
        let affected = trusting.filter(|credential| {
            credential
                .uid
                .is_none_or(|uid| self.states.touch_ca_bundle(uid) || !self.bundles.works(uid))
        });
        affected.map(|credential| credential.key).collect()
    }

    /// Reconciles an object, and returns the delay of its next reconcile; `None`: it waits for an event. Reports that it leaves its
    /// worker before anything that may take long, and that it takes one after an exchange.
    pub(super) async fn run(
        &self,
        object: &Watched,
        report: &mut (dyn FnMut(Worker) + Send),
    ) -> Option<Duration> {
        #[expect(
            clippy::disallowed_methods,
            reason = "it measures how long the reconcile takes"
        )]
        let start = Instant::now();
        let mut session = Session::begin(self.states.observe(&self.context, object));
        let mut slot = SlotUse::of(self, object);
        let result = self.steps(object, &mut session, &mut slot, report).await;
        slot.end(match &result {
            Ok(_) if session.waits_for_slot() => Ending::Waits,
            Ok(_) => Ending::Done,
            Err(_) => Ending::Interrupted,
        });
        self.keep(object, session, result.is_ok());
        let metrics = &self.context.parts.metrics;
        metrics.reconciled(result.is_ok(), start.elapsed());
        result.unwrap_or_else(|error| Some(self.interrupted(object, &error)))
    }

    /// The delay after an error of the API server. A conflict that repeats itself is logged too: it may never end by itself.
    fn interrupted(&self, object: &Watched, error: &ApiError) -> Duration {
        let errors = self.states.api_errors(Uid::of(object.meta()));
        let delay = retry::delay_after(error, errors);
        if !error.is_conflict() || delay > UNLOGGED_DELAY {
            let key = key(object);
            let (namespace, name) = key.parts();
            tracing::warn!(namespace, name, %error, retry_seconds = delay.as_secs(), "failed to reconcile, retrying");
        }
        delay
    }

    async fn steps(
        &self,
        object: &Watched,
        session: &mut Session,
        slot: &mut SlotUse<'_>,
        report: &mut (dyn FnMut(Worker) + Send),
    ) -> Result<Option<Duration>, ApiError> {
        let may_begin = || !self.stop.is_cancelled() && self.leadership.is_current();
        loop {
            let turn = session.next(may_begin, now());
            // One namespace could hold all workers with slow steps.
            let is_slow = turn.is_slow();
            if is_slow {
                report(Worker::Left);
            }
            let outcome = match turn {
                Turn::Done { wake_at } => return Ok(sleep(wake_at, precisely())),
                Turn::Held => return Ok(self.held()),
                Turn::Stuck => return Ok(Some(stuck(&session.observed().credential))),
                Turn::TakeSlot { deadline } => Ok(Outcome::Slot(slot.take(deadline))),
                Turn::Wait(duration) => {
                    // It may wait for hours until its response can be stored.
                    report(Worker::Left);
                    slot.set_aside();
                    self.pause(duration.unsigned_abs()).await;
                    self.waited(object, session);
                    continue;
                }
                Turn::Read(what) => {
                    let credential = &session.observed().credential;
                    self.context.read(what, credential).await
                }
                Turn::Act(action) => self.act(*action, object, session.observed()).await,
            };
            if is_slow {
                report(Worker::Taken);
            }
            match outcome {
                Ok(outcome) => {
                    let effects = session.absorb(outcome, now());
                    self.context.learn(effects, &session.observed().credential);
                }
                Err(error) => session.survive(error, now())?,
            }
        }
    }

    /// Waits before a response is stored again. The pause is cut short when the process stops, as the next leader could send the refresh
    /// token that the response has replaced.
    async fn pause(&self, pause: Duration) {
        let slept = self.stop.run_until_cancelled(tokio::time::sleep(pause));
        if slept.await.is_none() {
            tokio::time::sleep(pause.min(LONGEST_PAUSE_AT_THE_END)).await;
        }
    }

    fn waited(&self, object: &Watched, session: &mut Session) {
        let object_is_gone = self.context.presence(object) != Presence::Present;
        session.absorb(Outcome::Waited { object_is_gone }, now());
        if object_is_gone && !session.observed().memory.is_storing() {
            let key = key(object);
            let (namespace, name) = key.parts();
            tracing::warn!(
                namespace,
                name,
                "dropped a response that the API server does not store, because its CubeCredential was deleted"
            );
        }
    }

    /// A token request is due, and may not begin.
    fn held(&self) -> Option<Duration> {
        // The next process makes it: this one begins nothing that could be lost.
        (!self.stop.is_cancelled()).then_some(LEADERSHIP_DELAY)
    }

    async fn act(
        &self,
        action: Action,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        if let Action::Report { status, .. } = &action {
            // Metrics show it even if the API server does not accept the status.
            self.show(object, status);
        }
        let outcome = self.context.perform(action, object, observed).await?;
        let (namespace, name) = (&observed.credential.namespace, &observed.credential.name);
        match &outcome {
            Outcome::Exchanged(exchanged) => {
                if let Err(error) = &exchanged.result {
                    tracing::warn!(namespace, name, reason = %error.reason(), "failed to get a token: {error}");
                }
            }
            Outcome::Probed(probed) => log_probe(observed, probed),
            Outcome::Reported { status, version } => {
                log_change(&observed.credential, status);
                let version = version.parse().unwrap_or(0);
                let uid = Uid::of(object.meta());
                self.states.reported(uid, version, status);
            }
            Outcome::Deleted(secret) if observed.previous.iter().any(|old| old.name == *secret) => {
                tracing::info!(
                    namespace,
                    name,
                    secret,
                    "deleted the target under its earlier name"
                );
            }
            _ => {}
        }
        Ok(outcome)
    }

    pub(super) fn show(&self, object: &Watched, status: &CubeCredentialStatus) {
        let objects = self.states.lock();
        // Without a state, the object was deleted in the meantime.
        if objects.has(Uid::of(object.meta())) {
            let metrics = &self.context.parts.metrics;
            metrics.reported(&self.context.key(object), status);
        }
    }

    fn keep(&self, object: &Watched, session: Session, worked: bool) {
        let budget = &self.context.parts.budget;
        let Ended { credential, memory } = session.end(worked, &mut lock(budget), now());
        let metrics = &self.context.parts.metrics;
        let (key, uid) = (self.context.key(object), Uid::of(object.meta()));
        let mut states = self.states.lock();
        let presence = self.context.presence(object);
        if presence != Presence::Present {
            // The object was deleted in the meantime: no later event would forget it.
            states.forget(uid);
            self.bundles.follow(uid, None);
            self.exchanges.forget(uid);
            lock(budget).forget(uid);
            if presence == Presence::Gone {
                metrics.forget(&key);
            }
        } else if states.keep(uid, memory, worked) && worked {
            metrics.reported(&key, &credential.status);
            let bundle = FollowedBundle::of(object, &credential.status);
            self.bundles.follow(uid, bundle);
        }
    }
}

/// The slot of one reconcile. It is given back when this is dropped, also if the reconcile panics.
struct SlotUse<'a> {
    exchanges: &'a Exchanges,
    key: ObjectKey,
    uid: Uid,
    ended: bool,
}

impl<'a> SlotUse<'a> {
    fn of(reconciler: &'a Reconciler, object: &Watched) -> Self {
        Self {
            exchanges: &reconciler.exchanges,
            key: reconciler.context.key(object),
            uid: Uid::of(object.meta()),
            ended: false,
        }
    }

    fn take(&mut self, deadline: Timestamp) -> Slot {
        self.ended = false;
        self.exchanges.take(&self.key, self.uid, deadline)
    }

    fn set_aside(&self) {
        self.exchanges.set_aside(self.uid);
    }

    fn end(&mut self, ending: Ending) {
        if !std::mem::replace(&mut self.ended, true) {
            self.exchanges.end(self.uid, ending);
        }
    }
}

impl Drop for SlotUse<'_> {
    fn drop(&mut self) {
        self.end(Ending::Done);
    }
}

fn stuck(credential: &Credential) -> Duration {
    let (namespace, name) = (&credential.namespace, &credential.name);
    tracing::error!(
        namespace,
        name,
        "reconcile did not end, please report this: https://github.com/cube-operator/cube-operator/issues"
    );
    BUG_DELAY
}

/// The time until then. From the beginning of the current second on, it would be up to a second too long.
fn sleep(wake_at: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    let delay = wake_at?.duration_since(now);
    if delay.is_positive() {
        return Some(delay.min(LONGEST_SLEEP).unsigned_abs());
    }
    Some(OVERDUE_DELAY)
}

#[cfg(test)]
mod tests;

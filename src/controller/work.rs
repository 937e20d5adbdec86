//! Takes objects from the queue of a scope and reconciles them, each in a task of its own.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::{Stream, StreamExt, future::OptionFuture};
use kube::Resource;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep_until},
};

use super::{
    queue::{Queue, Run},
    reconciler::{BUG_DELAY, LEADERSHIP_DELAY, Reconciler, Worker},
};
use crate::{
    clock::{instant, now},
    cluster::ObjectKey,
    object::Uid,
    reconcile::deadline,
};

/// The events that are taken in before the queue is looked at: a list brings thousands.
const EVENTS_AT_ONCE: usize = 256;

/// Reconciles the objects that these events name, and those that get a slot, until the process is stopped. The reconciles in
/// progress go on: `Reconciler::tasks` has them.
pub(super) async fn work(
    reconciler: Arc<Reconciler>,
    events: impl Stream<Item = ObjectKey>,
    mut granted: UnboundedReceiver<ObjectKey>,
) {
    let (progress, mut progressed) = unbounded_channel();
    let mut events = pin!(events.ready_chunks(EVENTS_AT_ONCE));
    let mut preparation = pin!(async {
        reconciler.readiness.complete().await;
        reconciler.recall_pauses().await;
    });
    let mut prepared = false;
    let mut work = Work {
        reconciler: Arc::clone(&reconciler),
        queue: Queue::default(),
        progress,
    };
    while !reconciler.stop.is_cancelled() {
        let wake_at = if prepared { work.begin() } else { None };
        let is_working = work.queue.is_working();
        reconciler.is_working.store(is_working, Ordering::Relaxed);
        tokio::select! {
            () = reconciler.stop.cancelled() => {}
            () = &mut preparation, if !prepared => prepared = true,
            Some(keys) = events.next() => keys.into_iter().for_each(|key| work.add(key)),
            Some(key) = granted.recv() => work.add(key),
            Some(progress) = progressed.recv() => work.take(progress),
            Some(()) = OptionFuture::from(wake_at.map(sleep_until)) => {}
        }
    }
}

/// The queue, and what it needs to begin a reconcile.
struct Work {
    reconciler: Arc<Reconciler>,
    queue: Queue,
    progress: UnboundedSender<Progress>,
}

/// The facts about a reconcile in progress that the queue needs.
enum Progress {
    /// It continues without a worker, or with one again.
    Worker(Run, Worker),
    /// It has ended, and the next one follows after this delay; `None`: after an event.
    Ended(Run, Option<Duration>),
}

impl Work {
    fn add(&mut self, key: ObjectKey) {
        let context = &self.reconciler.context;
        let Some(uid) = context.uid(&key) else {
            return;
        };
        let deadline = deadline(context.expires_at(&key), now());
        self.queue.add(key, uid, deadline);
    }

    fn take(&mut self, progress: Progress) {
        match progress {
            Progress::Worker(run, Worker::Left) => self.queue.leave_worker(&run),
            Progress::Worker(run, Worker::Taken) => self.queue.take_worker(&run),
            Progress::Ended(run, delay) => {
                let wake_at = delay.map(|delay| instant() + delay);
                if let Some(key) = self.queue.end(run, wake_at) {
                    self.add(key);
                }
            }
        }
    }

    /// Begins as many reconciles as there are workers, and returns the time at which there is more to begin.
    fn begin(&mut self) -> Option<Instant> {
        if !self.reconciler.leadership.is_current() {
            return Some(instant() + LEADERSHIP_DELAY);
        }
        while let Some(key) = self.queue.awake(instant()) {
            self.add(key);
        }
        let reconciler = Arc::clone(&self.reconciler);
        let uid_of = |key: &ObjectKey| reconciler.context.uid(key);
        while let Some(run) = self.queue.next(uid_of) {
            self.spawn(run);
        }
        self.queue.next_awake()
    }

    fn spawn(&self, run: Run) {
        let reconciler = Arc::clone(&self.reconciler);
        let job = Job {
            run,
            progress: self.progress.clone(),
            delay: Some(BUG_DELAY),
        };
        self.reconciler.tasks.spawn(async move {
            let found = reconciler.context.find(&job.run.key);
            // An object that was created again under this name has a place of its own in the queue.
            let Some(object) = found.filter(|object| Uid::of(object.meta()) == job.run.uid) else {
                return job.end(None);
            };
            let mut report = |worker| job.uses(worker);
            // It is large, and is held while an exchange waits for its response.
            let delay = Box::pin(reconciler.run(&object, &mut report)).await;
            job.end(delay);
        });
    }
}

/// A reconcile in progress. The queue learns of its end when this is dropped, also if it panics.
struct Job {
    run: Run,
    progress: UnboundedSender<Progress>,
    delay: Option<Duration>,
}

impl Job {
    fn uses(&self, worker: Worker) {
        self.report(Progress::Worker(self.run.clone(), worker));
    }

    fn end(mut self, delay: Option<Duration>) {
        self.delay = delay;
    }

    fn report(&self, progress: Progress) {
        // Without a queue, the process has been stopped: nobody waits for this.
        drop(self.progress.send(progress));
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.report(Progress::Ended(self.run.clone(), self.delay));
    }
}

#[cfg(test)]
mod tests;

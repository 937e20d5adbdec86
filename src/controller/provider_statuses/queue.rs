//! The order of the visits, and the rests between them.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{cluster::ProviderId, controller::fair::Fair};

/// The least time between the end of a visit and the next one of the same object.
pub(super) const REST: Duration = Duration::from_secs(5);
/// The delay of a visit after a change: more of it may follow, as in a list.
pub(super) const SETTLE: Duration = Duration::from_secs(1);
/// The most visits of one namespace at the same time.
const MOST_OF_NAMESPACE: usize = 2;
/// The longest sleep without anything to do.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// The objects that are visited, wait for their visit, or rest.
#[derive(Default)]
pub(super) struct Queue {
    entries: HashMap<ProviderId, State>,
    timers: BTreeSet<(Instant, ProviderId)>,
    ready: Fair<ProviderId>,
}

/// The state of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its visit comes at this time, and not before the end of its rest.
    Waits { at: Instant, rests_until: Instant },
    /// No visit is due, and none may be before this time.
    Rests { until: Instant },
    /// Its visit is due.
    Ready,
    /// It is being visited, and perhaps has changed since.
    Visited { changed: bool },
}

impl Queue {
    /// An object has changed.
    pub(super) fn touch(&mut self, id: ProviderId, now: Instant) {
        let soon = now + SETTLE;
        let (at, rests_until) = match self.entries.get_mut(&id) {
            None => (soon, now),
            Some(State::Rests { until }) => (soon.max(*until), *until),
            Some(State::Waits { at, rests_until }) => {
                ((*at).min(soon.max(*rests_until)), *rests_until)
            }
            Some(State::Ready) => return,
            Some(State::Visited { changed }) => {
                *changed = true;
                return;
            }
        };
        self.set(id, State::Waits { at, rests_until });
    }

    /// The visits whose time has come are due, and objects that have rested are forgotten.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((at, _)) = self.timers.first()
            && *at <= now
            && let Some((_, id)) = self.timers.pop_first()
        {
            match self.entries.get(&id) {
                Some(State::Waits { .. }) => {
                    self.entries.insert(id.clone(), State::Ready);
                    let key = id.1.clone();
                    self.ready.wait(key.namespace(), Timestamp::UNIX_EPOCH, id);
                }
                _ => drop(self.entries.remove(&id)),
            }
        }
    }

    /// Begins the next visit.
    pub(super) fn begin_next(&mut self) -> Option<ProviderId> {
        let next = self.ready.begin_next(|of| of < MOST_OF_NAMESPACE)?;
        let visited = State::Visited { changed: false };
        self.entries.insert(next.clone(), visited);
        Some(next)
    }

    /// A visit has ended. The next one comes after this delay, or after a change.
    pub(super) fn end(&mut self, id: ProviderId, delay: Option<Duration>, now: Instant) {
        self.ready.end(id.1.namespace());
        let changed = self.entries.get(&id) == Some(&State::Visited { changed: true });
        let rests_until = now + REST;
        let delay = if changed { Some(REST) } else { delay };
        self.set(
            id,
            match delay {
                Some(delay) => State::Waits {
                    at: rests_until.max(now + delay),
                    rests_until,
                },
                None => State::Rests { until: rests_until },
            },
        );
    }

    /// A visit has ended so that another one may follow, without a rest.
    pub(super) fn again(&mut self, id: ProviderId) {
        let key = id.1.clone();
        self.ready.end(key.namespace());
        self.set(id.clone(), State::Ready);
        self.ready.wait(key.namespace(), Timestamp::UNIX_EPOCH, id);
    }

    /// The time of the next timer.
    pub(super) fn wakes_at(&self, now: Instant) -> Instant {
        let next = self.timers.first().map(|(at, _)| *at);
        next.unwrap_or(now + LONGEST_SLEEP)
    }

    fn set(&mut self, id: ProviderId, state: State) {
        let timer = |state: &State| match *state {
            State::Waits { at, .. } => Some(at),
            State::Rests { until } => Some(until),
            State::Ready | State::Visited { .. } => None,
        };
        if let Some(at) = self.entries.get(&id).and_then(timer) {
            self.timers.remove(&(at, id.clone()));
        }
        if let Some(at) = timer(&state) {
            self.timers.insert((at, id.clone()));
        }
        self.entries.insert(id, state);
    }
}

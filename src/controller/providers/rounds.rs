//! The credentials that follow the changes of provider objects, group by group.
//!
//! The author of a provider object must not keep the operator from the credentials of others. So each object has one round at a time
//! and a rest after it, however often it changes, and namespaces share each group.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::{
    Stream, StreamExt,
    future::OptionFuture,
    stream::{self, BoxStream},
};
use tokio::time::{Instant, sleep_until};

use crate::{
    api::ProviderKind,
    clock::instant,
    cluster::{Affected, ObjectKey, ProviderKey},
};

/// The credentials of a group, and the time between two groups: 100 a second.
const GROUP: usize = 50;
const BETWEEN_GROUPS: Duration = Duration::from_millis(500);
/// A namespace has so many credentials of a group, and then the next namespace has its turn.
const TURN: usize = 5;
/// The time between two rounds of one object.
const REST: Duration = Duration::from_secs(10);

/// A change of provider objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    /// This object has changed.
    One(ProviderKind, ProviderKey),
    /// It is known by now which objects there are, or that they cannot be listed. A process that has just begun has this one: its
    /// credentials have waited for it, and follow together.
    All(ProviderKind),
    /// The CA certificates of this one are known by now, or cannot be: the same holds for its credentials.
    Found(ProviderKind, ProviderKey),
}

/// The credentials that each change affects, group by group.
pub(super) fn paced(
    changes: BoxStream<'static, Change>,
    affected: impl Fn(&Change) -> Affected + Send + Sync + 'static,
) -> impl Stream<Item = Affected> + Send + 'static {
    let follow = Follow {
        changes,
        pending: Pending::default(),
    };
    stream::unfold((follow, affected), async |(mut follow, affected)| {
        let group = follow.next(&affected).await;
        Some((group, (follow, affected)))
    })
}

/// The changes that come, and those whose credentials have not followed yet.
struct Follow {
    changes: BoxStream<'static, Change>,
    pending: Pending,
}

/// The rounds to come.
#[derive(Default)]
struct Pending {
    /// The objects whose round is in progress or has just ended, and whether each has changed since it began.
    known: HashMap<Change, bool>,
    /// The changed objects that rest, in the order in which their rests end.
    rests: VecDeque<(Instant, Change)>,
    /// The rounds in progress, by namespace. It is empty for objects of the cluster.
    rounds: HashMap<Arc<str>, VecDeque<Round>>,
    /// The namespaces with a round in progress, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    next_group: Option<Instant>,
    /// The credentials that do not wait for their group.
    together: Vec<ObjectKey>,
}

/// The credentials that have not followed a change yet.
struct Round {
    change: Change,
    left: VecDeque<ObjectKey>,
}

impl Follow {
    async fn next(&mut self, affected: impl Fn(&Change) -> Affected) -> Affected {
        loop {
            let now = instant();
            if let Some(group) = self.pending.group(now, &affected) {
                return group;
            }
            let wake = self.pending.wakes_at();
            tokio::select! {
                Some(change) = self.changes.next() => self.pending.add(change, &affected),
                Some(()) = OptionFuture::from(wake.map(sleep_until)) => {}
                // The watches never end; in a test, they may.
                else => std::future::pending().await,
            }
        }
    }
}

impl Pending {
    fn add(&mut self, change: Change, affected: &impl Fn(&Change) -> Affected) {
        let change = self.known_as(change);
        match (self.known.get_mut(&change), &change) {
            (Some(changed), _) => *changed = true,
            (None, Change::All(_) | Change::Found(..)) => self.together.extend(affected(&change)),
            (None, Change::One(_, provider)) => {
                let namespace = provider.namespace().into();
                self.begin(namespace, change, affected);
            }
        }
    }

    /// An object that names another ConfigMap during its round, or in the rest after it, has changed once more.
    fn known_as(&self, change: Change) -> Change {
        let Change::Found(kind, provider) = &change else {
            return change;
        };
        let one = Change::One(*kind, provider.clone());
        if self.known.contains_key(&one) {
            one
        } else {
            change
        }
    }

    fn begin(
        &mut self,
        namespace: Arc<str>,
        change: Change,
        affected: &impl Fn(&Change) -> Affected,
    ) {
        self.known.insert(change.clone(), false);
        let left = affected(&change).into();
        let rounds = self.rounds.entry(Arc::clone(&namespace)).or_default();
        if rounds.is_empty() {
            self.turns.push_back(namespace);
        }
        rounds.push_back(Round { change, left });
    }

    /// The next group, if its time has come.
    fn group(&mut self, now: Instant, affected: &impl Fn(&Change) -> Affected) -> Option<Affected> {
        while let Some((_, change)) = self.rests.pop_front_if(|(until, _)| *until <= now) {
            if self.known.remove(&change) == Some(true) {
                self.add(change, affected);
            }
        }
        if !self.together.is_empty() {
            return Some(std::mem::take(&mut self.together));
        }
        if self.next_group.is_some_and(|at| now < at) {
            return None;
        }
        let mut group = Vec::new();
        while group.len() < GROUP
            && let Some(namespace) = self.turns.pop_front()
        {
            self.turn(namespace, &mut group, now);
        }
        if group.is_empty() {
            return None;
        }
        self.next_group = Some(now + BETWEEN_GROUPS);
        Some(group)
    }

    /// Moves credentials of a namespace's first round to a group. Its other rounds follow in its next turns.
    fn turn(&mut self, namespace: Arc<str>, group: &mut Affected, now: Instant) {
        let Some(rounds) = self.rounds.get_mut(&namespace) else {
            return;
        };
        if let Some(mut round) = rounds.pop_front() {
            let most = TURN.min(GROUP - group.len()).min(round.left.len());
            group.extend(round.left.drain(..most));
            if round.left.is_empty() {
                self.rests.push_back((now + REST, round.change));
            } else {
                rounds.push_back(round);
            }
        }
        if rounds.is_empty() {
            self.rounds.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
    }

    fn wakes_at(&self) -> Option<Instant> {
        let group = self.next_group.filter(|_| !self.turns.is_empty());
        let rest = self.rests.front().map(|(until, _)| *until);
        group.into_iter().chain(rest).min()
    }
}

#[cfg(test)]
mod tests;

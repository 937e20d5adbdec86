//! Those who wait for a permit of one client, in the order in which they are served.
//!
//! The namespace that was served least recently is next, so that nobody gets more by asking more often. Within a namespace, the
//! token that ends first is refreshed first, and every fourth permit goes to whoever has waited longest, so that everybody is
//! served some day. A step costs the logarithm of the number of those who wait, and moves the pointers of the namespaces behind it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::key::Proof;
use crate::object::Uid;

/// One in so many permits of a namespace goes to whoever has waited longest.
const LONGEST_WAIT_EVERY: usize = 4;
/// Places are counted up to here, which bounds the cost of a question. Whoever is further back asks again before its turn.
const COUNTED: usize = 512;
/// Below this number of namespaces, dropping those that rest is not worth its time.
const SMALL: usize = 64;

/// A place in a namespace: the first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// The provider has refused this client before.
    pub(super) refused: bool,
    /// The end of the token that consumers have; without one, the end of time.
    pub(super) expires_at: Timestamp,
    /// The number of the arrival, which no two share.
    pub(super) arrival: u64,
}

#[derive(Debug, Default)]
pub(super) struct Line {
    /// In the order of their names. Most clients are used in one namespace, for which a list takes less memory than a map.
    namespaces: Vec<(Box<str>, Box<Group>)>,
    /// The namespaces in which somebody waits.
    turns: BTreeSet<Turn>,
    /// The permits that this line has had.
    served: u64,
    waiting: usize,
    sweep_at: usize,
}

/// The turn of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    /// The number of its last permit; 0: it had none.
    served: u64,
    /// The arrival with which it began to wait.
    since: u64,
    namespace: String,
}

#[derive(Debug, Default)]
struct Group {
    by_end: BTreeSet<Rank>,
    /// The uids by the number of their arrival.
    by_arrival: BTreeMap<u64, Uid>,
    since: u64,
    permits: usize,
    last: Option<Served>,
}

/// The last permit of a namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    pub(super) at: Timestamp,
    pub(super) proof: Proof,
    number: u64,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    pub(super) fn enter(&mut self, namespace: &str, rank: Rank, uid: Uid) {
        let at = self.place(namespace).unwrap_or_else(|at| {
            if self.namespaces.is_empty() {
                self.namespaces.reserve_exact(1);
            }
            self.namespaces
                .insert(at, (namespace.into(), Box::default()));
            at
        });
        let (_, group) = &mut self.namespaces[at];
        if group.by_end.is_empty() {
            group.since = rank.arrival;
            self.turns.insert(group.turn(namespace));
        }
        group.by_end.insert(rank);
        group.by_arrival.insert(rank.arrival, uid);
        self.waiting += 1;
    }

    pub(super) fn leave(&mut self, namespace: &str, rank: &Rank) {
        let Ok(at) = self.place(namespace) else {
            return;
        };
        let (_, group) = &mut self.namespaces[at];
        if !group.by_end.remove(rank) {
            return;
        }
        self.waiting -= 1;
        group.by_arrival.remove(&rank.arrival);
        if group.by_end.is_empty() {
            self.turns.remove(&group.turn(namespace));
            group.shrink();
            if group.last.is_none() {
                self.namespaces.remove(at);
            }
        }
        if self.turns.is_empty() {
            self.turns = BTreeSet::new();
        }
    }

    /// Somebody of this namespace, who waits, gets a permit. Namespaces without a permit since `recently` are as new ones.
    pub(super) fn serve(
        &mut self,
        namespace: &str,
        proof: Proof,
        now: Timestamp,
        recently: Timestamp,
    ) {
        self.served += 1;
        if let Ok(at) = self.place(namespace) {
            let (_, group) = &mut self.namespaces[at];
            self.turns.remove(&group.turn(namespace));
            group.permits += 1;
            group.last = Some(Served {
                at: now,
                proof,
                number: self.served,
            });
            self.turns.insert(group.turn(namespace));
        }
        if self.namespaces.len() >= self.sweep_at {
            self.namespaces.retain(|(_, group)| {
                let rests = group.last.is_none_or(|last| last.at <= recently);
                !group.by_end.is_empty() || !rests
            });
            self.sweep_at = (self.namespaces.len() * 2).max(SMALL);
        }
    }

    /// The last permit of a namespace, as far as it is remembered.
    pub(super) fn last_served(&self, namespace: &str) -> Option<Served> {
        self.group(namespace)?.last
    }

    /// The number of those who are served before this one; of many, the first few hundred.
    pub(super) fn ahead(&self, namespace: &str, rank: &Rank) -> usize {
        let Some(group) = self.group(namespace) else {
            return self.waiting;
        };
        let turn = group.turn(namespace);
        let earlier = self.turns.range(..turn).take(COUNTED).count();
        let within = group.ahead(rank);
        // Each other namespace is served once for each of ours, and has so many waiting at most.
        let others = (within * self.turns.len().saturating_sub(1))
            .saturating_add(earlier)
            .min(self.waiting - group.by_end.len());
        within + others
    }

    /// The uids of those who are next in the first namespaces. Only they can keep others from their permits.
    pub(super) fn heads(&self, namespaces: usize) -> impl Iterator<Item = Uid> {
        let groups = self.turns.iter().take(namespaces);
        let groups = groups.filter_map(|turn| self.group(&turn.namespace));
        groups.flat_map(Group::heads)
    }

    fn group(&self, namespace: &str) -> Option<&Group> {
        let at = self.place(namespace).ok()?;
        Some(&self.namespaces[at].1)
    }

    fn place(&self, namespace: &str) -> Result<usize, usize> {
        self.namespaces
            .binary_search_by(|(name, _)| (**name).cmp(namespace))
    }
}

impl Group {
    /// Nobody waits. There are thousands of clients, and an empty set keeps its memory.
    fn shrink(&mut self) {
        self.by_end = BTreeSet::new();
        self.by_arrival = BTreeMap::new();
    }

    fn turn(&self, namespace: &str) -> Turn {
        Turn {
            served: self.last.map_or(0, |last| last.number),
            since: self.since,
            namespace: namespace.to_owned(),
        }
    }

    /// The number of permits of this namespace before the next one that goes to whoever has waited longest.
    fn until_the_longest_wait(&self) -> usize {
        LONGEST_WAIT_EVERY - 1 - self.permits % LONGEST_WAIT_EVERY
    }

    fn ahead(&self, rank: &Rank) -> usize {
        let by_end = self.by_end.range(..rank).take(COUNTED).count();
        let by_arrival = self.by_arrival.range(..rank.arrival).take(COUNTED).count();
        let by_arrival = by_arrival * LONGEST_WAIT_EVERY + self.until_the_longest_wait();
        if self.until_the_longest_wait() == 0 && by_arrival > 0 {
            return by_arrival.min(by_end.max(1));
        }
        by_arrival.min(by_end)
    }

    fn heads(&self) -> impl Iterator<Item = Uid> {
        let first = self.by_end.first();
        let first = first.and_then(|rank| self.by_arrival.get(&rank.arrival));
        first
            .into_iter()
            .chain(self.by_arrival.values().next())
            .copied()
    }
}

//! A fair order of things that wait. The next namespace is the one with the fewest things in progress, and among equals the one
//! that was served longest ago; within a namespace the earliest deadline comes first.
//!
//! A namespace can delay only itself: however many things it has waiting, they are one candidate.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

/// Things that wait, and the number of those in progress. Every operation takes logarithmic time.
#[derive(Debug)]
pub(super) struct Fair<T> {
    namespaces: HashMap<Arc<str>, Namespace<T>>,
    /// The namespaces in which something waits, the next one first.
    order: BTreeSet<Rank>,
    /// The number of things in progress, without those that were set aside.
    in_progress: usize,
    /// Counts places and turns.
    count: u64,
}

#[derive(Debug)]
struct Namespace<T> {
    waiting: BTreeMap<Place, T>,
    /// The number of its things in progress, with those that were set aside.
    in_progress: usize,
    /// The count when it was last served, or when it began to wait.
    turn: u64,
}

/// The number of things in progress, and the turn.
type Rank = (usize, u64, Arc<str>);

/// The place of a thing in its namespace: its deadline, then the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Timestamp, u64);

impl<T> Default for Fair<T> {
    fn default() -> Self {
        Self {
            namespaces: HashMap::new(),
            order: BTreeSet::new(),
            in_progress: 0,
            count: 0,
        }
    }
}

impl<T> Fair<T> {
    /// The number of things in progress.
    pub(super) fn in_progress(&self) -> usize {
        self.in_progress
    }

    /// The number of things in progress in this namespace.
    pub(super) fn in_progress_of(&self, namespace: &str) -> usize {
        let namespace = self.namespaces.get(namespace);
        namespace.map_or(0, |namespace| namespace.in_progress)
    }

    /// A thing waits from now on.
    pub(super) fn wait(&mut self, namespace: &str, deadline: Timestamp, thing: T) -> Place {
        self.count += 1;
        let place = Place(deadline, self.count);
        self.change(namespace, |namespace| {
            namespace.waiting.insert(place, thing);
        });
        place
    }

    /// The thing in this place does not wait any more.
    pub(super) fn leave(&mut self, namespace: &str, place: Place) {
        self.change(namespace, |namespace| {
            namespace.waiting.remove(&place);
        });
    }

    /// Begins the next thing, unless its namespace, with this many in progress, may not begin another one.
    pub(super) fn begin_next(&mut self, may_begin: impl FnOnce(usize) -> bool) -> Option<T> {
        let (in_progress, _, name) = self.order.first()?;
        if !may_begin(*in_progress) {
            return None;
        }
        let name = Arc::clone(name);
        let mut next = None;
        self.change(&name, |namespace| {
            next = namespace.waiting.pop_first();
            namespace.in_progress += 1;
        });
        self.in_progress += 1;
        next.map(|(_, thing)| thing)
    }

    /// Begins a thing of this namespace that does not wait.
    pub(super) fn begin(&mut self, namespace: &str) {
        self.change(namespace, |namespace| namespace.in_progress += 1);
        self.in_progress += 1;
    }

    /// A thing of this namespace is not in progress any more.
    pub(super) fn end(&mut self, namespace: &str) {
        self.set_aside();
        self.end_aside(namespace);
    }

    /// A thing in progress makes way for others, but still counts for its own namespace.
    pub(super) fn set_aside(&mut self) {
        self.in_progress -= 1;
    }

    /// A thing of this namespace that was set aside has ended.
    pub(super) fn end_aside(&mut self, namespace: &str) {
        self.change(namespace, |namespace| namespace.in_progress -= 1);
    }

    /// Changes a namespace, and the order with it.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Namespace<T>)) {
        self.count += 1;
        let (name, mut namespace) = self
            .namespaces
            .remove_entry(name)
            .unwrap_or_else(|| (name.into(), Namespace::default()));
        self.order.remove(&namespace.rank(&name));
        let before = (namespace.waiting.is_empty(), namespace.in_progress);
        change(&mut namespace);
        let began = namespace.in_progress > before.1;
        // A namespace that begins to wait stands behind all others, as one that was just served does.
        if before.0 || began {
            namespace.turn = self.count;
        }
        if !namespace.waiting.is_empty() {
            self.order.insert(namespace.rank(&name));
        } else if namespace.in_progress == 0 {
            return;
        }
        self.namespaces.insert(name, namespace);
    }
}

impl<T> Namespace<T> {
    fn rank(&self, name: &Arc<str>) -> Rank {
        (self.in_progress, self.turn, Arc::clone(name))
    }
}

impl<T> Default for Namespace<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            in_progress: 0,
            turn: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn begin_all(fair: &mut Fair<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| fair.begin_next(|_| true)).collect()
    }

    #[test]
    fn a_namespace_with_much_to_do_is_served_in_turn_with_the_others() {
        let mut fair = Fair::default();
        for thing in ["a1", "a2", "a3", "a4"] {
            fair.wait("a", at(0), thing);
        }
        assert_eq!(fair.begin_next(|_| true), Some("a1"));
        fair.wait("b", at(9), "b1");
        fair.wait("c", at(5), "c1");
        fair.wait("b", at(9), "b2");
        assert_eq!(begin_all(&mut fair), ["b1", "c1", "a2", "b2", "a3", "a4"]);
        assert_eq!((fair.in_progress(), fair.in_progress_of("a")), (7, 4));
    }

    #[test]
    fn a_namespace_that_waits_for_single_things_does_not_pass_one_that_waits_for_many() {
        let mut fair = Fair::default();
        for thing in ["a1", "a2", "a3"] {
            fair.wait("a", at(0), thing);
        }
        let mut served = Vec::new();
        for _ in 0..3 {
            fair.wait("b", at(0), "b");
            for _ in 0..2 {
                served.extend(fair.begin_next(|_| true));
            }
            fair.end("a");
            fair.end("b");
        }
        assert_eq!(served, ["a1", "b", "a2", "b", "a3", "b"]);
    }

    #[test]
    fn within_a_namespace_the_earliest_deadline_comes_first() {
        let mut fair = Fair::default();
        fair.wait("a", at(9), "late");
        let place = fair.wait("a", at(1), "gone");
        fair.wait("a", at(5), "early");
        fair.wait("a", at(5), "second");
        fair.leave("a", place);
        assert_eq!(begin_all(&mut fair), ["early", "second", "late"]);
    }

    #[test]
    fn a_namespace_at_its_limit_waits_until_something_of_it_ends() {
        let mut fair = Fair::default();
        fair.wait("a", at(0), "a1");
        fair.wait("a", at(0), "a2");
        assert_eq!(fair.begin_next(|of_a| of_a < 1), Some("a1"));
        assert_eq!(fair.begin_next(|of_a| of_a < 1), None);
        fair.end("a");
        assert_eq!(fair.begin_next(|of_a| of_a < 1), Some("a2"));
    }

    #[test]
    fn a_thing_that_was_set_aside_counts_for_its_own_namespace_alone() {
        let mut fair = Fair::default();
        fair.begin("a");
        fair.set_aside();
        assert_eq!((fair.in_progress(), fair.in_progress_of("a")), (0, 1));
        fair.wait("a", at(0), "a1");
        fair.wait("b", at(1), "b1");
        assert_eq!(fair.begin_next(|_| true), Some("b1"));
        fair.end_aside("a");
        assert_eq!(fair.begin_next(|of_a| of_a < 1), Some("a1"));
    }

    #[test]
    fn nothing_is_kept_of_a_namespace_without_work() {
        let mut fair = Fair::default();
        let place = fair.wait("a", at(0), "a");
        fair.leave("a", place);
        fair.begin("b");
        fair.end("b");
        fair.begin("c");
        fair.set_aside();
        fair.end_aside("c");
        assert!(fair.namespaces.is_empty() && fair.order.is_empty());
    }
}

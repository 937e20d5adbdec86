//! Which lists and watches of a scope fail. A failure that repeats itself is logged once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::watch::WatchFailure;

/// A failure that has not been repeated within this time is over: the pauses between attempts are shorter.
const OVER_AFTER: Duration = Duration::from_secs(60);

/// A list that decisions depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    Credentials = 1,
    Targets = 2,
    Sources = 4,
    States = 8,
    /// A list that is needed only where tokens of ServiceAccounts may be requested.
    ServiceAccounts = 16,
}

/// The failures of the watches of one scope.
#[derive(Debug, Default)]
pub(super) struct Failures(BTreeMap<List, Repeated>);

#[derive(Debug)]
struct Repeated {
    failure: WatchFailure,
    at: Instant,
}

impl Failures {
    /// A list or watch has failed at this time. Returns whether that is new: the watches of Secrets fail for one reason.
    pub(super) fn add(&mut self, list: List, failure: WatchFailure, now: Instant) -> bool {
        let known = self.0.values().any(|known| {
            known.failure.error == failure.error && now.duration_since(known.at) < OVER_AFTER
        });
        self.0.insert(list, Repeated { failure, at: now });
        !known
    }

    /// A list is complete, or an event has arrived. Returns whether that ends the last failure that lasts.
    pub(super) fn end(&mut self, list: List) -> bool {
        let lasted = self.lasts();
        self.0.remove(&list);
        lasted && !self.lasts()
    }

    /// Returns whether something of the scope cannot be listed, or may not be watched.
    pub(super) fn lasts(&self) -> bool {
        self.0.values().any(|known| known.failure.lasts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(error: &str, lasts: bool) -> WatchFailure {
        let error = error.to_owned();
        WatchFailure {
            error,
            lasts,
            refused: false,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs some moment")]
    fn moment() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_failure_is_new_once_for_all_lists_and_again_after_a_minute_without_it() {
        let mut failures = Failures::default();
        let at = |seconds| moment() + Duration::from_secs(seconds);
        let start = at(0);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(failures.add(List::Targets, failure("refused", false), after(0)));
        assert!(!failures.add(List::Sources, failure("refused", false), after(1)));
        assert!(!failures.add(List::Targets, failure("refused", false), after(50)));
        assert!(!failures.add(List::Targets, failure("refused", false), after(100)));
        assert!(failures.add(List::Credentials, failure("forbidden", true), after(101)));
        assert!(failures.add(List::Targets, failure("refused", false), after(161)));
    }

    #[test]
    fn only_a_failure_that_lasts_has_an_end_that_is_worth_a_line() {
        let mut failures = Failures::default();
        failures.add(List::Targets, failure("refused", false), moment());
        assert!(!failures.lasts());
        assert!(!failures.end(List::Targets));
        for list in [List::Targets, List::Sources] {
            failures.add(list, failure("forbidden", true), moment());
        }
        assert!(!failures.end(List::Targets));
        assert!(failures.lasts());
        assert!(failures.end(List::Sources));
        assert!(!failures.end(List::Sources));
    }
}

//! The pace of lookups: when the metadata of a provider object's issuer is read, and how many such reads are made in all.
//!
//! An author chooses issuers, and may change them in a loop or write thousands of objects. So each object has a rest between two
//! reads, each namespace and each host has a budget, and a read that has to wait keeps its place.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    delays,
    retry::{nth, spread},
    schedule::{fraction, is_ahead, whole},
};
use crate::{
    api::{ProviderEndpoints, ProviderStatus},
    reconcile::{
        provider::{Discovery, DiscoveryFailure, ShownProvider},
        time::later,
    },
};

/// The lookups of one provider object.
#[derive(Debug, Default)]
pub struct Lookup {
    /// The last attempt of this process.
    last: Option<Attempted>,
    /// The endpoints that it found.
    found: Option<ProviderEndpoints>,
    /// True if its token endpoint did not respond as one since the last read.
    suspected: bool,
    /// Its place in the budget, and the time of the step that kept it.
    place: Option<(Place, Timestamp)>,
    /// The last message of this process about the object.
    said: Option<Said>,
    /// True if people may not know the operator's network.
    hides_network_detail: bool,
}

/// A message, and the object and the generation that it is about.
#[derive(Debug)]
struct Said {
    uid: String,
    generation: i64,
    message: String,
    /// True if a credential of this operator named the object.
    needed: bool,
}

/// The time that a budget allows a read at. A place of a host is taken only when the place of the namespace has come: otherwise one
/// namespace could take those of many hours.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    OfNamespace(Timestamp),
    OfHost(String, Timestamp),
}

#[derive(Debug)]
struct Attempted {
    at: Timestamp,
    /// The issuer and the hosts that it was about.
    of: Discovery,
    failures: i32,
    failure: Option<Failed>,
    /// True once the status says that it failed.
    reported: bool,
}

#[derive(Debug)]
struct Failed {
    failure: DiscoveryFailure,
    /// As people may see it.
    shown: DiscoveryFailure,
}

/// The next step for an object with an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupStep {
    /// The metadata has to be read.
    Read,
    /// Nothing is due before this time.
    Rest(Timestamp),
}

impl Lookup {
    /// No lookup yet. `hides_network_detail`: people may not know the operator's network.
    #[must_use]
    pub fn new(hides_network_detail: bool) -> Self {
        Self {
            hides_network_detail,
            ..Self::default()
        }
    }

    /// The next step for an object, whose jitter comes from `seed`. `namespace` is empty for a `ClusterCubeProvider`.
    pub fn step(
        &mut self,
        wanted: &Discovery,
        (seed, namespace): (&str, &str),
        status: &ProviderStatus,
        budget: &mut LookupBudget,
        now: Timestamp,
    ) -> LookupStep {
        let due = self.due(wanted, seed, status, now);
        if now < due {
            return LookupStep::Rest(due);
        }
        let host = wanted.host();
        // A clock that was set back since would make it wait as long as that was ahead.
        let kept = self.place.take().filter(|(_, at)| !is_ahead(*at, now));
        let place = match kept.map(|(place, _)| place) {
            Some(Place::OfHost(of, at)) if of == host => Place::OfHost(of, at),
            Some(Place::OfNamespace(at)) => Place::OfNamespace(at),
            // Another host costs another place of the namespace.
            Some(Place::OfHost(..)) | None => {
                Place::OfNamespace(budget.of_namespace(namespace, now))
            }
        };
        let place = match place {
            Place::OfNamespace(at) if at <= now => {
                let at = budget.of_host(&host, now);
                Place::OfHost(host, at)
            }
            place => place,
        };
        match place {
            Place::OfNamespace(at) | Place::OfHost(_, at) if now < at => {
                self.place = Some((place, now));
                LookupStep::Rest(at)
            }
            Place::OfNamespace(_) | Place::OfHost(..) => LookupStep::Read,
        }
    }

    /// The time of the next read.
    #[must_use]
    pub fn due(
        &self,
        wanted: &Discovery,
        seed: &str,
        status: &ProviderStatus,
        now: Timestamp,
    ) -> Timestamp {
        let last = self.last.as_ref().filter(|last| !is_ahead(last.at, now));
        if let Some(last) = last {
            if last.of != *wanted {
                return later(last.at, delays::BETWEEN_LOOKUPS);
            }
            if last.failure.is_some() {
                return later(last.at, retry_delay(seed, last.failures));
            }
        }
        let interval = if self.suspected {
            delays::READ_SUSPECTED
        } else {
            daily(seed)
        };
        let again = |read_at| later(read_at, interval);
        let found = self.endpoints(wanted, status, now);
        let found = found.filter(|found| !is_ahead(found.read_at, now));
        let due = found.map_or(now, |found| again(found.read_at));
        // Whatever the status has, a read of this process counts.
        let own = last.map(|last| again(last.at));
        own.map_or(due, |own| own.max(due))
    }

    /// The token endpoint did not respond as one: the metadata may name another by now.
    pub fn suspect(&mut self) {
        self.suspected = true;
    }

    /// A read has ended. Returns whether it failed in another way than the one before.
    pub fn ended(
        &mut self,
        of: Discovery,
        result: Result<ProviderEndpoints, DiscoveryFailure>,
        now: Timestamp,
    ) -> bool {
        self.suspected = false;
        let before = self.last.take().filter(|last| last.of == of);
        let failures = before.as_ref().map_or(0, |last| last.failures);
        let (failures, failure) = match result {
            Ok(found) => {
                self.found = Some(found);
                (0, None)
            }
            Err(failure) => (failures.saturating_add(1), Some(self.failed(failure))),
        };
        let before = before.and_then(|last| last.failure);
        let is_another = failure
            .as_ref()
            .is_some_and(|failed| before.is_none_or(|before| before.failure != failed.failure));
        self.last = Some(Attempted {
            at: now,
            of,
            failures,
            failure,
            reported: false,
        });
        is_another
    }

    fn failed(&self, failure: DiscoveryFailure) -> Failed {
        let shown = failure.clone();
        let shown = if self.hides_network_detail {
            shown.without_network_detail()
        } else {
            shown
        };
        Failed { failure, shown }
    }

    /// The status says what this process knows. A condition that is not the one from before is this process's own.
    /// `needed`: a credential of this operator names the object.
    pub(crate) fn reported(
        &mut self,
        before: &ShownProvider,
        status: &ProviderStatus,
        needed: bool,
    ) {
        if let Some(last) = &mut self.last {
            last.reported = true;
        }
        if let Some(ready) = status.ready()
            && before.status.ready() != Some(ready)
        {
            self.said = Some(Said {
                uid: before.uid.clone(),
                generation: ready.observed_generation,
                message: ready.message.clone(),
                needed,
            });
        }
    }

    /// Returns whether this process has written this message last.
    pub(in crate::reconcile) fn wrote(&self, shown: &ShownProvider, message: &str) -> bool {
        self.said(shown, message).is_some()
    }

    /// The same, since a credential of this operator has named the object, or none has. If the status says something else now, another
    /// operator has replaced it.
    pub(in crate::reconcile) fn has_said(
        &self,
        shown: &ShownProvider,
        message: &str,
        needed: bool,
    ) -> bool {
        let said = self.said(shown, message);
        said.is_some_and(|said| said.needed == needed)
    }

    fn said(&self, shown: &ShownProvider, message: &str) -> Option<&Said> {
        let about = |said: &&Said| said.uid == shown.uid && said.generation == shown.generation;
        let said = self.said.as_ref().filter(about);
        said.filter(|said| said.message == message)
    }

    /// The endpoints that are known for this issuer: the later ones of this process and of the status. A status from the future counts
    /// less than what this process has found.
    pub(in crate::reconcile) fn endpoints<'a>(
        &'a self,
        wanted: &Discovery,
        status: &'a ProviderStatus,
        now: Timestamp,
    ) -> Option<&'a ProviderEndpoints> {
        let usable = |found: &&ProviderEndpoints| wanted.is_known(found);
        let own = self.found.as_ref().filter(usable);
        let stored = status.endpoints.as_ref().filter(usable);
        let stored = stored.filter(|found| own.is_none() || !is_ahead(found.read_at, now));
        let known = [own, stored].into_iter().flatten();
        known.max_by_key(|found| found.read_at)
    }

    /// The failure of the last read as people may see it, and whether the status has said so.
    #[must_use]
    pub fn failure(&self, wanted: &Discovery) -> Option<(&DiscoveryFailure, bool)> {
        let last = self.last.as_ref().filter(|last| last.of == *wanted)?;
        Some((&last.failure.as_ref()?.shown, last.reported))
    }
}

fn retry_delay(seed: &str, failures: i32) -> SignedDuration {
    spread(nth(&delays::LOOKUP, failures), fraction(seed, failures))
}

/// A day less 0–10 %.
fn daily(seed: &str) -> SignedDuration {
    let earlier = (delays::READ_AGAIN / 10).mul_f64(fraction(seed, 0));
    whole(delays::READ_AGAIN - earlier)
}

/// The reads that are still allowed, for each namespace and for each host.
#[derive(Debug, Default)]
pub struct LookupBudget {
    /// The time at which the budget is full again, by its kind and name.
    full_at: HashMap<(Of, String), Timestamp>,
    /// The time of the last reservation.
    reserved_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    Namespace,
    Host,
}

impl LookupBudget {
    /// A place of this namespace. The administrator's own objects, which have none, need none.
    fn of_namespace(&mut self, namespace: &str, now: Timestamp) -> Timestamp {
        if namespace.is_empty() {
            return now;
        }
        self.reserve(
            (Of::Namespace, namespace),
            delays::LOOKUPS_OF_NAMESPACE,
            now,
        )
    }

    fn of_host(&mut self, host: &str, now: Timestamp) -> Timestamp {
        self.reserve((Of::Host, host), delays::LOOKUPS_OF_HOST, now)
    }

    fn reserve(
        &mut self,
        (of, name): (Of, &str),
        (most, every): (i32, SignedDuration),
        now: Timestamp,
    ) -> Timestamp {
        if is_ahead(self.reserved_at, now) {
            // The clock was set back: all of these lie as far ahead as it was.
            self.full_at.clear();
        }
        self.reserved_at = now;
        self.full_at.retain(|_, full_at| *full_at > now);
        let full_at = self.full_at.entry((of, name.to_owned())).or_insert(now);
        let place = full_at.saturating_sub(every * (most - 1)).unwrap_or(now);
        *full_at = later(*full_at, every);
        place.max(now)
    }
}

#[cfg(test)]
mod tests;

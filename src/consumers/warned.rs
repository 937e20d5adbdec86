//! The consumers that people were warned of, so that no warning is repeated.

use std::collections::{HashMap, HashSet};

use super::{Consumer, Workload};
use crate::object::Uid;

/// The most workloads of one credential that are warned of and remembered: with more to repair, people know it by then.
const MOST: usize = 100;

/// The stale consumers that were warned of, by the uid of the credential. Bounded, and as long-lived as its process.
#[derive(Debug, Default)]
pub struct Warned(HashMap<Uid, HashSet<Workload>>);

impl Warned {
    /// The news among all stale consumers of a credential; they count as warned of from now on.
    pub fn news<'a>(&mut self, credential: Uid, stale: &[&'a Consumer]) -> Vec<&'a Consumer> {
        if stale.is_empty() {
            return Vec::new();
        }
        let warned = self.0.entry(credential).or_default();
        if warned.len() >= MOST {
            warned.retain(|workload| stale.iter().any(|consumer| consumer.workload == *workload));
        }
        let mut news = Vec::new();
        for consumer in stale {
            if warned.len() < MOST && warned.insert(consumer.workload.clone()) {
                news.push(*consumer);
            }
        }
        news
    }

    /// Returns whether nobody was warned of anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets credentials that are gone.
    pub fn retain(&mut self, exists: impl Fn(Uid) -> bool) {
        self.0.retain(|credential, _| exists(*credential));
    }
}

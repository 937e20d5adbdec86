//! What was told already, so that no look repeats it.

use std::collections::{HashMap, HashSet};

use super::{Consumer, Workload};

/// The most workloads of one credential that are told of and remembered: whoever has more to repair knows it by then.
const MOST: usize = 100;

/// The stale consumers that were told of, by the uid of the credential. Bounded, and as long-lived as its process.
#[derive(Debug, Default)]
pub struct Told(HashMap<String, HashSet<Workload>>);

impl Told {
    /// The news among all stale consumers of a credential; they count as told from now on.
    pub fn news<'a>(&mut self, credential: &str, stale: &[&'a Consumer]) -> Vec<&'a Consumer> {
        let told = self.0.entry(credential.to_owned()).or_default();
        if told.len() >= MOST {
            told.retain(|workload| stale.iter().any(|consumer| consumer.workload == *workload));
        }
        let mut news = Vec::new();
        for consumer in stale {
            if told.len() < MOST && told.insert(consumer.workload.clone()) {
                news.push(*consumer);
            }
        }
        news
    }

    /// Forgets credentials that are gone.
    pub fn retain(&mut self, exists: impl Fn(&str) -> bool) {
        self.0.retain(|credential, _| exists(credential));
    }
}

//! The Secrets under earlier names of the target. After a change of `target.name` one is kept while pods use it. It is not
//! refreshed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    consumers::Consumers,
    reconcile::{
        pace::{delays, schedule::is_ahead},
        time::later,
    },
};

/// The pods that use a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlierUse {
    /// The name of one of them.
    pub(in crate::reconcile) pod: String,
    /// How many more there are.
    pub(in crate::reconcile) more: usize,
}

impl EarlierUse {
    /// The use of this Secret; `None`: no pod uses it.
    pub(in crate::reconcile) fn of(pods: &Consumers, secret: &str) -> Option<Self> {
        let mut pods = pods.using(secret);
        let first = pods.next()?;
        let others = pods.map(|other| other.more + 1).sum::<usize>();
        Some(Self {
            pod: first.pod.clone(),
            more: first.more + others,
        })
    }
}

/// The pods of a namespace.
#[derive(Debug)]
pub enum PodList {
    /// The pods that use the Secrets that were asked for.
    Listed(Consumers),
    /// This account may not list pods.
    Forbidden,
    /// The API server did not return them. No token may wait for that.
    Failed,
}

/// The result of a list of pods.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct PodsSeen {
    at: Timestamp,
    uses: Uses,
}

#[derive(Clone, Debug)]
enum Uses {
    /// The use of each Secret that was asked for.
    Known(BTreeMap<String, Option<EarlierUse>>),
    Forbidden,
    Failed,
}

/// Why a Secret under an earlier name of the target is kept.
#[derive(Debug)]
pub(in crate::reconcile) enum Kept {
    /// Pods use it.
    InUse(EarlierUse),
    /// Pods are not listed, and its token expires at this time.
    Until(Timestamp),
    /// It is not known yet whether pods use it.
    Unknown,
}

impl PodsSeen {
    pub(in crate::reconcile) fn new(secrets: &[String], pods: &PodList, at: Timestamp) -> Self {
        let uses = match pods {
            PodList::Listed(pods) => {
                let of = |secret: &String| (secret.clone(), EarlierUse::of(pods, secret));
                Uses::Known(secrets.iter().map(of).collect())
            }
            PodList::Forbidden => Uses::Forbidden,
            PodList::Failed => Uses::Failed,
        };
        Self { at, uses }
    }

    /// Returns whether they are recent enough.
    pub(in crate::reconcile) fn are_current(&self, now: Timestamp) -> bool {
        now < self.until() && !is_ahead(self.at, now)
    }

    /// The time at which the pods are listed again.
    pub(in crate::reconcile) fn until(&self) -> Timestamp {
        later(self.at, delays::PODS)
    }

    /// Returns whether pods may not be listed.
    pub(in crate::reconcile) fn is_forbidden(&self) -> bool {
        matches!(self.uses, Uses::Forbidden)
    }

    /// Returns whether the list was made for this Secret too.
    pub(in crate::reconcile) fn covers(&self, secret: &str) -> bool {
        match &self.uses {
            Uses::Known(uses) => uses.contains_key(secret),
            Uses::Forbidden | Uses::Failed => true,
        }
    }

    /// Why this Secret is kept; `None`: no pod uses it.
    pub(in crate::reconcile) fn kept_for(&self, secret: &str) -> Option<Kept> {
        let Uses::Known(uses) = &self.uses else {
            return Some(Kept::Unknown);
        };
        match uses.get(secret) {
            Some(of_secret) => of_secret.clone().map(Kept::InUse),
            None => Some(Kept::Unknown),
        }
    }
}

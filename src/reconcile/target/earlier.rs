//! The Secrets under earlier names of the target. After a change of `target.name` one is kept while pods use it. It is not refreshed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    consumers::Consumers,
    reconcile::{pace::delays, time::later},
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

/// The pods of the namespace, as they were listed.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct PodsSeen {
    at: Timestamp,
    /// The use of each Secret that was asked for; `None`: pods may not be listed.
    uses: Option<BTreeMap<String, Option<EarlierUse>>>,
}

impl PodsSeen {
    pub(in crate::reconcile) fn new(
        secrets: &[String],
        pods: Option<&Consumers>,
        at: Timestamp,
    ) -> Self {
        let uses = pods.map(|pods| {
            let of = |secret: &String| (secret.clone(), EarlierUse::of(pods, secret));
            secrets.iter().map(of).collect()
        });
        Self { at, uses }
    }

    /// The time at which the pods are listed again.
    pub(in crate::reconcile) fn until(&self) -> Timestamp {
        later(self.at, delays::PODS)
    }

    /// The use of this Secret, if that is known.
    pub(in crate::reconcile) fn use_of(&self, secret: &str) -> Option<&Option<EarlierUse>> {
        self.uses.as_ref()?.get(secret)
    }

    /// Whether it was asked for this Secret.
    pub(in crate::reconcile) fn covers(&self, secret: &str) -> bool {
        self.uses
            .as_ref()
            .is_none_or(|uses| uses.contains_key(secret))
    }
}

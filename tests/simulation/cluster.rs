//! An API server with what matters here: versions, preconditions, writes whose answer is lost, and writes that land late.

use std::collections::BTreeMap;

use cube_operator::reconcile::DesiredSecret;
use secrecy::{ExposeSecret, SecretString};

/// A Secret that is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secret {
    pub(crate) uid: String,
    pub(crate) version: u64,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) owned: bool,
    pub(crate) data: BTreeMap<String, SecretString>,
}

#[derive(Default)]
pub(crate) struct Cluster {
    pub(crate) version: u64,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Writes that are on their way although nobody waits for them any more, with the time at which they land.
    pub(crate) late: Vec<(i64, DesiredSecret)>,
}

impl Cluster {
    /// Whether the write was made: a version that is not the present one is a conflict.
    pub(crate) fn apply(&mut self, desired: &DesiredSecret) -> bool {
        let current = self.secrets.get(&desired.name);
        let fits = match (current, &desired.replaces) {
            (None, None) => true,
            (Some(current), Some(replaces)) => {
                current.uid == replaces.uid && current.version.to_string() == replaces.version
            }
            _ => false,
        };
        if !fits {
            return false;
        }
        self.version += 1;
        let uid = current.map_or_else(
            || format!("uid-{}", self.version),
            |secret| secret.uid.clone(),
        );
        let secret = Secret {
            uid,
            version: self.version,
            labels: desired.labels.clone(),
            annotations: desired.annotations.clone(),
            owned: desired.owned,
            data: desired.data.clone(),
        };
        self.secrets.insert(desired.name.clone(), secret);
        true
    }

    pub(crate) fn delete(&mut self, name: &str) {
        self.version += 1;
        self.secrets.remove(name);
    }

    /// The number of a token in a Secret, if it is there.
    pub(crate) fn number(&self, name: &str, key: &str) -> Option<u64> {
        number(self.secrets.get(name)?.data.get(key)?)
    }

    /// Lands the writes that are due.
    pub(crate) fn land(&mut self, now: i64) {
        let (due, later) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.late = later;
        let due: Vec<(i64, DesiredSecret)> = due;
        for (_, desired) in due {
            self.apply(&desired);
        }
    }
}

/// The number of a token: its text is a letter and the number.
pub(crate) fn number(token: &SecretString) -> Option<u64> {
    token.expose_secret().get(1..)?.parse().ok()
}

//! Secrets in memory, with what of the API server matters here: versions, preconditions, immutable types and
//! server-side apply.

use std::collections::{BTreeMap, VecDeque};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    api::label,
    reconcile::{Content, DesiredSecret, SecretVersion, TargetSecret},
};

/// A Secret that is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) uid: String,
    pub(super) version: u64,
    pub(super) r#type: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) owners: Vec<String>,
    pub(super) owner_lives: bool,
    pub(super) owner_wants_it: bool,
    pub(super) data: BTreeMap<String, String>,
    /// The names of the labels and annotations that we applied last.
    pub(super) applied: Vec<String>,
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused or never arrives.
    Lost,
    /// It happens, but its answer is lost.
    Unanswered,
    /// A quota or a policy refuses a target; any other write is lost.
    Refused,
}

/// The API server did not take a write, or did not say so.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Interrupted,
    Refused,
}

#[derive(Default)]
pub(super) struct Cluster {
    pub(super) secrets: BTreeMap<String, Stored>,
    pub(super) version: u64,
    /// What becomes of the next writes; the others work.
    pub(super) faults: VecDeque<Option<Fault>>,
    /// Owner references that another field manager set: an apply of ours does not remove them.
    pub(super) kept_owners: Vec<String>,
}

impl Cluster {
    pub(super) fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    pub(super) fn target(&self, name: &str) -> Option<TargetSecret> {
        let stored = self.secrets.get(name)?;
        Some(TargetSecret {
            name: name.into(),
            uid: stored.uid.clone(),
            version: stored.version.to_string(),
            labels: stored.labels.clone(),
            annotations: stored.annotations.clone(),
            owners: stored.owners.clone(),
            owner_lives: stored.owner_lives,
            owner_wants_it: stored.owner_wants_it,
            content: Content::Unread,
        })
    }

    pub(super) fn data(&self, name: &str) -> BTreeMap<String, SecretString> {
        let stored = &self.secrets[name];
        stored
            .data
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect()
    }

    /// Edits a Secret as a person would.
    pub(super) fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Stored)) {
        let version = self.next_version();
        if let Some(stored) = self.secrets.get_mut(name) {
            edit(stored);
            stored.version = version;
        }
    }

    /// Creates a Secret as a person would.
    pub(super) fn create(&mut self, name: &str, secret: Stored) {
        let version = self.next_version();
        let stored = Stored {
            uid: format!("secret-{version}"),
            version,
            ..secret
        };
        self.secrets.insert(name.into(), stored);
    }

    /// The names of the Secrets that the watch by label shows.
    pub(super) fn watched(&self) -> Vec<String> {
        let marked =
            |stored: &Stored| stored.labels.get(label::MANAGED).map(String::as_str) == Some("true");
        self.secrets
            .iter()
            .filter(|(_, stored)| marked(stored))
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(super) fn fault(&mut self) -> Option<Fault> {
        self.faults.pop_front().flatten()
    }

    pub(super) fn publish(&mut self, target: &DesiredSecret, owner: &str) -> Result<(), Trouble> {
        let fault = self.fault();
        let current = self.secrets.get(&target.name);
        if fault == Some(Fault::Refused) {
            return Err(Trouble::Refused);
        }
        if fault == Some(Fault::Lost) || !replaces(current, target.replaces.as_ref()) {
            return Err(Trouble::Interrupted);
        }
        let version = self.version + 1;
        let mut stored = current.cloned().unwrap_or_else(|| Stored {
            uid: format!("secret-{version}"),
            r#type: target.r#type.clone(),
            ..Stored::default()
        });
        assert_eq!(stored.r#type, target.r#type, "a Secret's type is immutable");
        for name in std::mem::take(&mut stored.applied) {
            stored.labels.remove(&name);
            stored.annotations.remove(&name);
        }
        stored.applied = target
            .labels
            .keys()
            .chain(target.annotations.keys())
            .cloned()
            .collect();
        stored.labels.extend(target.labels.clone());
        stored.annotations.extend(target.annotations.clone());
        stored
            .owners
            .retain(|uid| uid != owner || self.kept_owners.contains(uid));
        stored.owners.extend(target.owned.then(|| owner.to_owned()));
        stored.owner_lives = true;
        stored.data.extend(
            target
                .data
                .iter()
                .map(|(key, value)| (key.clone(), value.expose_secret().to_owned())),
        );
        // A write that changes nothing makes no new version.
        if current != Some(&stored) {
            self.version = version;
            stored.version = version;
            self.secrets.insert(target.name.clone(), stored);
        }
        fault.map_or(Ok(()), |_| Err(Trouble::Interrupted))
    }

    pub(super) fn delete(&mut self, version: &SecretVersion) -> Result<(), Trouble> {
        let fault = self.fault();
        let current = self.secrets.get(&version.name);
        let lost = matches!(fault, Some(Fault::Lost | Fault::Refused));
        if lost || current.is_some() && !replaces(current, Some(version)) {
            return Err(Trouble::Interrupted);
        }
        self.secrets.remove(&version.name);
        fault.map_or(Ok(()), |_| Err(Trouble::Interrupted))
    }
}

fn replaces(current: Option<&Stored>, replaced: Option<&SecretVersion>) -> bool {
    match (current, replaced) {
        (None, None) => true,
        (Some(stored), Some(replaced)) => {
            stored.uid == replaced.uid && stored.version.to_string() == replaced.version
        }
        _ => false,
    }
}

//! An API server with what matters here: versions, preconditions, immutable types, server-side apply, and writes that go wrong.

use std::collections::{BTreeMap, VecDeque};

use cube_operator::{
    api::label,
    api_error::{ApiError, ApiStatus, Cause, StatusClass},
    reconcile::{Content, DesiredSecret, NotStored, SecretVersion, TargetSecret},
};
use secrecy::{ExposeSecret, SecretString};

/// A Secret that is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) uid: String,
    pub(crate) version: u64,
    pub(crate) r#type: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) owners: Vec<String>,
    pub(crate) finalizers: Vec<String>,
    pub(crate) deleting: bool,
    pub(crate) owner_lives: bool,
    pub(crate) owner_wants_it: bool,
    pub(crate) data: BTreeMap<String, String>,
    /// The names of the labels, annotations and keys that we applied last.
    pub(crate) applied: Vec<String>,
}

/// How a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never arrives.
    Lost,
    /// It happens, but its response is lost.
    Unanswered,
    /// A quota or a policy refuses the Secret; any other write is lost.
    Refused,
    /// Its response is lost, and it happens at this time, in Unix seconds.
    Late(i64),
}

#[derive(Default)]
pub(crate) struct Cluster {
    pub(crate) secrets: BTreeMap<String, Stored>,
    pub(crate) version: u64,
    /// How the next writes fail; the others succeed.
    pub(crate) faults: VecDeque<Option<Fault>>,
    /// Owner references that another field manager set: an apply of ours does not remove them.
    pub(crate) kept_owners: Vec<String>,
    /// Writes that happen later, although nobody waits for them any more.
    late: Vec<(i64, DesiredSecret, String)>,
}

impl Cluster {
    pub(crate) fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    pub(crate) fn target(&self, name: &str) -> Option<TargetSecret> {
        let stored = self.secrets.get(name)?;
        Some(TargetSecret {
            namespace: "treasury".into(),
            name: name.into(),
            uid: stored.uid.clone(),
            version: stored.version.to_string(),
            labels: stored.labels.clone(),
            annotations: stored.annotations.clone(),
            owners: stored.owners.clone(),
            held_by: stored.deleting.then(|| stored.finalizers.clone()),
            owner_lives: stored.owner_lives,
            owner_wants_it: stored.owner_wants_it,
            content: Content::Unread,
        })
    }

    /// The number at the end of a token in a Secret.
    pub(crate) fn number(&self, name: &str, key: &str) -> Option<u64> {
        number(self.secrets.get(name)?.data.get(key)?)
    }

    /// Edits a Secret as a person would.
    pub(crate) fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Stored)) {
        let version = self.next_version();
        if let Some(stored) = self.secrets.get_mut(name) {
            edit(stored);
            stored.version = version;
        }
    }

    /// Creates a Secret as a person would.
    pub(crate) fn create(&mut self, name: &str, secret: Stored) {
        let version = self.next_version();
        let stored = Stored {
            uid: format!("secret-{version}"),
            version,
            ..secret
        };
        self.secrets.insert(name.into(), stored);
    }

    /// The Secrets that the watch by label shows.
    pub(crate) fn watched(&self) -> impl Iterator<Item = (&String, &Stored)> {
        let managed = |(_, stored): &(&_, &Stored)| label::is_set(&stored.labels, label::MANAGED);
        self.secrets.iter().filter(managed)
    }

    pub(crate) fn fault(&mut self) -> Option<Fault> {
        self.faults.pop_front().flatten()
    }

    /// Applies a Secret, in exactly the version that it replaces. `owner` is the uid of its owner reference.
    pub(crate) fn apply(&mut self, desired: &DesiredSecret, owner: &str) -> Result<(), NotStored> {
        match self.fault() {
            None => return self.replace(desired, owner),
            Some(Fault::Lost) => {}
            Some(Fault::Refused) => {
                let error = refused(&desired.name, "exceeded quota");
                return Err(NotStored::Refused(error.into()));
            }
            Some(Fault::Unanswered) => drop(self.replace(desired, owner)),
            Some(Fault::Late(at)) => self.late.push((at, desired.clone(), owner.to_owned())),
        }
        Err(NotStored::Unknown(no_response(&desired.name).into()))
    }

    /// Makes the late writes that are due.
    pub(crate) fn land(&mut self, owner: &str, now: i64) {
        let due: Vec<_> = self.late.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, desired, writer) in due {
            // Nobody is there to learn of a conflict.
            let written = self.replace(&desired, &writer).is_ok();
            if let Some(stored) = self.secrets.get_mut(&desired.name).filter(|_| written) {
                // The object may have been created again in the meantime.
                stored.owner_lives = writer == owner;
            }
        }
    }

    fn replace(&mut self, desired: &DesiredSecret, owner: &str) -> Result<(), NotStored> {
        let current = self.secrets.get(&desired.name);
        if !replaces(current, desired.replaces.as_ref()) {
            return Err(NotStored::Conflict);
        }
        if current.is_some_and(|current| current.r#type != desired.r#type) {
            let error = refused(&desired.name, "the type is immutable");
            return Err(NotStored::Refused(error.into()));
        }
        let version = self.version + 1;
        let before = current.cloned().unwrap_or_else(|| Stored {
            uid: format!("secret-{version}"),
            r#type: desired.r#type.clone(),
            ..Stored::default()
        });
        let stored = before.applied(desired, owner, &self.kept_owners);
        // A write that changes nothing makes no new version.
        if current != Some(&stored) {
            self.version = version;
            let stored = Stored { version, ..stored };
            self.secrets.insert(desired.name.clone(), stored);
        }
        Ok(())
    }

    /// Deletes this version of a Secret.
    pub(crate) fn delete(&mut self, version: &SecretVersion) -> Result<(), ApiError> {
        let fault = self.fault();
        let current = self.secrets.get(&version.name);
        let gone = current.is_none() || replaces(current, Some(version));
        if matches!(fault, None | Some(Fault::Unanswered)) && gone {
            self.remove(&version.name);
        }
        if fault.is_some() || !gone {
            return Err(no_response(&version.name));
        }
        Ok(())
    }
}

impl Cluster {
    /// Deletes a Secret, or marks it as being deleted while finalizers hold it.
    fn remove(&mut self, name: &str) {
        match self.secrets.get(name) {
            Some(stored) if stored.finalizers.is_empty() => drop(self.secrets.remove(name)),
            Some(stored) if stored.deleting => {}
            Some(_) => self.edit(name, |stored| stored.deleting = true),
            None => {}
        }
    }
}

impl Stored {
    /// Server-side apply: what was applied before and is not applied now goes; what others added stays.
    fn applied(mut self, desired: &DesiredSecret, owner: &str, kept_owners: &[String]) -> Self {
        for name in std::mem::take(&mut self.applied) {
            self.labels.remove(&name);
            self.annotations.remove(&name);
            self.data.remove(&name);
        }
        let metadata = desired.labels.keys().chain(desired.annotations.keys());
        self.applied = metadata.chain(desired.data.keys()).cloned().collect();
        self.labels.extend(desired.labels.clone());
        self.annotations.extend(desired.annotations.clone());
        let data = desired.data.iter();
        self.data
            .extend(data.map(|(key, value)| (key.clone(), value.expose_secret().to_owned())));
        self.owners
            .retain(|uid| uid != owner || kept_owners.contains(uid));
        self.owners.extend(desired.owned.then(|| owner.to_owned()));
        self.owner_lives = true;
        self
    }

    pub(crate) fn secret_data(&self) -> BTreeMap<String, SecretString> {
        let data = self.data.iter();
        data.map(|(key, value)| (key.clone(), value.clone().into()))
            .collect()
    }
}

pub(crate) fn no_response(name: &str) -> ApiError {
    api_error(name, Cause::Timeout(10))
}

fn refused(name: &str, why: &str) -> ApiError {
    let status = ApiStatus {
        message: why.into(),
        code: 403,
        reason: "Forbidden".into(),
        class: StatusClass::Refused,
        namespace_is_gone: false,
    };
    api_error(name, Cause::Status(status))
}

fn api_error(name: &str, cause: Cause) -> ApiError {
    ApiError {
        verb: "write",
        object: format!("Secret treasury/{name}"),
        cause,
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

/// The number at the end of a token of the model's provider.
pub(crate) fn number(token: &str) -> Option<u64> {
    token.rsplit('-').next()?.parse().ok()
}

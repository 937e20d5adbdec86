//! Where a Secret by the name of the state comes from. Backups, replicators and people copy Secrets with all of their marks, and a
//! refresh token that two objects send ends the login of both.

use std::collections::BTreeMap;

use crate::{
    api::{annotation, label},
    reconcile::credential::{Credential, place_of},
};

/// The origin of a Secret by the name of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was written under this name, for this object or a predecessor of the same name.
    Here,
    /// A person has given it to this object.
    Given,
    /// It is a state, and was written under another name, or an earlier version did not record where.
    Elsewhere(Option<String>),
    /// It is no state of an object by this name.
    Foreign,
}

type Entries = BTreeMap<String, String>;

impl Origin {
    pub(super) fn of(
        credential: &Credential,
        name: &str,
        labels: &Entries,
        annotations: &Entries,
    ) -> Self {
        if !label::is_set(labels, label::STATE) {
            return Self::Foreign;
        }
        let marked = |name, value: &str| annotations.get(name).is_some_and(|found| found == value);
        let written_to = annotations.get(annotation::WRITTEN_TO);
        let place = place_of(&credential.namespace, name);
        let of_this_name = marked(annotation::OWNER_NAME, &credential.name);
        let here = match written_to {
            Some(written_to) => *written_to == place,
            // Without a place, only the uid proves that it is no copy.
            None => marked(annotation::OWNER_UID, &credential.uid),
        };
        if of_this_name && here {
            Self::Here
        } else if marked(annotation::ADOPTABLE_BY, &credential.uid) {
            Self::Given
        } else if here || written_to.is_none() && !of_this_name {
            Self::Foreign
        } else {
            Self::Elsewhere(written_to.cloned())
        }
    }
}

/// Returns whether a Secret by the name of the state belongs to this object, was left by its predecessor or was given to it, so
/// that its data may be read.
#[must_use]
pub fn is_state_of(
    credential: &Credential,
    name: &str,
    labels: &Entries,
    annotations: &Entries,
) -> bool {
    match Origin::of(credential, name, labels, annotations) {
        Origin::Here | Origin::Given => true,
        Origin::Elsewhere(_) | Origin::Foreign => false,
    }
}

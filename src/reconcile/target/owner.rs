//! The owner of a Secret by the target's name.

use super::secret::TargetSecret;
use crate::{
    api::annotation,
    reconcile::credential::{Credential, place_of},
};

/// The owner of a Secret. The uid annotation decides, unless the Secret is a copy of another one; the owner reference only lets the
/// garbage collector delete it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum TargetOwner {
    /// It has the uid of this `CubeCredential`.
    This,
    /// It has this name and a uid that no `CubeCredential` has any more: kept by Retain, or restored from a backup.
    Predecessor,
    /// It has the uid of a younger `CubeCredential` with the same target, which yields to this one. Otherwise the two could
    /// wait for each other, and neither token would be refreshed.
    Rival,
    /// Anything else. It is never written, adopted or deleted.
    Foreign,
}

/// Where a Secret was written, as its mark says. All other marks travel with a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WrittenTo<'a> {
    /// To this namespace and name.
    Here,
    /// To another namespace or name: it is a copy.
    Elsewhere(&'a str),
    /// It has no such mark: an earlier version wrote it, or something else.
    Unknown,
}

impl TargetSecret {
    fn written_to(&self) -> WrittenTo<'_> {
        match self.annotations.get(annotation::WRITTEN_TO) {
            None => WrittenTo::Unknown,
            Some(place) if *place == place_of(&self.namespace, &self.name) => WrittenTo::Here,
            Some(place) => WrittenTo::Elsewhere(place),
        }
    }

    /// The namespace and name of the Secret that this one is a copy of.
    #[must_use]
    pub(in crate::reconcile) fn copy_of(&self) -> Option<&str> {
        match self.written_to() {
            WrittenTo::Elsewhere(place) => Some(place),
            WrittenTo::Here | WrittenTo::Unknown => None,
        }
    }

    /// The uid of the `CubeCredential` that it was written for under this name. A copy was written for none, and neither was a
    /// Secret that does not say so.
    #[must_use]
    pub(crate) fn written_for(&self) -> Option<&str> {
        let written_here = self.written_to() == WrittenTo::Here;
        self.marked_owner().filter(|_| written_here)
    }

    /// The uid of the `CubeCredential` that it is marked with, perhaps as a copy.
    #[must_use]
    pub(crate) fn marked_owner(&self) -> Option<&str> {
        let uid = self.annotations.get(annotation::OWNER_UID)?;
        Some(uid)
    }

    /// Returns whether this Secret belongs neither to this object nor to a predecessor of it. Its data may not be read then.
    #[must_use]
    pub fn is_foreign_to(&self, credential: &Credential) -> bool {
        self.owner(credential) == TargetOwner::Foreign
    }

    /// Returns whether a person, who may write this Secret, gives it to this object.
    pub(in crate::reconcile) fn is_given_to(&self, credential: &Credential) -> bool {
        self.annotations.get(annotation::ADOPTABLE_BY) == Some(&credential.uid)
    }

    pub(in crate::reconcile) fn owner(&self, credential: &Credential) -> TargetOwner {
        if self.copy_of().is_some() {
            return TargetOwner::Foreign;
        }
        let marked = |name: &str| self.annotations.get(name).map(String::as_str);
        match marked(annotation::OWNER_UID) {
            Some(uid) if uid == credential.uid => TargetOwner::This,
            Some(_)
                if !self.owner_lives
                    && marked(annotation::OWNER_NAME) == Some(&credential.name) =>
            {
                TargetOwner::Predecessor
            }
            // An older rival would have been noticed before: see `an_older_credential_owns_the_target`.
            Some(_) if self.owner_wants_it => TargetOwner::Rival,
            _ => TargetOwner::Foreign,
        }
    }
}

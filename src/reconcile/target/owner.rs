//! The owner of a Secret by the target's name.

use super::secret::TargetSecret;
use crate::{api::annotation, reconcile::credential::Credential};

/// The owner of a Secret. The uid annotation decides; the owner reference only lets the garbage collector delete it.
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

impl TargetSecret {
    /// Whether this Secret belongs neither to this object nor to a predecessor of it. Its data may not be read then.
    #[must_use]
    pub fn is_foreign_to(&self, credential: &Credential) -> bool {
        self.owner(credential) == TargetOwner::Foreign
    }

    /// Whether a person, who may write this Secret, gives it to this object.
    pub(in crate::reconcile) fn is_given_to(&self, credential: &Credential) -> bool {
        self.annotations.get(annotation::ADOPTABLE_BY) == Some(&credential.uid)
    }

    pub(in crate::reconcile) fn owner(&self, credential: &Credential) -> TargetOwner {
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

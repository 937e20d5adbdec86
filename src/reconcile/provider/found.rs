//! The provider object that a spec's reference leads to.

#[cfg(feature = "plugin")]
use std::sync::Arc;

use super::object::ReadProvider;

/// The provider object that a reference leads to, as far as it is known.
#[derive(Clone, Debug)]
pub enum FoundProvider {
    /// The objects were not listed yet.
    Unlisted,
    /// The objects cannot be listed.
    Unwatched,
    /// This operator does not use objects of this kind.
    Unused,
    /// There is no such object.
    Absent,
    /// There is one.
    Present(ReadProvider),
}

#[cfg(feature = "plugin")]
impl FoundProvider {
    /// The object for a person who sends nothing, and need not know its ConfigMap.
    #[must_use]
    pub(crate) fn without_bundle(self) -> Self {
        match self {
            Self::Present(Ok(object)) if object.waits_for_its_bundle() => {
                Self::Present(Ok(Arc::new(object.without_bundle())))
            }
            other => other,
        }
    }
}

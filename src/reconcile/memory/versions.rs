//! The versions of a token's inputs.

/// The versions of the inputs at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) struct Versions {
    pub(in crate::reconcile) generation: i64,
    pub(in crate::reconcile) source_version: String,
    pub(in crate::reconcile) seed_version: Option<String>,
    /// The version of the provider object's fields, if the spec names one.
    pub(in crate::reconcile) provider_version: Option<String>,
}

//! A failed write of a Secret of ours.

use thiserror::Error;

use crate::api_error::ApiError;

/// A failed write of a Secret of ours.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The API server did not accept it, or did not confirm it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// It was written without one of our labels or annotations.
    #[error("an admission webhook or policy takes {mark} off Secret {namespace}/{name}")]
    Altered {
        /// The label or annotation.
        mark: String,
        /// The namespace of the Secret.
        namespace: String,
        /// The name of the Secret.
        name: String,
    },
    /// A state is not written over a Secret that something else owns.
    #[error("a Secret that does not belong to this CubeCredential has the name of its state")]
    ForeignState,
}

impl WriteError {
    /// Whether the Secret has been made immutable.
    pub(in crate::reconcile) fn is_immutable(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_immutable())
    }
}

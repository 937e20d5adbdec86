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
    #[error("an admission webhook or policy removes {mark} from Secret {namespace}/{name}")]
    Altered {
        /// The label or annotation.
        mark: String,
        /// The namespace of the Secret.
        namespace: String,
        /// The name of the Secret.
        name: String,
    },
    /// Its data can never change again, and only a deletion makes it writable.
    #[error("Secret {namespace}/{name} is immutable and cannot hold another token")]
    Immutable {
        /// The namespace of the Secret.
        namespace: String,
        /// The name of the Secret.
        name: String,
    },
    /// A state is not written over a Secret that something else owns.
    #[error("another owner's Secret has the name of the stored refresh token")]
    ForeignState,
}

//! Why a Secret of ours was not written.

use thiserror::Error;

use crate::api_error::ApiError;

/// Why a Secret of ours was not written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The API server did not take it, or did not say so.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// It was written without one of our labels or annotations.
    #[error("an admission webhook or policy takes {mark} off Secret {namespace}/{name}")]
    Altered {
        /// The label or annotation.
        mark: String,
        /// Where the Secret is.
        namespace: String,
        /// What the Secret is called.
        name: String,
    },
    /// A state is not written over a Secret that something else owns.
    #[error("a Secret that does not belong to this CubeCredential has the name of its state")]
    ForeignState,
}

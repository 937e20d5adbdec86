//! The `CubeCredential` itself, without its spec.

use crate::api::CubeCredentialStatus;

/// The `CubeCredential`, without its spec.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its namespace, in which all objects that it references are.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`, which counts changes of the spec.
    pub generation: i64,
    /// True if it has a deletion timestamp.
    pub deleting: bool,
    /// The hash of the annotation that requests a refresh, if it has one.
    pub refresh_request: Option<String>,
    /// Its status, as last read or written.
    pub status: CubeCredentialStatus,
}

/// A Secret by its namespace and name, as the mark of where it was written names it.
pub(super) fn place_of(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

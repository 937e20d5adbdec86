//! The installation: the definition, the rights of the account, and where `check` looks from.

use crate::{
    api_error::{ApiError, Cause},
    oauth::error::ProxyVariableError,
};

#[derive(Clone, Debug)]
pub(crate) enum InstallationFact {
    ApiServerResponds,
    NotServed(DefinitionError),
    /// The definition is the one of this version.
    Current {
        definition: String,
    },
    Outdated {
        definition: String,
    },
    /// An installation for some namespaces only has no right to read cluster-wide objects.
    NotReadable {
        definition: String,
    },
    NotRead(ApiError),
    Allowed {
        verbs: Vec<&'static str>,
        right: Right,
    },
    /// `verbs` are those that are denied.
    Denied {
        verbs: Vec<&'static str>,
        right: Right,
    },
}

/// The object of a right.
#[derive(Clone, Debug)]
pub(crate) enum Right {
    /// Without a namespace: in all of them.
    Resource {
        resource: &'static str,
        subresource: Option<&'static str>,
        namespace: Option<String>,
    },
    /// The `ConfigMap`s of the operator's namespace, which `ClusterCubeProvider`s name.
    Bundles { namespace: String },
    /// The Lease of leader election.
    Lease { namespace: String, name: String },
}

/// The scope of the check, and the place where it runs.
#[derive(Clone, Debug)]
pub(crate) enum ScopeFact {
    NoCredential,
    /// The operator does not watch this namespace.
    Unwatched {
        namespace: String,
        watched: Vec<String>,
    },
    FromPod,
    FromMachine,
    /// Nobody has allowed connections to the hosts that `CubeCredentials` name.
    NotConnected,
}

/// Why `CubeCredentials` cannot be used with this API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DefinitionError {
    /// `version` is the group with its version.
    NotServed {
        kind: String,
        version: String,
    },
    KindsUnknown(ApiError),
    Unreachable(Cause),
}

/// Why `check` ends with a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CheckError {
    Definition(DefinitionError),
    Api(ApiError),
    ProxyVariable(ProxyVariableError),
    UnknownCredential {
        name: String,
        namespace: String,
        /// The credentials that there are, in order.
        others: Vec<String>,
    },
    Faults(usize),
}

impl From<DefinitionError> for CheckError {
    fn from(error: DefinitionError) -> Self {
        Self::Definition(error)
    }
}

impl From<ApiError> for CheckError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<ProxyVariableError> for CheckError {
    fn from(error: ProxyVariableError) -> Self {
        Self::ProxyVariable(error)
    }
}

//! The Lease (coordination.k8s.io/v1) that says which process leads.

use std::{fmt, str::FromStr, time::Duration};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch},
};

use super::{
    MUST_NOT_EXIST, applied,
    error::{ApiError, call_within},
};

/// The limit on the time of a call: a call that hangs ends before a leader's term, so that another round can follow.
const LIMIT: Duration = Duration::from_secs(4);

/// The namespace and name of a Lease, written `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaseName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl LeaseName {
    /// Another Lease in the same namespace.
    #[must_use]
    pub(crate) fn beside(&self, name: String) -> Self {
        Self {
            namespace: self.namespace.clone(),
            name,
        }
    }
}

impl FromStr for LeaseName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name)) if ![namespace, name].contains(&"") && !name.contains('/') => {
                Ok(Self {
                    namespace: namespace.into(),
                    name: name.into(),
                })
            }
            _ => Err("write NAMESPACE/NAME"),
        }
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A Lease as it was found, or written.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The resourceVersion; `None`: there is no such Lease.
    pub version: Option<String>,
    /// The holder, and since when it holds the Lease.
    pub spec: LeaseSpec,
}

/// Reads and writes one Lease.
pub(crate) struct LeaseAccess {
    api: Api<Lease>,
    name: LeaseName,
}

impl LeaseAccess {
    #[must_use]
    pub(crate) fn new(client: Client, name: LeaseName) -> Self {
        let api = Api::namespaced(client, &name.namespace);
        Self { api, name }
    }

    #[must_use]
    pub(crate) fn name(&self) -> &LeaseName {
        &self.name
    }

    /// The Lease, which may not exist.
    ///
    /// # Errors
    /// If the API server does not respond within 4 s.
    pub(crate) async fn read(&self) -> Result<Found, ApiError> {
        let request = self.api.get_opt(&self.name.name);
        let lease = call_within(LIMIT, "read", self.object(), request).await?;
        Ok(lease.map(found).unwrap_or_default())
    }

    /// Writes the Lease in exactly the version that was found, or creates it if none was found.
    ///
    /// # Errors
    /// If another process was faster, or the API server does not accept it within 4 s.
    pub(crate) async fn write(
        &self,
        spec: LeaseSpec,
        replaces: Option<&str>,
    ) -> Result<Found, ApiError> {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.name.name.clone()),
                resource_version: Some(replaces.unwrap_or(MUST_NOT_EXIST).to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(spec),
        };
        let parameters = applied();
        let patch = Patch::Apply(&lease);
        let request = self.api.patch(&self.name.name, &parameters, &patch);
        let written = call_within(LIMIT, "write", self.object(), request).await?;
        Ok(found(written))
    }

    fn object(&self) -> String {
        format!("Lease {}", self.name)
    }
}

fn found(lease: Lease) -> Found {
    Found {
        version: lease.metadata.resource_version,
        spec: lease.spec.unwrap_or_default(),
    }
}

//! A right that the person lacks, by the names that a role has for it.

use std::fmt::{self, Display, Formatter};

use super::error::PluginError;
use crate::{
    api::{ProviderKind, ProviderRef},
    api_error::{ApiError, Cause},
};

/// The right to do something with a resource in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) verb: &'static str,
    pub(super) resource: &'static str,
    /// `None`: all namespaces.
    pub(super) namespace: Option<String>,
}

impl Right {
    pub(super) fn new(verb: &'static str, resource: &'static str, namespace: Option<&str>) -> Self {
        Self {
            verb,
            resource,
            namespace: namespace.map(str::to_owned),
        }
    }

    /// The right to read a provider object. The role `edit` of one namespace has it for a `CubeProvider` only.
    pub(super) fn to_provider(reference: &ProviderRef, namespace: &str) -> Self {
        match reference.kind {
            ProviderKind::CubeProvider => Self::new("get", "cubeproviders", Some(namespace)),
            ProviderKind::ClusterCubeProvider => Self::new("get", "clustercubeproviders", None),
        }
    }

    /// Returns whether the API server denied exactly this, and no admission policy.
    pub(super) fn is_missing(&self, error: &ApiError) -> bool {
        let Cause::Status(status) = &error.cause else {
            return false;
        };
        let denied = format!("cannot {} resource", self.verb);
        status.code == 403 && status.message.contains(&denied)
    }

    /// The error of a command that needs this right.
    pub(super) fn explain(&self, error: ApiError) -> PluginError {
        if self.is_missing(&error) {
            return PluginError::new(self.to_string());
        }
        error.into()
    }
}

/// The sentence about a missing right.
impl Display for Right {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            verb,
            resource,
            namespace,
        } = self;
        write!(f, "you may not {verb} {resource} in ")?;
        match namespace {
            Some(namespace) => write!(f, "namespace {namespace:?}: ask for that right"),
            None => f.write_str("all namespaces: ask for that right"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(message: &str) -> ApiError {
        ApiError::forbidden("list", "CubeCredentials", message)
    }

    #[test]
    fn a_missing_right_is_named_and_the_words_of_a_policy_are_kept() {
        let right = Right::new("list", "cubecredentials", Some("treasury"));
        let message = "forbidden: User \"a\" cannot list resource \"cubecredentials\" in API group";
        assert_eq!(
            right.explain(denied(message)).to_string(),
            "you may not list cubecredentials in namespace \"treasury\": ask for that right"
        );
        let policy = right.explain(denied("ValidatingAdmissionPolicy 'p' denied request: no"));
        assert!(policy.to_string().contains("'p' denied"), "{policy}");
    }
}

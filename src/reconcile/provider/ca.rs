//! The CA certificates of a provider object: in its spec, or in a ConfigMap that its spec names.

use std::sync::Arc;

use super::flaw::Unusable;
use crate::{
    api::{ConfigMapBundleRef, CubeProviderSpec, SystemRoots},
    oauth::ca_bundle::{CaCertificates, TrustedCa},
};

/// The CA certificates of a provider object, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProviderCa {
    /// The system's alone are trusted.
    None,
    /// They are in the spec, or in the ConfigMap that was read.
    Trusted(TrustedCa),
    /// The ConfigMap was not read yet. Without it, nobody knows whom to trust, so nothing is sent.
    Unread,
    /// A person who sends nothing has not read the ConfigMap.
    #[cfg(feature = "plugin")]
    Unseen,
}

impl ProviderCa {
    pub(super) fn of(
        spec: &CubeProviderSpec,
        named: Option<&ConfigMapBundleRef>,
    ) -> Result<Self, Unusable> {
        let system_roots = spec.system_roots.unwrap_or_default();
        match (&spec.ca_bundle, named) {
            (Some(_), Some(_)) => Err(Unusable::TwoBundles),
            (None, None) if system_roots == SystemRoots::Replace => {
                Err(Unusable::ReplaceWithoutBundle)
            }
            (None, None) => Ok(Self::None),
            (None, Some(_)) => Ok(Self::Unread),
            (Some(pem), None) => {
                let certificates = Arc::new(CaCertificates::read(pem.as_bytes())?);
                Ok(Self::Trusted(TrustedCa {
                    certificates,
                    system_roots,
                }))
            }
        }
    }

    pub(super) fn trusted(&self) -> Option<&TrustedCa> {
        match self {
            Self::Trusted(trusted) => Some(trusted),
            _ => None,
        }
    }
}

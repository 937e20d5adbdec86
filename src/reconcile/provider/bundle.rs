//! The errors of the ConfigMap with the CA certificates of a `ClusterCubeProvider`.

use std::{
    fmt::{self, Display, Formatter},
    sync::Arc,
};

use thiserror::Error;

use crate::oauth::ca_bundle::{CaBundleError, CaCertificates};

/// The certificates in a ConfigMap, or the reason why there are none.
pub type ReadBundle = Result<Arc<CaCertificates>, BundleFlaw>;

/// The reason why a ConfigMap gives a provider object no CA certificates.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum BundleFlaw {
    #[error(
        "the operator does not know its own namespace, where ConfigMap {name:?} of its caBundleRef is"
    )]
    NoNamespace { name: String },
    #[error("the operator may not watch {0} of its caBundleRef")]
    Denied(ConfigMapPlace),
    #[error("{0} of its caBundleRef cannot be read")]
    Unreadable(ConfigMapPlace),
    #[error("{0} of its caBundleRef does not exist")]
    Absent(ConfigMapPlace),
    #[error("{place} of its caBundleRef has no key {key:?}")]
    NoKey { place: ConfigMapPlace, key: String },
    #[error("key {key:?} of {place}: {why}")]
    Unusable {
        place: ConfigMapPlace,
        key: String,
        why: CaBundleError,
    },
    #[error("ClusterCubeProviders name more than {most} CA bundles, and {place} is one too many")]
    TooMany { place: ConfigMapPlace, most: usize },
}

/// A ConfigMap in the operator's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ConfigMapPlace {
    pub namespace: String,
    pub name: String,
}

impl Display for ConfigMapPlace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigMap {}/{}", self.namespace, self.name)
    }
}

impl ConfigMapPlace {
    /// Returns whether a message names the ConfigMap of this name in another namespace.
    #[must_use]
    pub(in crate::reconcile) fn is_elsewhere_in(&self, message: &str) -> bool {
        let mut named = message.split("ConfigMap ").skip(1);
        named.any(|place| {
            let place = place.split_once('/');
            place.is_some_and(|(namespace, name)| {
                namespace != self.namespace && name.starts_with(&self.name)
            })
        })
    }
}

/// Reads the text of a key; `None`: there is no such key.
///
/// # Errors
/// Says what is wrong with the ConfigMap.
pub fn read_bundle(place: ConfigMapPlace, key: &str, text: Option<&[u8]>) -> ReadBundle {
    let key = key.to_owned();
    let Some(text) = text else {
        return Err(BundleFlaw::NoKey { place, key });
    };
    match CaCertificates::read(text) {
        Ok(read) => Ok(Arc::new(read)),
        Err(why) => Err(BundleFlaw::Unusable { place, key, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_of_a_config_map_tells_whose_it_is() {
        let of = |namespace: &str| ConfigMapPlace {
            namespace: namespace.into(),
            name: "roots".into(),
        };
        let (place, key) = (of("a"), || "ca.crt".to_owned());
        let why = CaCertificates::read(b"text").unwrap_err();
        for flaw in [
            BundleFlaw::Denied(place.clone()),
            BundleFlaw::Unreadable(place.clone()),
            BundleFlaw::Absent(place.clone()),
            BundleFlaw::NoKey {
                place: place.clone(),
                key: key(),
            },
            BundleFlaw::Unusable {
                place: place.clone(),
                key: key(),
                why,
            },
            BundleFlaw::TooMany {
                place: place.clone(),
                most: 64,
            },
        ] {
            let message = flaw.to_string();
            assert!(!place.is_elsewhere_in(&message), "{message}");
            assert!(of("b").is_elsewhere_in(&message), "{message}");
        }
    }
}

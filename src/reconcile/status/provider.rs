//! The status of a provider object: whether it can be used, and what to do if not.

use jiff::Timestamp;

use super::remedy::of_issuer;
use crate::{
    api::{ProviderCondition, ProviderConditionType, ProviderReason, ProviderStatus},
    oauth::{discovery::DiscoveryError, error::MetadataError},
    reconcile::{
        pace::Lookup,
        provider::{Discovery, DiscoveryFailure, ProviderObject, ShownProvider},
    },
};

/// The `CubeCredentials` that name an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) credentials: usize,
    /// True if all of them are known, so that the status shows their number.
    pub(crate) is_shown: bool,
}

/// The status of a provider object. It is the one that the object has, if nothing has changed.
#[must_use]
pub(crate) fn provider_status(
    shown: &ShownProvider,
    lookup: &Lookup,
    named: Named,
    now: Timestamp,
) -> ProviderStatus {
    let condition = match kept(shown, lookup, named) {
        Some(condition) => condition.clone(),
        None => condition(shown, ready(shown, lookup, named), now),
    };
    let discovery = shown
        .object
        .as_ref()
        .ok()
        .and_then(|object| object.discovery());
    let endpoints = discovery.and_then(|wanted| lookup.endpoints(wanted, &shown.status));
    ProviderStatus {
        observed_generation: Some(shown.generation),
        conditions: vec![condition],
        // An object that cannot be read now keeps what is known for a time when it can.
        endpoints: match shown.object {
            Ok(_) => endpoints.cloned(),
            Err(_) => shown.status.endpoints.clone(),
        },
        credentials: i64::try_from(named.credentials)
            .ok()
            .filter(|_| named.is_shown),
    }
}

/// The condition that the object has, if it tells of a failure that this process has told already, or another one. Two operators
/// that fail in two ways would write one after the other otherwise.
fn kept<'a>(
    shown: &'a ShownProvider,
    lookup: &Lookup,
    named: Named,
) -> Option<&'a ProviderCondition> {
    let wanted = shown.object.as_ref().ok()?.discovery()?;
    let (_, is_reported) = lookup.failure(wanted)?;
    let ready = shown.status.ready()?;
    let same = is_reported
        && shown.status.says(ProviderReason::DiscoveryFailed)
        && ready.observed_generation == shown.generation
        && named.credentials > 0
        && lookup.endpoints(wanted, &shown.status).is_none();
    same.then_some(ready)
}

fn condition(
    shown: &ShownProvider,
    (reason, message): (ProviderReason, String),
    now: Timestamp,
) -> ProviderCondition {
    let before = shown.status.ready();
    let before = before.filter(|condition| condition.status == reason.status());
    ProviderCondition {
        r#type: ProviderConditionType::Ready,
        status: reason.status(),
        reason: reason.name().into(),
        message,
        observed_generation: shown.generation,
        last_transition_time: before.map_or(now, |condition| condition.last_transition_time),
    }
}

fn ready(shown: &ShownProvider, lookup: &Lookup, named: Named) -> (ProviderReason, String) {
    let object = match &shown.object {
        Ok(object) => object,
        Err(why) => {
            let message = format!("this object cannot be used: {why}: correct it");
            return (ProviderReason::Unusable, message);
        }
    };
    match object.discovery() {
        Some(wanted) => discovered(wanted, lookup, &shown.status, named),
        None => (ProviderReason::Usable, usable(object)),
    }
}

fn usable(object: &ProviderObject) -> String {
    let endpoint = object.shown_endpoint().unwrap_or_default();
    format!("tokens come from {endpoint}")
}

fn discovered(
    wanted: &Discovery,
    lookup: &Lookup,
    status: &ProviderStatus,
    named: Named,
) -> (ProviderReason, String) {
    if let Some(found) = lookup.endpoints(wanted, status) {
        let url = found.token_url.split('?').next().unwrap_or_default();
        let message = format!("tokens come from {url}, as the issuer's metadata says");
        return (ProviderReason::Discovered, message);
    }
    if named.credentials == 0 {
        let message = "the issuer's metadata is read once a CubeCredential names this object";
        return (ProviderReason::NotNamed, message.into());
    }
    if let Some((failure, _)) = lookup.failure(wanted) {
        let message = format!("{failure}: {}; retried after 10 s to 1 h", mend(failure));
        return (ProviderReason::DiscoveryFailed, message);
    }
    let message = "the issuer's metadata is being read: no action needed";
    (ProviderReason::Discovering, message.into())
}

fn mend(failure: &DiscoveryFailure) -> String {
    match failure {
        DiscoveryFailure::HostNotAllowed { .. } => {
            "ask the installer to add it to --allowed-token-hosts".into()
        }
        DiscoveryFailure::OtherHost { .. } => {
            "if that is the provider's too, add it to spec.endpointHosts".into()
        }
        DiscoveryFailure::Reserved { .. } => "set tokenURL in place of issuer".into(),
        DiscoveryFailure::Hidden => "check spec.issuer, DNS, network policies and firewall".into(),
        DiscoveryFailure::Metadata(MetadataError::Network(error)) => of_issuer(error),
        DiscoveryFailure::Metadata(MetadataError::Document(error)) => match error {
            DiscoveryError::OtherIssuer { .. } | DiscoveryError::OtherNoIssuer => {
                "write spec.issuer exactly as the metadata has it".into()
            }
            DiscoveryError::Status { .. } | DiscoveryError::NotMetadata => {
                "correct spec.issuer, or set tokenURL in place of it".into()
            }
            DiscoveryError::BadIssuer { .. } | DiscoveryError::NoIssuer => {
                "correct spec.issuer".into()
            }
            DiscoveryError::Missing { .. }
            | DiscoveryError::Unwritable { .. }
            | DiscoveryError::BadEndpoint { .. }
            | DiscoveryError::NoMethod => "set tokenURL in place of issuer".into(),
        },
    }
}

#[cfg(test)]
mod tests;

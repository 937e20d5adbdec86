//! The status of a provider object: whether it can be used, and what to do if not.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::remedy::of_issuer;
use crate::{
    api::{
        ConditionStatus, ProviderCondition, ProviderConditionType, ProviderEndpoints,
        ProviderReason, ProviderStatus,
    },
    oauth::{discovery::DiscoveryError, error::MetadataError},
    reconcile::{
        pace::Lookup,
        provider::{
            BundleFlaw, Discovery, DiscoveryFailure, ProviderObject, ShownProvider, Unusable,
        },
    },
};

/// The `CubeCredentials` that name an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) credentials: usize,
    /// True if all of them are known, so that the status shows their number.
    pub(crate) is_shown: bool,
}

/// The status of a provider object. It is the one that the object has, if nothing has changed. `operator_interval`: the time between
/// two requests of a client where no object sets one.
#[must_use]
pub(crate) fn provider_status(
    shown: &ShownProvider,
    lookup: &Lookup,
    named: Named,
    operator_interval: SignedDuration,
    now: Timestamp,
) -> ProviderStatus {
    let wanted = shown.object.as_ref().ok();
    let wanted = wanted.and_then(|object| object.discovery());
    let endpoints = wanted.and_then(|wanted| lookup.endpoints(wanted, &shown.status, now));
    let note = note(shown, operator_interval);
    let kept = wanted.and_then(|wanted| kept(shown, wanted, endpoints, lookup, named));
    let kept = kept.filter(|ready| note_of(ready).is_none_or(|kept| kept == note));
    let condition = kept.cloned().unwrap_or_else(|| {
        let (reason, mut message) = ready(shown, endpoints, lookup, named);
        if reason.status() == ConditionStatus::True {
            message.push_str(&note);
        }
        let judged = condition(shown, (reason, message), now);
        let of_another = of_another(shown, &judged, lookup, named);
        of_another.cloned().unwrap_or(judged)
    });
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

/// The condition that the object has, if this process has nothing newer to say. Several operators may serve one object, and would
/// write one after the other otherwise: two that fail in two ways, one that fails and one whose read is not due yet, or one that has
/// no credential of a `ClusterCubeProvider` which another one reads.
fn kept<'a>(
    shown: &'a ShownProvider,
    wanted: &Discovery,
    endpoints: Option<&ProviderEndpoints>,
    lookup: &Lookup,
    named: Named,
) -> Option<&'a ProviderCondition> {
    let ready = shown.status.ready();
    let ready = ready.filter(|ready| ready.observed_generation == shown.generation)?;
    let says = |reason| shown.status.says(reason);
    let failure = lookup.failure(wanted);
    let has_no_news = failure.is_none_or(|(_, is_reported)| is_reported);
    let is_kept = if let Some(found) = endpoints {
        // The status may say that another operator could not read them again. A later read shows in the endpoints.
        has_no_news
            && says(ProviderReason::Discovered)
            && shown.status.endpoints.as_ref() == Some(found)
            && ready.message.starts_with(&come_from(found))
    } else if named.credentials == 0 {
        let of_another = [ProviderReason::Discovering, ProviderReason::DiscoveryFailed];
        !named.is_shown && of_another.into_iter().any(says)
    } else {
        has_no_news && says(ProviderReason::DiscoveryFailed)
    };
    is_kept.then_some(ready)
}

/// The condition that another operator has written, if it need not be replaced by this judgement. Each operator reads the ConfigMap of
/// its own namespace, so two may judge one `ClusterCubeProvider` in two ways, and would write one after the other without end.
fn of_another<'a>(
    shown: &'a ShownProvider,
    judged: &ProviderCondition,
    lookup: &Lookup,
    named: Named,
) -> Option<&'a ProviderCondition> {
    let ready = shown.status.ready();
    let ready = ready.filter(|ready| ready.observed_generation == shown.generation)?;
    let is_known = lookup.has_said(shown, &judged.message, named.credentials > 0);
    let leaves = named.credentials == 0 && leaves(shown, ready, lookup);
    (!named.is_shown && (is_known || leaves)).then_some(ready)
}

/// Returns whether an operator without a credential of the object leaves this condition. Those that have some may have written it, and
/// their credentials depend on their ConfigMaps, not on its own. A condition about its own ConfigMap follows that, also after a restart;
/// and one about a field, or about an operator that does not know its namespace, is not known to be of another operator.
fn leaves(shown: &ShownProvider, ready: &ProviderCondition, lookup: &Lookup) -> bool {
    let Some(own) = &shown.bundle else {
        return false;
    };
    if ready.reason == ProviderReason::Unusable.name() {
        return own.is_elsewhere_in(&ready.message);
    }
    // Another operator, which has the ConfigMap, has not said that the object is broken, or says how it fails there.
    let lacks_it = matches!(shown.object, Err(Unusable::Bundle(_)));
    lacks_it && !lookup.wrote(shown, &ready.message)
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

fn ready(
    shown: &ShownProvider,
    endpoints: Option<&ProviderEndpoints>,
    lookup: &Lookup,
    named: Named,
) -> (ProviderReason, String) {
    let object = match &shown.object {
        Ok(object) => object,
        Err(why) => {
            let message = format!("this object cannot be used: {why}: {}", correct(why));
            return (ProviderReason::Unusable, message);
        }
    };
    match object.discovery() {
        Some(wanted) => discovered(object, endpoints, lookup.failure(wanted), named),
        None => (ProviderReason::Usable, usable(object)),
    }
}

/// The start of a note about an interval.
const NOTE: &str = "; tokenRequestInterval ";

/// The note that the interval of a namespace has no effect, if the operator's is longer.
fn note(shown: &ShownProvider, operator: SignedDuration) -> String {
    let object = shown.object.as_ref().ok();
    let own = object.and_then(|object| object.shorter_interval_than(operator));
    own.map_or_else(String::new, |own| {
        format!(
            "{NOTE}{own:#} has no effect, because the operator's is {operator:#}: only a ClusterCubeProvider's may be shorter"
        )
    })
}

/// The note of a condition, if it may have one.
fn note_of(ready: &ProviderCondition) -> Option<&str> {
    if ready.status != ConditionStatus::True {
        return None;
    }
    let start = ready.message.find(NOTE);
    Some(start.map_or("", |start| &ready.message[start..]))
}

fn usable(object: &ProviderObject) -> String {
    let endpoint = object.shown_endpoint().unwrap_or_default();
    format!("tokens come from {endpoint}")
}

fn come_from(found: &ProviderEndpoints) -> String {
    let url = found.token_url.split('?').next().unwrap_or_default();
    format!("tokens come from {url}, as the issuer's metadata says")
}

fn correct(why: &Unusable) -> String {
    match why {
        Unusable::Bundle(flaw) => mend_bundle(flaw),
        _ => "correct it".into(),
    }
}

/// The author of the object can often write in the operator's namespace, and the installer of the operator always can.
fn mend_bundle(flaw: &BundleFlaw) -> String {
    match flaw {
        BundleFlaw::NoNamespace { .. } => {
            "ask the installer to set --operator-namespace (POD_NAMESPACE)".into()
        }
        BundleFlaw::Denied(_) => {
            "ask the installer for get, list and watch on configmaps in that namespace".into()
        }
        BundleFlaw::Unreadable(_) => {
            "no action needed; if this persists, check the API server and the operator's log".into()
        }
        BundleFlaw::Absent(_) => "create it, or correct spec.caBundleRef".into(),
        BundleFlaw::NoKey { .. } => "add the key, or correct spec.caBundleRef.key".into(),
        BundleFlaw::Unusable { .. } => "write PEM CA certificates there".into(),
        BundleFlaw::TooMany { .. } => "let several objects share one".into(),
    }
}

fn discovered(
    object: &ProviderObject,
    endpoints: Option<&ProviderEndpoints>,
    failure: Option<(&DiscoveryFailure, bool)>,
    named: Named,
) -> (ProviderReason, String) {
    if let Some(found) = endpoints {
        let mut message = come_from(found);
        if let Some((failure, _)) = failure {
            let _ = write!(message, "; it could not be read again: {failure}");
        }
        return (ProviderReason::Discovered, message);
    }
    if named.credentials == 0 {
        let message = "the issuer's metadata is read once a CubeCredential names this object";
        return (ProviderReason::NotNamed, message.into());
    }
    if let Some((failure, _)) = failure {
        let message = format!(
            "{failure}: {}; retried after 10 s to 1 h",
            mend(failure, object.ca_field())
        );
        return (ProviderReason::DiscoveryFailed, message);
    }
    let message = "the issuer's metadata is being read: no action needed";
    (ProviderReason::Discovering, message.into())
}

fn mend(failure: &DiscoveryFailure, ca_field: &str) -> String {
    match failure {
        DiscoveryFailure::HostNotAllowed { .. } => {
            "ask the installer to add it to --allowed-token-hosts".into()
        }
        DiscoveryFailure::OtherHost { .. } => {
            "if that is the provider's too, add it to spec.endpointHosts".into()
        }
        DiscoveryFailure::Reserved { .. } => "set tokenURL in place of issuer".into(),
        DiscoveryFailure::Hidden => "check spec.issuer, DNS, network policies and firewall".into(),
        DiscoveryFailure::Metadata(MetadataError::Network(error)) => of_issuer(error, ca_field),
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

mod operators;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{ConditionStatus, ProviderEndpoints},
    oauth::error::Unreachable,
    reconcile::provider::{ConfigMapPlace, ProviderObject, read_bundle},
};

const ISSUER: &str = "https://login.example.com";
const INTERVAL: SignedDuration = SignedDuration::from_secs(12);
const TWO: Named = Named {
    credentials: 2,
    is_shown: true,
};

fn shown(spec: Value) -> ShownProvider {
    with_status(spec, ProviderStatus::default())
}

fn with_status(spec: Value, status: ProviderStatus) -> ShownProvider {
    let spec = serde_json::from_value(spec).unwrap();
    ShownProvider {
        uid: "uid".into(),
        version: "7".into(),
        generation: 3,
        object: ProviderObject::of_namespace(spec, &status).map(Arc::new),
        bundle: None,
        status,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn of(shown: &ShownProvider, lookup: &Lookup, named: Named) -> ProviderStatus {
    provider_status(shown, lookup, named, INTERVAL, at(100))
}

fn ready_of(status: &ProviderStatus) -> (ConditionStatus, &str, &str) {
    let ready = status.ready().unwrap();
    assert!(ready.message.len() <= 200, "{}", ready.message);
    (ready.status, &ready.reason, &ready.message)
}

fn failed(shown: &ShownProvider, failure: DiscoveryFailure, second: i64) -> Lookup {
    let mut lookup = Lookup::default();
    let wanted = shown.object.as_ref().unwrap().discovery().unwrap().clone();
    lookup.ended(wanted, Err(failure), at(second));
    lookup
}

fn refused() -> DiscoveryFailure {
    DiscoveryFailure::Metadata(MetadataError::Network(
        crate::oauth::error::NetworkError::Unreachable {
            endpoint: "login.example.com".into(),
            cause: Unreachable::ConnectionRefused,
        },
    ))
}

fn endpoints(path: &str, second: i64) -> ProviderEndpoints {
    ProviderEndpoints {
        issuer: ISSUER.into(),
        token_url: format!("{ISSUER}{path}"),
        authorization_url: None,
        read_at: at(second),
    }
}

#[test]
fn the_same_observation_gives_the_same_status_and_the_time_moves_only_with_the_status_of_the_condition()
 {
    let spec = json!({"tokenURL": "https://login.example.com/token?key=secret"});
    let mut provider = shown(spec);
    let lookup = Lookup::default();
    let first = of(&provider, &lookup, TWO);
    assert_eq!(
        ready_of(&first),
        (
            ConditionStatus::True,
            "Usable",
            "tokens come from https://login.example.com/token"
        )
    );
    provider.status = first.clone();
    assert_eq!(
        provider_status(&provider, &lookup, TWO, INTERVAL, at(200)),
        first
    );
    let three = Named {
        credentials: 3,
        ..TWO
    };
    let counted = provider_status(&provider, &lookup, three, INTERVAL, at(200));
    assert_eq!(counted.conditions, first.conditions);
    assert_eq!(counted.credentials, Some(3));

    let broken = json!({
        "tokenURL": "https://login.example.com/token", "caBundle": "-----BEGIN CERTIFICATE-----",
    });
    let broken = with_status(broken, first);
    let status = provider_status(&broken, &lookup, TWO, INTERVAL, at(300));
    assert_eq!(ready_of(&status).1, "Unusable");
    assert_eq!(status.ready().unwrap().last_transition_time, at(300));
}

#[test]
fn an_interval_without_effect_is_told_of() {
    for (interval, note) in [
        (
            "5s",
            "; tokenRequestInterval 5s has no effect, because the operator's is 12s: only a ClusterCubeProvider's may be shorter",
        ),
        ("12s", ""),
        ("1m", ""),
    ] {
        let spec = json!({"tokenURL": "https://login.example.com/token", "tokenRequestInterval": interval});
        let status = of(&shown(spec.clone()), &Lookup::default(), TWO);
        let (condition, reason, message) = ready_of(&status);
        assert_eq!((condition, reason), (ConditionStatus::True, "Usable"));
        assert_eq!(
            message,
            format!("tokens come from https://login.example.com/token{note}")
        );
    }
    // A status that is kept follows the operator's too.
    let spec = json!({"issuer": ISSUER, "tokenRequestInterval": "5s"});
    let found = ProviderStatus {
        endpoints: Some(endpoints("/token", 50)),
        ..ProviderStatus::default()
    };
    let mut provider = with_status(spec.clone(), found);
    let lookup = Lookup::default();
    for (interval, has_note) in [(12, true), (3, false), (12, true)] {
        let interval = SignedDuration::from_secs(interval);
        let status = provider_status(&provider, &lookup, TWO, interval, at(200));
        assert_eq!(ready_of(&status).2.contains("has no effect"), has_note);
        provider = with_status(spec.clone(), status.clone());
        let again = provider_status(&provider, &lookup, TWO, interval, at(300));
        assert_eq!(again, status);
    }
    let mut spec =
        json!({"tokenURL": "https://login.example.com/token", "tokenRequestInterval": "5s"});
    spec["namespaces"] = json!(["*"]);
    let of_cluster = ShownProvider {
        object: ProviderObject::of_cluster(
            serde_json::from_value(spec).unwrap(),
            &ProviderStatus::default(),
        )
        .map(Arc::new),
        ..shown(json!({}))
    };
    let status = of(&of_cluster, &Lookup::default(), TWO);
    assert_eq!(
        ready_of(&status).2,
        "tokens come from https://login.example.com/token"
    );
}

#[test]
fn an_issuer_goes_from_unnamed_over_its_first_read_to_its_endpoints_and_a_later_failure_keeps_them()
{
    let spec = json!({"issuer": ISSUER});
    let provider = shown(spec.clone());
    let none = Named {
        credentials: 0,
        is_shown: true,
    };
    let lookup = Lookup::default();
    let unnamed = of(&provider, &lookup, none);
    assert_eq!(ready_of(&unnamed).0, ConditionStatus::True);
    assert_eq!(ready_of(&unnamed).1, "NotNamed");
    let waiting = of(&provider, &lookup, TWO);
    assert_eq!(ready_of(&waiting).0, ConditionStatus::Unknown);
    assert_eq!(ready_of(&waiting).1, "Discovering");

    let mut lookup = failed(&provider, refused(), 10);
    let status = of(&provider, &lookup, TWO);
    assert_eq!(
        ready_of(&status),
        (
            ConditionStatus::False,
            "DiscoveryFailed",
            "login.example.com could not be reached: connection refused: check the port in spec.issuer, and whether the \
             server runs; retried after 10 s to 1 h"
        )
    );

    let wanted = provider.object.as_ref().unwrap().discovery().unwrap();
    lookup.ended(wanted.clone(), Ok(endpoints("/token?a=b", 20)), at(20));
    let status = of(&provider, &lookup, TWO);
    assert_eq!(
        ready_of(&status),
        (
            ConditionStatus::True,
            "Discovered",
            "tokens come from https://login.example.com/token, as the issuer's metadata says"
        )
    );
    assert_eq!(status.endpoints, Some(endpoints("/token?a=b", 20)));

    // Another process, and an outage of the issuer.
    let provider = with_status(spec.clone(), status.clone());
    assert_eq!(of(&provider, &Lookup::default(), TWO), status);
    let mut lookup = failed(&provider, refused(), 90_000);
    let outage = of(&provider, &lookup, TWO);
    assert_eq!(
        ready_of(&outage),
        (
            ConditionStatus::True,
            "Discovered",
            "tokens come from https://login.example.com/token, as the issuer's metadata says; it could not be read again: \
             login.example.com could not be reached: connection refused"
        )
    );
    assert_eq!(outage.endpoints, status.endpoints);
    // An operator that knows nothing of it leaves that there, until one reads the metadata again.
    let provider = with_status(spec.clone(), outage.clone());
    assert_eq!(of(&provider, &Lookup::default(), TWO), outage);
    lookup.reported(&with_status(spec.clone(), status.clone()), &outage, true);
    let before = with_status(spec, status.clone());
    assert_eq!(of(&before, &lookup, TWO), status, "it is said once");
    let wanted = provider.object.as_ref().unwrap().discovery().unwrap();
    lookup.ended(wanted.clone(), Ok(endpoints("/token", 50)), at(50));
    let status = of(&provider, &lookup, TWO);
    assert_eq!(
        ready_of(&status).2,
        "tokens come from https://login.example.com/token, as the issuer's metadata says"
    );
    // The endpoints of another issuer are dropped.
    let provider = with_status(json!({"issuer": "https://other.example.com"}), status);
    let status = of(&provider, &Lookup::default(), TWO);
    assert_eq!(
        (status.endpoints.as_ref(), ready_of(&status).1),
        (None, "Discovering")
    );
}

#[test]
fn each_failure_has_a_remedy_and_a_short_message() {
    let provider = shown(json!({"issuer": ISSUER}));
    let document = |error| DiscoveryFailure::Metadata(MetadataError::Document(error));
    for (failure, remedy) in [
        (
            DiscoveryFailure::HostNotAllowed {
                host: "login.example.com".into(),
            },
            "--allowed-token-hosts",
        ),
        (
            DiscoveryFailure::OtherHost {
                field: "token_endpoint",
                host: "oauth2.example.com:8443".into(),
            },
            "on oauth2.example.com:8443, which is not the issuer's host: if that is the provider's too, add it to spec.endpointHosts",
        ),
        (DiscoveryFailure::Hidden, "check spec.issuer"),
        (
            document(DiscoveryError::OtherIssuer {
                issuer: "https://login.example.com/".into(),
            }),
            "write spec.issuer exactly as the metadata has it",
        ),
        (
            document(DiscoveryError::Status { status: 404 }),
            "the metadata of the issuer responded 404: correct spec.issuer",
        ),
    ] {
        let lookup = failed(&provider, failure, 10);
        let status = of(&provider, &lookup, TWO);
        assert!(ready_of(&status).2.contains(remedy), "{status:?}");
    }
}

#[test]
fn a_config_map_that_gives_no_certificates_is_named_with_its_remedy() {
    let place = || ConfigMapPlace {
        namespace: "cube-system".into(),
        name: "roots".into(),
    };
    let key = "ca.crt".to_owned();
    let map = "ConfigMap cube-system/roots";
    for (flaw, message) in [
        (
            BundleFlaw::Absent(place()),
            format!("{map} of its caBundleRef does not exist: create it, or correct spec.caBundleRef"),
        ),
        (
            BundleFlaw::NoKey { place: place(), key: key.clone() },
            format!("{map} of its caBundleRef has no key \"ca.crt\": add the key, or correct spec.caBundleRef.key"),
        ),
        (
            read_bundle(place(), &key, Some(b"none")).unwrap_err(),
            format!(
                "key \"ca.crt\" of {map}: the CA bundle holds no PEM certificate: write PEM CA \
                 certificates there"
            ),
        ),
        (
            BundleFlaw::Denied(place()),
            format!(
                "the operator may not watch {map} of its caBundleRef: ask the installer for get, list and watch on configmaps in that \
                 namespace"
            ),
        ),
        (
            BundleFlaw::NoNamespace { name: "roots".into() },
            "the operator does not know its own namespace, where ConfigMap \"roots\" of its caBundleRef is: ask the installer to set \
             --operator-namespace (POD_NAMESPACE)"
                .into(),
        ),
        (
            BundleFlaw::TooMany { place: place(), most: 64 },
            format!("ClusterCubeProviders name more than 64 CA bundles, and {map} is one too many: let several objects share one"),
        ),
    ] {
        let mut provider = shown(json!({"tokenURL": "https://login.example.com/token"}));
        provider.object = Err(flaw.into());
        let status = of(&provider, &Lookup::default(), TWO);
        let ready = status.ready().unwrap();
        assert_eq!(ready.reason, "Unusable");
        assert_eq!(ready.message, format!("this object cannot be used: {message}"));
        assert!(ready.message.len() <= 200, "{}", ready.message);
    }
}

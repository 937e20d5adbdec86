//! Refusals, valid objects and defaults of the definition of the kind.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Value, json};

use crate::place::Place;
use cube_operator::{
    api::{ClusterCubeProvider, CubeCredential, CubeProvider},
    reconcile::Settings,
};

use super::{Admission, changed, merge, refusals::refusals, valid::valid};

#[test]
fn what_can_be_refused_at_apply_is_refused_there_and_the_message_says_what_to_write() {
    let admission = Admission::new(&Place::new());
    assert_eq!(
        admission.create(&changed("main", &json!({}))).err(),
        None,
        "valid without a change"
    );
    let mut wrong = Vec::new();
    for (change, expected) in refusals() {
        match admission.create(&changed("main", &change)) {
            Err(message) if expected.split('…').all(|part| message.contains(part)) => {}
            Err(message) => wrong.push(format!("{change}\n  says {message}\n  not  {expected}")),
            Ok(_) => wrong.push(format!("{change}\n  is accepted, without {expected}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} refusals are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_valid_is_accepted_as_written() {
    let admission = Admission::new(&Place::new());
    let mut unreadable = Vec::new();
    for change in valid() {
        let object = changed("main", &change);
        let stored = admission
            .create(&object)
            .unwrap_or_else(|message| panic!("{change}: {message}"));
        let mut again = stored.clone();
        merge(&mut again, &object);
        assert_eq!(again, stored, "{change} is stored as it is written");
        let object: CubeCredential = serde_json::from_value(stored).unwrap();
        if let Err(why) = Settings::read("treasury", "main", &object.spec) {
            unreadable.push(format!("{change}: {why}"));
        }
    }
    assert!(
        unreadable.is_empty(),
        "accepted, and then not read:\n{}",
        unreadable.join("\n")
    );
}

#[test]
fn a_field_that_is_null_counts_as_absent() {
    let admission = Admission::new(&Place::new());
    let mut object = changed("main", &json!({}));
    for field in ["description", "tokenURL", "authorizationURL", "caBundleRef"] {
        object["spec"][field] = Value::Null;
    }
    object["spec"]["target"] = json!({"name": null});
    let stored = admission.create(&object).unwrap();
    let read: CubeCredential = serde_json::from_value(stored).unwrap();
    let settings = Settings::read("treasury", "main", &read.spec).unwrap();
    assert_eq!(settings.target_name, "main-token");

    object["spec"]["provider"] = json!("Custom");
    let refusal = admission.create(&object).unwrap_err();
    assert!(
        refusal.contains("tokenURL is required with provider Custom"),
        "{refusal}"
    );
}

#[test]
fn a_minimal_object_is_stored_with_every_default() {
    let admission = Admission::new(&Place::new());
    let spec = |change: Value| {
        let stored = admission.create(&changed("main", &change)).unwrap();
        stored["spec"].clone()
    };
    let defaults = json!({
        "provider": "Cubewire",
        "clientSecretRef": {"name": "client", "clientIDKey": "client-id", "clientSecretKey": "client-secret"},
        "grant": "ClientCredentials",
        "refreshBefore": "5m",
        "target": {"type": "Opaque"},
        "suspend": false,
    });
    assert_eq!(spec(json!({})), defaults);
    let mut partly = defaults;
    merge(
        &mut partly,
        &json!({
            "caBundleRef": {"name": "bundle", "kind": "ConfigMap", "key": "ca.crt", "systemRoots": "Keep"},
            "target": {"name": "other"},
        }),
    );
    assert_eq!(
        spec(json!({"spec": {"caBundleRef": {"name": "bundle"}, "target": {"name": "other"}}})),
        partly
    );
}

#[test]
fn a_provider_object_has_no_default_that_each_credential_sets_itself() {
    let admission = Admission::of::<CubeProvider>(&Place::new());
    let object = |method: &str| {
        json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "main"},
            "spec": {"tokenURL": "https://login.example.com/token", "clientAuthentication": method},
        })
    };
    assert_eq!(admission.create(&object("MutualTLS")).err(), None);
    let refusal = admission
        .create(&object("ServiceAccountToken"))
        .unwrap_err();
    assert!(
        refusal.contains("clientAuthentication ServiceAccountToken is set in each CubeCredential"),
        "{refusal}"
    );
}

#[test]
fn a_provider_object_has_one_way_to_its_endpoints() {
    let admission = Admission::of::<CubeProvider>(&Place::new());
    let issuer = "https://login.example.com/realms/a";
    for (fields, message) in [
        (json!({"issuer": issuer}), None),
        (
            json!({"issuer": issuer, "endpointHosts": ["oauth2.example.com", "b.example:8443", "[::1]:9"]}),
            None,
        ),
        (
            json!({}),
            Some("exactly one of tokenURL and issuer is required"),
        ),
        (
            json!({"issuer": issuer, "tokenURL": "https://login.example.com/token"}),
            Some("exactly one of tokenURL and issuer is required"),
        ),
        (
            json!({"tokenURL": "https://login.example.com/token", "endpointHosts": ["a.example"]}),
            Some("endpointHosts are for the endpoints that the metadata of an issuer names"),
        ),
        (
            json!({"issuer": "http://login.example.com"}),
            Some("issuer must start with https:// in lower case"),
        ),
        (
            json!({"issuer": "https://login.example.com/?a=b"}),
            Some("an issuer has no query"),
        ),
        (
            json!({"issuer": issuer, "tokenRequestInterval": "1h"}),
            None,
        ),
        (
            json!({"issuer": issuer, "tokenRequestInterval": "1m30s"}),
            None,
        ),
        (
            json!({"issuer": issuer, "tokenRequestInterval": "61m"}),
            Some("tokenRequestInterval must be a duration from 1s to 1h, for example 12s or 1m"),
        ),
        (
            json!({"issuer": issuer, "tokenRequestInterval": "0s"}),
            Some("tokenRequestInterval must be a duration from 1s to 1h, for example 12s or 1m"),
        ),
        (
            json!({"issuer": issuer, "endpointHosts": ["*.example.com"]}),
            Some("endpointHosts"),
        ),
        (
            json!({"issuer": issuer, "endpointHosts": ["https://a.example"]}),
            Some("endpointHosts"),
        ),
        (
            json!({"issuer": issuer, "endpointHosts": ["a.example,b.example"]}),
            Some("endpointHosts"),
        ),
    ] {
        let object = json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "main"}, "spec": fields,
        });
        let refusal = admission.create(&object).err();
        match message {
            Some(message) => {
                let refusal = refusal.unwrap_or_else(|| panic!("{fields} is accepted"));
                assert!(refusal.contains(message), "{fields}: {refusal}");
            }
            None => assert_eq!(refusal, None, "{fields}"),
        }
    }
    // The kind of the cluster has the same rules.
    let rules = |crd: CustomResourceDefinition| {
        let crd = serde_json::to_value(crd).unwrap();
        let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let part = |path: &str| spec.pointer(path).cloned().unwrap();
        [
            part("/x-kubernetes-validations"),
            part("/properties/endpointHosts"),
            part("/properties/issuer"),
        ]
    };
    assert_eq!(
        rules(ClusterCubeProvider::crd()),
        rules(CubeProvider::crd())
    );
}

#[test]
fn a_provider_object_has_its_certificates_in_one_place_and_replaces_the_systems_by_these_only() {
    const TWO: &str =
        "caBundle and caBundleRef are two places for the same certificates: remove one";
    const NONE: &str =
        "systemRoots Replace needs certificates that are trusted instead: set caBundle";
    const BOTH: [&str; 2] = ["CubeProvider", "ClusterCubeProvider"];
    let place = Place::new();
    let pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";
    let named = json!({"name": "roots"});
    let of_cluster = &BOTH[1..];
    for (fields, kinds, message) in [
        (json!({"caBundle": pem}), &BOTH[..], None),
        (
            json!({"caBundle": pem, "systemRoots": "Replace"}),
            &BOTH,
            None,
        ),
        (json!({"systemRoots": "Keep"}), &BOTH, None),
        (json!({"systemRoots": "Replace"}), &BOTH, Some(NONE)),
        (
            json!({"systemRoots": "Drop"}),
            &BOTH,
            Some("supported values: \"Keep\", \"Replace\""),
        ),
        (json!({"caBundleRef": named}), of_cluster, None),
        (
            json!({"caBundleRef": named, "systemRoots": "Replace"}),
            of_cluster,
            None,
        ),
        (
            json!({"caBundleRef": named, "caBundle": pem}),
            of_cluster,
            Some(TWO),
        ),
        (
            json!({"caBundleRef": {"name": "Roots"}}),
            of_cluster,
            Some("a name has lower-case letters"),
        ),
        (
            json!({"caBundleRef": {"name": "roots", "key": "a/b"}}),
            of_cluster,
            Some("a key has letters"),
        ),
        (
            json!({"caBundleRef": {"key": "ca.crt"}}),
            of_cluster,
            Some("spec.caBundleRef.name: Required value"),
        ),
    ] {
        for kind in kinds {
            let mut spec = fields.clone();
            spec["tokenURL"] = json!("https://login.example.com/token");
            let admission = if *kind == "CubeProvider" {
                Admission::of::<CubeProvider>(&place)
            } else {
                spec["namespaces"] = json!(["*"]);
                Admission::of_cluster::<ClusterCubeProvider>(&place)
            };
            let object = json!({
                "apiVersion": "cube-operator.dev/v1alpha1", "kind": kind, "metadata": {"name": place.namespace}, "spec": spec,
            });
            let refusal = admission.create(&object).err();
            match message {
                None => assert_eq!(refusal, None, "{kind} {fields}"),
                Some(message) => {
                    let refusal = refusal.unwrap_or_else(|| panic!("{kind} {fields} is accepted"));
                    assert!(refusal.contains(message), "{kind} {fields}: {refusal}");
                }
            }
        }
    }
}

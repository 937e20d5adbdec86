//! `--provider-ref`: everything about the endpoint comes from a provider object.

use serde_json::json;

use super::{Scene, last_line};
use crate::{
    place::CLIENT_SECRET,
    scripted::{Authority, LOCAL, Provider, Reply},
};

#[test]
fn a_credential_for_a_provider_object_names_it_and_its_client_allows_its_host_and_its_cas() {
    let scene = Scene::new();
    let place = &scene.place;
    place.apply(&json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "okta"},
        "spec": {"tokenURL": place.server.token_url, "caBundle": place.server.ca_pem},
    }));
    let flags = [
        "--provider-ref",
        "CubeProvider/okta",
        "--client-id",
        &place.namespace,
        "--client-secret-file",
        "-",
        "--yes",
    ];
    let flags = flags.map(str::to_owned);
    let absent = flags.clone().map(|flag| flag.replace("okta", "none"));
    let (code, _, errors) = scene.create(&absent, &[], CLIENT_SECRET);
    assert_eq!(code, Some(1));
    assert!(
        last_line(&errors).ends_with("nothing was created: CubeProvider \"none\" not found"),
        "{errors}"
    );
    assert!(place.get("secret", "main-client").is_none());

    let _operator = place.operator();
    let (code, output, errors) = scene.create(&flags, &[], CLIENT_SECRET);
    assert_eq!(code, Some(0), "{output}{errors}");
    let spec = &place.get("cubecredential", "main").unwrap()["spec"];
    assert_eq!(
        spec["providerRef"],
        json!({"kind": "CubeProvider", "name": "okta"})
    );
    assert!(
        spec["provider"].is_null() && spec["tokenURL"].is_null() && spec["caBundleRef"].is_null()
    );
    let client = place.get("secret", "main-client").unwrap();
    let annotations = &client["metadata"]["annotations"];
    assert_eq!(
        annotations["cube-operator.dev/token-ca"],
        "CubeProvider/okta"
    );
    assert!(
        annotations["cube-operator.dev/token-hosts"]
            .as_str()
            .unwrap()
            .starts_with("localhost")
    );

    for wrong in ["--token-url", "--issuer"] {
        let (code, _, errors) = scene.create(
            &flags,
            &[wrong, "https://login.example.com/"],
            CLIENT_SECRET,
        );
        assert_eq!(code, Some(2), "{errors}");
    }
}

#[test]
fn a_secret_that_exists_must_allow_the_cas_of_the_provider_object() {
    let scene = Scene::new();
    let (place, namespace) = (&scene.place, &scene.place.namespace);
    place.apply(&json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "okta"},
        "spec": {"tokenURL": place.server.token_url, "caBundle": place.server.ca_pem},
    }));
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "robot", "labels": {"cube-operator.dev/credential": "true"},
            "annotations": {"cube-operator.dev/token-hosts": "localhost"},
        },
        "stringData": {"client-id": "a", "client-secret": "b"},
    }));
    let flags = [
        "--provider-ref",
        "CubeProvider/okta",
        "--from-secret",
        "robot",
        "--yes",
    ];
    let flags = flags.map(str::to_owned);
    let (code, output, errors) = scene.create(&flags, &[], "");
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: Secret \"robot\" does not allow the CAs of CubeProvider/okta: its owner can run `kubectl annotate secret robot \
             -n {namespace} cube-operator.dev/token-ca=CubeProvider/okta`"
        )
    );
    assert!(scene.is_empty());
    // Without a list of hosts the Secret may be sent anywhere, and no CA matters.
    let unlimited = "cube-operator.dev/token-hosts-";
    place.kubectl(&["annotate", "secret", "robot", unlimited]);
    let (code, _, errors) = scene.create(&flags, &["--no-wait"], "");
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn the_first_credential_for_an_issuer_does_not_wait_until_the_operator_has_read_its_metadata() {
    let scene = Scene::new();
    let place = &scene.place;
    let authority = Authority::new("private");
    let server = Provider::start(&authority.certificate(&LOCAL), |request| {
        let host = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let issuer = format!("https://{}", host.unwrap().1);
        let document = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token")});
        Reply::json(200, document.to_string())
    });
    let define = |spec: &serde_json::Value| {
        place.apply(&json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "okta"}, "spec": spec,
        }));
    };
    define(&json!({"issuer": server.url(""), "caBundle": authority.pem()}));
    let flags = [
        "--provider-ref",
        "CubeProvider/okta",
        "--client-id",
        &place.namespace,
        "--client-secret-file",
        "-",
        "--yes",
        "--allow-network",
        "127.0.0.0/8,::1/128",
        "--dry-run=client",
        "-o",
        "json",
    ];
    let flags = flags.map(str::to_owned);
    let (code, output, errors) = scene.create(&flags, &[], CLIENT_SECRET);
    assert_eq!(code, Some(0), "{output}{errors}");
    let host = format!("localhost:{}", server.address.port());
    assert!(output.contains(&host), "{output}");
    assert!(!output.contains("provider.invalid"), "{output}");
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
}

/// The certificates are needed for a request only, so a person who makes none needs no right in the operator's namespace.
#[test]
fn a_credential_for_a_provider_with_a_config_map_is_created_without_the_right_to_read_it() {
    let scene = Scene::new();
    let place = &scene.place;
    let provider = format!("{}-corp", place.namespace);
    let define = |endpoint: &str| {
        place.apply(&json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "ClusterCubeProvider", "metadata": {"name": provider},
            "spec": {"namespaces": ["test-*"], "caBundleRef": {"name": "roots"}, endpoint: "https://login.example.com/a"},
        }));
    };
    define("tokenURL");
    let reference = format!("ClusterCubeProvider/{provider}");
    let flags = [
        "--provider-ref",
        &reference,
        "--client-id",
        &place.namespace,
        "--client-secret-file",
        "-",
        "--yes",
        "--dry-run=client",
        "-o",
        "json",
    ];
    let flags = flags.map(str::to_owned);
    // The role of a namespace does not count for an object of the cluster.
    let (code, _, errors) = scene.create(&flags, &[], CLIENT_SECRET);
    assert_eq!(code, Some(1), "{errors}");
    let refused = "you may not get clustercubeproviders in all namespaces: ask for that right";
    assert!(last_line(&errors).ends_with(refused), "{errors}");
    let plane = place.plane;
    plane.kubectl(&[
        "create",
        "clusterrole",
        &provider,
        "--verb=get",
        "--resource=clustercubeproviders",
    ]);
    let role = format!("--clusterrole={provider}");
    let user = format!("--user={}", scene.person.user);
    plane.kubectl(&["create", "clusterrolebinding", &provider, &role, &user]);
    let (code, output, errors) = scene.create(&flags, &[], CLIENT_SECRET);
    assert_eq!(code, Some(0), "{output}{errors}");
    let entry = format!("\"cube-operator.dev/token-ca\": \"{reference}\"");
    assert!(output.contains(&entry), "{output}");
    // The metadata of an issuer cannot be read without them.
    place.kubectl(&["delete", "clustercubeprovider", &provider]);
    define("issuer");
    let (code, _, errors) = scene.create(
        &flags,
        &["--operator-namespace", "kube-system"],
        CLIENT_SECRET,
    );
    assert_eq!(code, Some(1), "{errors}");
    assert!(
        last_line(&errors).contains("ConfigMap kube-system/roots, and you may not get configmaps in namespace \"kube-system\""),
        "{errors}"
    );
    for kind in ["clusterrole", "clusterrolebinding", "clustercubeprovider"] {
        plane.kubectl(&["delete", kind, &provider]);
    }
}

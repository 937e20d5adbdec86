//! Grants that need more than a client: an assertion, or the token of a subject.

mod flags;

use serde_json::{Value, json};

use super::{Scene, last_line};
use crate::{
    keys::FIRST,
    place::CLIENT_SECRET,
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// A provider that takes whatever it is sent, and the flags for it.
fn provider(scene: &Scene) -> (Provider, Vec<String>) {
    let authority = Authority::new("scripted");
    scene.place.trust("scripted", &authority);
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::token("planted-access-token")
    });
    let url = provider.url("/token");
    let flags = ["--token-url", &url, "--ca-bundle", "ConfigMap/scripted"];
    (provider, flags.map(str::to_owned).to_vec())
}

/// An object whose owner allows its use at this host.
fn owned(kind: &str, name: &str, labels: &Value, data: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "v1", "kind": kind,
        "metadata": {
            "name": name, "labels": labels,
            "annotations": {
                "cube-operator.dev/token-hosts": "localhost",
                "cube-operator.dev/token-ca": "ConfigMap/scripted",
            },
        },
    });
    if data.is_object() {
        object["stringData"] = data.clone();
    }
    object
}

fn labelled() -> Value {
    json!({"cube-operator.dev/credential": "true"})
}

#[test]
fn an_assertion_of_a_key_in_a_secret_becomes_a_token() {
    let scene = Scene::new();
    let (provider, flags) = provider(&scene);
    let _operator = scene.place.operator();
    let key = json!({"private-key": FIRST});
    scene
        .place
        .apply(&owned("Secret", "robot", &labelled(), &key));
    let more = [
        "--grant",
        "JWTBearer",
        "--from-secret",
        "robot",
        "--jwt-issuer",
        "robot@example.com",
        "--jwt-subject",
        "ada@example.com",
        "--jwt-key-id",
        "k1",
    ];
    let (code, output, errors) = scene.create(&flags, &more, "");
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        output.starts_with("Secret \"main-token\" has a token"),
        "{output}"
    );
    let spec = scene.place.get("cubecredential", "main").unwrap()["spec"].clone();
    assert_eq!(spec["grant"], "JWTBearer");
    let claims =
        json!({"issuer": "robot@example.com", "subject": "ada@example.com", "keyID": "k1"});
    assert_eq!(spec["jwtBearer"], claims);
    assert_eq!(spec["clientSecretRef"]["name"], "robot");
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn the_subject_token_of_a_secret_is_exchanged_with_its_owners_consent() {
    let scene = Scene::new();
    let (provider, flags) = provider(&scene);
    let (place, namespace) = (&scene.place, &scene.place.namespace);
    let _operator = place.operator();
    let more = [
        "--client-id",
        "a",
        "--client-secret-file",
        "-",
        "--grant",
        "TokenExchange",
        "--subject-secret",
        "subject:id",
        "--audience",
        "orders",
        "--resource",
        "https://api.example.com/",
    ];
    let refused = |sentence: &str| {
        let (code, output, errors) = scene.create(&flags, &more, CLIENT_SECRET);
        assert_eq!((code, output.as_str()), (Some(1), ""));
        assert_eq!(last_line(&errors), format!("kubectl cube: {sentence}"));
        assert!(scene.is_empty());
    };
    refused(&format!(
        "Secret \"subject\" not found in namespace {namespace}: create it, or name the one with the subject token; nothing was \
         created"
    ));
    let token = json!({"id": "planted-subject"});
    place.apply(&owned("Secret", "subject", &json!({}), &token));
    refused(&format!(
        "Secret \"subject\" is missing label cube-operator.dev/credential=true; its owner can add it: `kubectl label secret subject \
         -n {namespace} cube-operator.dev/credential=true`"
    ));
    let mut secret = owned("Secret", "subject", &labelled(), &token);
    let annotations = secret["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.remove("cube-operator.dev/token-ca");
    place.apply(&secret);
    refused(&format!(
        "Secret \"subject\" does not allow the CAs of ConfigMap/scripted: its owner can run `kubectl annotate secret subject -n \
         {namespace} cube-operator.dev/token-ca=ConfigMap/scripted`"
    ));
    let others = "ConfigMap/scripted-2, Secret/scripted";
    secret["metadata"]["annotations"]["cube-operator.dev/token-ca"] = json!(others);
    place.apply(&secret);
    refused(
        "Secret \"subject\" does not allow the CAs of ConfigMap/scripted: its owner can add ConfigMap/scripted to its annotation \
         cube-operator.dev/token-ca",
    );
    place.apply(&owned("Secret", "subject", &labelled(), &token));
    let (code, _, errors) = scene.create(&flags, &more, CLIENT_SECRET);
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        errors.contains("  Secret subject\n      exists, and holds the subject token\n"),
        "{errors}"
    );
    assert!(!errors.contains("planted-subject"));
    let spec = place.get("cubecredential", "main").unwrap()["spec"].clone();
    let exchange = json!({
        "subjectTokenRef": {"name": "subject", "key": "id"}, "audience": ["orders"], "resource": ["https://api.example.com/"],
    });
    assert_eq!(spec["tokenExchange"], exchange);
    assert!(provider.requests()[0].body.contains("planted-subject"));
}

#[test]
fn the_token_of_a_service_account_is_exchanged_with_its_owners_consent() {
    let scene = Scene::new();
    let (provider, flags) = provider(&scene);
    let (place, namespace) = (&scene.place, &scene.place.namespace);
    place.reinstall("serviceAccountTokens=true");
    let _operator = place.operator_with(&["--service-account-tokens"], &[]);
    let more = [
        "--client-id",
        "a",
        "--client-secret-file",
        "-",
        "--grant",
        "TokenExchange",
        "--subject-service-account",
        "billing",
        "--subject-audience",
        "https://login.example.com",
    ];
    place.apply(&owned(
        "ServiceAccount",
        "billing",
        &json!({}),
        &Value::Null,
    ));
    let (code, _, errors) = scene.create(&flags, &more, CLIENT_SECRET);
    assert_eq!(code, Some(1));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: ServiceAccount \"billing\" is missing label cube-operator.dev/credential=true; its owner can add it: `kubectl \
             label serviceaccount billing -n {namespace} cube-operator.dev/credential=true`"
        )
    );
    assert!(scene.is_empty());
    place.apply(&owned(
        "ServiceAccount",
        "billing",
        &labelled(),
        &Value::Null,
    ));
    let (code, _, errors) = scene.create(&flags, &more, CLIENT_SECRET);
    assert_eq!(code, Some(0), "{errors}");
    let spec = place.get("cubecredential", "main").unwrap()["spec"].clone();
    let account = json!({"name": "billing", "audience": "https://login.example.com"});
    assert_eq!(
        spec["tokenExchange"],
        json!({"subjectServiceAccount": account})
    );
    assert_eq!(provider.requests().len(), 1);
}

//! Grants that need more than a client: an assertion, or the token of a subject.

use serde_json::{Value, json};

use super::{Scene, last_line, run};
use crate::{
    keys::FIRST,
    place::CLIENT_SECRET,
    scripted::{Authority, LOCAL, Provider, Reply},
};

const NOWHERE: &str = "/nowhere/config";

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

#[test]
fn a_flag_of_another_grant_is_refused_and_a_missing_one_is_named() {
    let at = ["create", "main", "--token-url", "https://a.example"];
    let of = |flag: &str, of: &str, grant: &str, more: &str| {
        format!(
            "{flag} is for grant {of}, and the grant is {grant}: leave it out, or add --grant {of}{more}"
        )
    };
    let secret = "Secret with the private key is missing, and there is no terminal to ask for it: add --from-secret \
                  (docs/client-authentication.md says how the Secret is created)";
    let subject = "Subject token is missing, and there is no terminal to ask for it: add --subject-secret or --subject-service-account";
    let audience = "Audience of its token is missing, and there is no terminal to ask for it: add --subject-audience";
    let both = "spec.tokenExchange.audience and the parameter \"audience\" are both set: remove one of them";
    let client = "ClientCredentials";
    for (arguments, sentence) in [
        (
            &["--jwt-issuer", "a"][..],
            of("--jwt-issuer", "JWTBearer", client, ""),
        ),
        (
            &["--grant", "TokenExchange", "--jwt-key-id", "a"],
            of("--jwt-key-id", "JWTBearer", "TokenExchange", ""),
        ),
        (
            &["--subject-secret", "a"],
            of("--subject-secret", "TokenExchange", client, ""),
        ),
        (
            &["--subject-service-account", "a"],
            of("--subject-service-account", "TokenExchange", client, ""),
        ),
        (
            &["--audience", "a"],
            of(
                "--audience",
                "TokenExchange",
                client,
                ", or use --parameter audience=...",
            ),
        ),
        (&["--grant", "JWTBearer"], secret.into()),
        (&["--grant", "TokenExchange"], subject.into()),
        (
            &["--grant", "TokenExchange", "--subject-service-account", "a"],
            audience.into(),
        ),
        (
            &[
                "--grant",
                "TokenExchange",
                "--subject-secret",
                "a",
                "--audience",
                "a",
                "--parameter",
                "audience=a",
            ],
            both.into(),
        ),
    ] {
        let expected = (
            Some(2),
            String::new(),
            format!("kubectl cube: {sentence}\n"),
        );
        assert_eq!(run(NOWHERE, &[&at[..], arguments].concat(), ""), expected);
    }
    for arguments in [
        &["--subject-audience", "a"][..],
        &["--subject-secret", "a", "--subject-service-account", "b"],
        &["--subject-secret", "A"],
    ] {
        let (code, output, _) = run(NOWHERE, &[&at[..], arguments].concat(), "");
        assert_eq!((code, output.as_str()), (Some(2), ""), "{arguments:?}");
    }
}

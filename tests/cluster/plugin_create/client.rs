//! A client with a secret becomes a token.

use serde_json::{Value, json};

use super::{Scene, last_line, run};
use crate::place::CLIENT_SECRET;

#[test]
fn a_client_becomes_a_token_that_pods_can_mount() {
    let scene = Scene::new();
    let place = &scene.place;
    let _operator = place.operator();
    let more = ["--description", "for the treasury"];
    let secret = format!("{CLIENT_SECRET}\n");
    let (code, output, errors) = scene.create(&scene.flags(), &more, &secret);
    assert_eq!(code, Some(0), "{errors}");
    let status = place.status("main");
    let expected = format!(
        "Secret \"main-token\" has a token that is valid until {}; the operator replaces it before that.\n\n\
         Mount it in your pods, and read /token/access-token for each request:\n\n\
         spec:\n  containers:\n  - name: app\n    volumeMounts:\n    \
         - {{name: token, mountPath: /token, readOnly: true}}\n  volumes:\n  - name: token\n    \
         secret: {{secretName: main-token}}   # keys: access-token, token-type, expires-at\n",
        status.expires_at.unwrap()
    );
    assert_eq!(output, expected);
    let host = place.server.token_url.trim_start_matches("https://");
    let host = host.split('/').next().unwrap();
    let id = &place.namespace;
    assert_eq!(
        errors,
        format!(
            "The newline at the end of stdin is not a part of the client secret: it was removed.\n\
             In namespace {id}:\n  \
             Secret main-client\n      client \"{id}\" and its secret, for {host} only\n  \
             CubeCredential main\n      grant ClientCredentials at https://{host}/o/token/\n  \
             Secret main-token\n      the token, which the operator keeps fresh\n\
             Created Secret \"main-client\" and CubeCredential \"main\" in namespace {id}.\n\
             Waiting for the first token\n"
        )
    );
    assert_eq!(place.call_api("main-token"), 200);
    assert_eq!(place.exchanges(), [200]);

    let secret = place.get("secret", "main-client").unwrap();
    assert_eq!(
        secret["metadata"]["labels"],
        json!({"cube-operator.dev/credential": "true"})
    );
    let annotations = json!({
        "cube-operator.dev/token-hosts": host, "cube-operator.dev/token-ca": "ConfigMap/authority",
    });
    assert_eq!(secret["metadata"]["annotations"], annotations);
    assert_eq!(place.value("main-client", "client-secret"), CLIENT_SECRET);
    let credential = place.get("cubecredential", "main").unwrap();
    assert_eq!(credential["spec"]["description"], "for the treasury");
    for kind in ["secret/main-client", "cubecredential/main"] {
        let managers = ["get", kind, "--show-managed-fields", "-o", "json"];
        let object: Value = serde_json::from_str(&place.kubectl(&managers)).unwrap();
        let mut managers = object["metadata"]["managedFields"]
            .as_array()
            .unwrap()
            .iter();
        assert!(
            managers.any(|of| of["manager"] == "kubectl-cube" && of["operation"] == "Apply"),
            "{object}"
        );
    }
}

#[test]
fn a_client_that_the_provider_rejects_is_told_with_the_message_of_the_condition() {
    let scene = Scene::new();
    let _operator = scene.place.operator();
    let (code, output, errors) = scene.create(&scene.flags(), &[], "another-secret");
    assert_eq!((code, output.as_str()), (Some(1), ""));
    let told = last_line(&errors);
    assert!(
        told.starts_with(
            "kubectl cube: CubeCredential \"main\": token endpoint responded 401 invalid_client"
        ) && told.contains("check client-id and client-secret in Secret \"main-client\""),
        "{errors}"
    );
}

#[test]
fn a_client_in_an_existing_secret_needs_its_owners_consent() {
    let scene = Scene::new();
    let (place, namespace) = (&scene.place, &scene.place.namespace);
    let flags = [
        scene.endpoint(),
        vec!["--from-secret".into(), "client".into()],
    ]
    .concat();
    let refused = |sentence: &str| {
        let (code, output, errors) = scene.create(&flags, &[], "");
        assert_eq!((code, output.as_str()), (Some(1), ""));
        assert_eq!(last_line(&errors), format!("kubectl cube: {sentence}"));
        assert!(scene.is_empty());
    };
    refused(&format!(
        "Secret \"client\" not found in namespace {namespace}: create it, or leave --from-secret out"
    ));
    let mut source = place.source();
    source["metadata"]["labels"] = json!({});
    place.apply(&source);
    refused(&format!(
        "Secret \"client\" is missing label cube-operator.dev/credential=true; its owner can add it: `kubectl label secret client -n \
         {namespace} cube-operator.dev/credential=true`"
    ));
    let mut source = place.source();
    source["metadata"]["annotations"] = json!({"cube-operator.dev/token-hosts": "api.example.com"});
    place.apply(&source);
    let (_, _, errors) = scene.create(&flags, &[], "");
    let told = last_line(&errors);
    assert!(
        told.starts_with("kubectl cube: Secret \"client\" may not be sent to localhost:")
            && told.ends_with(
                ": its owner can add that host to its annotation cube-operator.dev/token-hosts"
            ),
        "{told}"
    );
    let mut source = place.source();
    source["metadata"]["annotations"] = json!({});
    place.apply(&source);
    let _operator = place.operator();
    let (code, output, errors) = scene.create(&flags, &[], "");
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        output.starts_with("Secret \"main-token\" has a token that is valid until "),
        "{output}"
    );
    assert!(place.get("secret", "main-client").is_none());
}

#[test]
fn a_secret_that_cannot_be_sent_is_refused_without_asking_the_cluster() {
    for (secret, flaw) in [
        ("", "is empty"),
        ("planted ", "ends with a space (U+0020)"),
        ("planted\n\n", "has a trailing newline"),
        ("\u{feff}planted", "begins with a byte order mark (U+FEFF)"),
    ] {
        let flags = [
            "create",
            "main",
            "--provider",
            "Cubewire",
            "--client-id",
            "a",
        ];
        let flags = [&flags[..], &["--client-secret-file", "-"]].concat();
        let (code, output, errors) = run("/nowhere/config", &flags, secret);
        assert_eq!((code, output.as_str()), (Some(1), ""));
        assert_eq!(
            last_line(&errors),
            format!("kubectl cube: the client secret {flaw}: correct it")
        );
    }
}

#[test]
fn an_operator_that_does_not_respond_is_named_and_the_objects_stay() {
    let scene = Scene::new();
    let more = ["--timeout", "1s"];
    let (code, output, errors) = scene.create(&scene.flags(), &more, CLIENT_SECRET);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: the operator has not responded to CubeCredential \"main\" within 1s: check that it runs, with `kubectl get \
             pods -A -l app.kubernetes.io/name=cube-operator`, and that it watches namespace {}",
            scene.place.namespace
        )
    );
    assert!(!scene.is_empty());

    // Nothing waits for the token if that is wanted.
    let more = ["--no-wait", "--overwrite"];
    let (code, output, errors) = scene.create(&scene.flags(), &more, CLIENT_SECRET);
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.contains("secretName: main-token"), "{output}");
}

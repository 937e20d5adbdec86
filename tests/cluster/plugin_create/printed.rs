//! `--dry-run=client`: manifests to commit, without secrets and without a cluster.

use serde_json::{Value, json};

use super::run;
use crate::place::{CLIENT_SECRET, Place};

const NOWHERE: &str = "/nowhere/config";

#[test]
fn printed_manifests_need_no_cluster_and_have_placeholders_in_place_of_secrets() {
    let arguments = [
        "create",
        "planning",
        "--provider",
        "CubeSoftware",
        "--client-id",
        "an-id",
        "--client-secret-file",
        "-",
        "--dry-run=client",
        "-n",
        "treasury",
    ];
    let (code, output, errors) = run(NOWHERE, &arguments, CLIENT_SECRET);
    assert_eq!(
        (code, errors.as_str()),
        (
            Some(0),
            "Replace the placeholders. After `kubectl apply --server-side`, sign in with `kubectl cube login planning`.\n"
        )
    );
    assert_eq!(
        output,
        "apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    cube-operator.dev/token-hosts: api.cubesoftware.com\n  \
         labels:\n    cube-operator.dev/credential: \"true\"\n  name: planning-client\n  namespace: treasury\nstringData:\n  \
         client-id: an-id\n  client-secret: CLIENT-SECRET\n---\napiVersion: cube-operator.dev/v1alpha1\nkind: CubeCredential\n\
         metadata:\n  name: planning\n  namespace: treasury\nspec:\n  clientSecretRef:\n    name: planning-client\n  \
         grant: RefreshToken\n  provider: CubeSoftware\n  refreshTokenRef:\n    name: planning-login\n"
    );
}

#[test]
fn printed_manifests_are_accepted_by_the_api_server() {
    let place = Place::new();
    let flags = [
        &["--provider", "Cubewire"][..],
        &["--provider", "CubeSoftware"],
        &[
            "--token-url",
            "https://oauth2.example.com/token",
            "--grant",
            "JWTBearer",
            "--from-secret",
            "robot",
            "--scope",
            "calendar",
        ],
        &[
            "--token-url",
            "https://login.example.com/token",
            "--grant",
            "TokenExchange",
            "--subject-service-account",
            "billing",
            "--subject-audience",
            "https://login.example.com",
        ],
        &[
            "--token-url",
            "https://login.example.com/token?tenant=1",
            "--grant",
            "RefreshToken",
            "--authorization-url",
            "https://login.example.com/authorize",
            "--client-authentication",
            "None",
            "--scope",
            "openid offline_access",
            "--parameter",
            "audience=a b",
            "--ca-bundle",
            "Secret/roots:tls.crt",
            "--target",
            "elsewhere",
            "--description",
            "yes: \"no\"",
        ],
    ];
    for flags in flags {
        let arguments = [&["create", "main", "--dry-run=client", "-o", "json"], flags].concat();
        let (code, output, errors) = run(NOWHERE, &arguments, "");
        assert_eq!(code, Some(0), "{errors}");
        let list: Value = serde_json::from_str(&output).unwrap();
        for object in list["items"].as_array().unwrap() {
            place.apply(object);
        }
        let yaml = [&["create", "main", "--dry-run=client"], flags].concat();
        let (_, output, _) = run(NOWHERE, &yaml, "");
        let documents = output.split("---\n");
        let documents: Vec<Value> = documents
            .map(|document| serde_saphyr::from_str(document).unwrap())
            .collect();
        assert_eq!(json!(documents), list["items"]);
    }
    let stored = place.get("cubecredential", "main").unwrap();
    assert_eq!(
        stored["spec"]["authorizationURL"],
        "https://login.example.com/authorize"
    );
    assert_eq!(
        stored["spec"]["scopes"],
        json!(["openid", "offline_access"])
    );
    assert_eq!(stored["spec"]["caBundleRef"]["key"], "tls.crt");
}

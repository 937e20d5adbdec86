//! Clients without a secret, and subjects of exchanges: the provider trusts the issuer of the cluster, and verifies tokens of a
//! ServiceAccount with its keys.

mod subject;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    commands,
    environment::{ControlPlane, ROOT},
    operator::{Operator, eventually},
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

const AUDIENCE: &str = "https://login.example.com/federation";

/// Verifies a token with the keys of the issuer, as any provider does, and prints its claims.
const VERIFY: &str = "
import json, sys
from jwcrypto import jwk, jwt
keys, token = json.load(sys.stdin)
keys = jwk.JWKSet.from_json(keys)
print(jwt.JWT(jwt=token, key=keys, algs=['RS256'], check_claims={'aud': None, 'exp': None, 'sub': None}).claims)
";

/// The claims of a token that the issuer of this cluster has signed; `None`: it has not.
fn verified(plane: &ControlPlane, token: &str) -> Option<Value> {
    let keys = plane.kubectl(&["get", "--raw", "/openid/v1/jwks"]);
    let mut python = Command::new(format!("{ROOT}/target/tools/venv/bin/python"))
        .args(["-c", VERIFY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let input = json!([keys, token]).to_string();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).unwrap())
}

fn field(request: &Request, name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(request.body.as_bytes());
    let found = fields.find(|(field, _)| field == name);
    found.map(|(_, value)| value.into_owned())
}

/// A provider that issues tokens to this subject only.
fn provider(place: &Place) -> Provider {
    let authority = Authority::new("scripted");
    place.trust("scripted", &authority);
    let plane = place.plane;
    let subject = format!("system:serviceaccount:{}:billing", place.namespace);
    Provider::start(&authority.certificate(&LOCAL), move |request| {
        let assertion = field(request, "client_assertion");
        let claims = assertion.and_then(|token| verified(plane, &token));
        match claims {
            Some(claims) if claims["aud"] == json!([AUDIENCE]) && claims["sub"] == subject => {
                Reply::token("planted-access-token")
            }
            _ => Reply::json(401, r#"{"error":"invalid_client"}"#),
        }
    })
}

fn account(labels: &Value) -> Value {
    named_account("billing", labels)
}

/// A ServiceAccount whose tokens may be sent to this host.
fn named_account(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {
            "name": name, "labels": labels,
            "annotations": {
                "cube-operator.dev/token-hosts": "localhost",
                "cube-operator.dev/token-ca": "ConfigMap/scripted",
            },
        },
    })
}

fn credential(place: &Place, provider: &Provider) -> Value {
    let mut object = place.credential_at("main", &provider.url("/token"), "scripted");
    let spec = object["spec"].as_object_mut().unwrap();
    spec.remove("clientSecretRef");
    spec.insert("clientAuthentication".into(), json!("ServiceAccountToken"));
    spec.insert(
        "clientAssertion".into(),
        json!({"audience": AUDIENCE, "serviceAccountName": "billing"}),
    );
    object
}

fn operator(place: &Place) -> Operator {
    place.reinstall("serviceAccountTokens=true");
    place.operator_with(&["--service-account-tokens"], &[])
}

#[test]
fn a_provider_that_trusts_the_cluster_issues_a_token_without_a_client_secret() {
    let place = Place::new();
    let provider = provider(&place);
    let operator = operator(&place);
    place.apply(&account(&json!({"cube-operator.dev/credential": "true"})));
    place.apply(&credential(&place, &provider));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    place.request("again");
    place.wait_for("main", "the request was served", |status| {
        status.refresh_request.is_some()
    });

    let requests = provider.requests();
    assert_eq!(requests.len(), 2);
    let tokens: Vec<_> = requests
        .iter()
        .map(|request| field(request, "client_assertion").unwrap())
        .collect();
    assert_ne!(tokens[0], tokens[1]);
    for (request, token) in requests.iter().zip(&tokens) {
        assert_eq!(field(request, "client_id"), None);
        assert_eq!(
            field(request, "client_assertion_type").unwrap(),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let claims = verified(place.plane, token).unwrap();
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 600);
        assert!(!operator.log().contains(token.as_str()));
    }
    // The owner takes the consent back: no further token is requested.
    place.kubectl(&[
        "label",
        "serviceaccount",
        "billing",
        "cube-operator.dev/credential-",
    ]);
    place.request("without consent");
    place.wait_for("main", "not labelled", |status| {
        is(status, Refreshed, "False", "ServiceAccountNotLabelled")
    });
    assert_eq!(provider.requests().len(), 2);
    place.apply(&account(&json!({"cube-operator.dev/credential": "true"})));
    place.wait_for("main", "consent again", |status| {
        is(status, Refreshed, "True", "TokenIssued")
    });
}

#[test]
fn without_the_value_of_the_chart_no_token_is_requested_and_the_status_names_it() {
    let place = Place::new();
    let provider = provider(&place);
    let _operator = place.operator();
    place.apply(&account(&json!({"cube-operator.dev/credential": "true"})));
    place.apply(&credential(&place, &provider));
    let status = place.wait_for("main", "not enabled", |status| {
        is(status, Refreshed, "False", "ServiceAccountTokenFailed")
    });
    let refreshed = status.condition(Refreshed).unwrap();
    assert_eq!(
        refreshed.message,
        "no token of ServiceAccount \"billing\": this operator may not request one: ask the installer to set chart value \
         serviceAccountTokens to true"
    );
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn check_says_which_rights_are_missing() {
    let place = Place::new();
    let check = || {
        let flags = [
            "check",
            "--namespaces",
            &place.namespace,
            "--service-account-tokens",
        ];
        commands::run(&place.kubeconfig, &flags, &[])
    };
    let (code, output, _) = check();
    assert_eq!(code, Some(1));
    for verbs in [
        "get, list, watch serviceaccounts",
        "create serviceaccounts/token",
    ] {
        let line = format!("✗ may not {verbs} in namespace {}: ", place.namespace);
        assert!(output.contains(&line), "{output}");
    }
    place.reinstall("serviceAccountTokens=true");
    eventually("nothing is missing", || {
        (check().0 == Some(0)).then_some(())
    });
}

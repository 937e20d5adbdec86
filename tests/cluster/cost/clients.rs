//! The requests of a refresh, by the way in which the client authenticates, and with a provider object.

use serde_json::{Value, json};

use crate::{
    keys::FIRST,
    operator::eventually,
    place::Place,
    scripted::{Authority, LOCAL, Provider, Reply},
};

use super::{ready, requests, the_budget_fills};

/// The requests of a refresh, with this Secret of the client and these fields of the spec.
fn refresh(client: &Value, fields: &Value) -> Vec<String> {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::token("planted-access-token")
    });
    place.trust("scripted", &authority);
    place.reinstall("serviceAccountTokens=true");
    let marks = json!({
        "labels": {"cube-operator.dev/credential": "true"},
        "annotations": {
            "cube-operator.dev/token-hosts": "localhost",
            "cube-operator.dev/token-ca": "ConfigMap/scripted,CubeProvider/login",
        },
    });
    let owned = |kind: &str, name: &str| {
        let mut metadata = marks.clone();
        metadata["name"] = json!(name);
        json!({"apiVersion": "v1", "kind": kind, "metadata": metadata})
    };
    let mut secret = owned("Secret", "client");
    secret["stringData"] = client.clone();
    place.apply(&secret);
    place.apply(&owned("ServiceAccount", "billing"));
    let url = provider.url("/token");
    place.apply(&json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "login"},
        "spec": {"tokenURL": url, "caBundle": authority.pem()},
    }));
    let mut object = place.credential_at("main", &url, "scripted");
    let spec = object["spec"].as_object_mut().unwrap();
    spec.extend(fields.as_object().unwrap().clone());
    spec.retain(|_, field| !field.is_null());
    let _operator = place.operator_with(&["--service-account-tokens"], &[]);
    place.apply(&object);
    ready(&place, 1);
    the_budget_fills();
    let before = requests(&place).len();
    place.request("again");
    eventually("the event is the last one", || {
        let cost = requests(&place).split_off(before);
        (cost.last()? == "create events main").then_some(cost)
    })
}

#[test]
fn a_refresh_costs_the_same_however_the_client_authenticates_but_for_the_token_of_a_service_account()
 {
    let steady = [
        "get secrets client",
        "patch secrets main-token",
        "patch cubecredentials/status main",
        "create events main",
    ];
    let secret = json!({"client-id": "a", "client-secret": "planted-secret"});
    let key = json!({"client-id": "a", "private-key": FIRST});
    assert_eq!(refresh(&secret, &json!({})), steady);
    let signs = json!({"clientAuthentication": "PrivateKeyJWT"});
    assert_eq!(refresh(&key, &signs), steady);
    let named = json!({
        "provider": null, "tokenURL": null, "caBundleRef": null, "providerRef": {"name": "login"},
    });
    assert_eq!(refresh(&secret, &named), steady);
    let account = json!({
        "clientSecretRef": null, "clientAuthentication": "ServiceAccountToken",
        "clientAssertion": {"audience": "https://login.example.com/", "serviceAccountName": "billing"},
    });
    let signed = json!({"grant": "JWTBearer"});
    assert_eq!(refresh(&key, &signed), steady);
    let exchange = json!({
        "grant": "TokenExchange", "tokenExchange": {"subjectTokenRef": {"name": "client", "key": "subject"}},
    });
    let subject =
        json!({"client-id": "a", "client-secret": "planted-secret", "subject": "planted-subject"});
    let mut with_subject = steady.to_vec();
    with_subject.insert(1, steady[0]);
    assert_eq!(refresh(&subject, &exchange), with_subject);
    let mut with_token = steady.map(str::to_owned).to_vec();
    with_token[0] = "get serviceaccounts billing".into();
    with_token.insert(1, "create serviceaccounts/token billing".into());
    assert_eq!(refresh(&secret, &account), with_token);
    // As a subject token too, a token of a ServiceAccount costs its consent and itself.
    let subject = json!({
        "grant": "TokenExchange",
        "tokenExchange": {"subjectServiceAccount": {"name": "billing", "audience": "https://login.example.com/"}},
    });
    let mut with_subject = steady.map(str::to_owned).to_vec();
    with_subject.insert(1, with_token[0].clone());
    with_subject.insert(2, with_token[1].clone());
    assert_eq!(refresh(&secret, &subject), with_subject);
    let mut both = account;
    both.as_object_mut()
        .unwrap()
        .extend(subject.as_object().unwrap().clone());
    let mut with_both = with_token.clone();
    with_both.insert(1, with_token[0].clone());
    with_both.insert(3, with_token[1].clone());
    assert_eq!(refresh(&secret, &both), with_both);
}

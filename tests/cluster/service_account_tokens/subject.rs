//! A token of a ServiceAccount is exchanged for one of another service.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    check::LOOPBACK,
    operator::eventually,
    place::{Place, is},
    plugin_status::person::Person,
    scripted::{Authority, LOCAL, Provider, Reply},
};

use super::{AUDIENCE, account, field, named_account, operator, verified};

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn labelled() -> Value {
    json!({"cube-operator.dev/credential": "true"})
}

/// A provider that exchanges tokens of this subject, which the issuer of the cluster has signed for it.
fn provider(place: &Place) -> Provider {
    let authority = Authority::new("scripted");
    place.trust("scripted", &authority);
    place.apply(&place.source());
    let plane = place.plane;
    let subject = format!("system:serviceaccount:{}:billing", place.namespace);
    Provider::start(&authority.certificate(&LOCAL), move |request| {
        let token = field(request, "subject_token");
        let claims = token.and_then(|token| verified(plane, &token));
        match claims {
            Some(claims) if claims["aud"] == json!([AUDIENCE]) && claims["sub"] == subject => {
                Reply::token("planted-access-token")
            }
            _ => Reply::json(400, r#"{"error":"invalid_request"}"#),
        }
    })
}

/// A credential that exchanges a token of this ServiceAccount.
fn credential(place: &Place, provider: &Provider) -> Value {
    let mut object = place.credential_at("main", &provider.url("/token"), "scripted");
    let spec = object["spec"].as_object_mut().unwrap();
    spec.insert("grant".into(), json!("TokenExchange"));
    spec.insert(
        "tokenExchange".into(),
        json!({"subjectServiceAccount": {"name": "billing", "audience": AUDIENCE}, "audience": ["orders"]}),
    );
    object
}

#[test]
fn a_new_token_of_the_account_is_exchanged_each_time_and_none_without_its_owners_consent() {
    let place = Place::new();
    let provider = provider(&place);
    let operator = operator(&place);
    place.apply(&credential(&place, &provider));
    place.wait_for("main", "the account is missing", |status| {
        is(status, Refreshed, "False", "ServiceAccountNotFound")
    });
    // The watch shows that it was created.
    place.apply(&account(&labelled()));
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
        .map(|request| field(request, "subject_token").unwrap())
        .collect();
    assert_ne!(tokens[0], tokens[1]);
    for (request, token) in requests.iter().zip(&tokens) {
        assert_eq!(field(request, "subject_token_type").unwrap(), JWT);
        assert_eq!(field(request, "audience").unwrap(), "orders");
        assert!(field(request, "client_secret").is_some());
        let claims = verified(place.plane, token).unwrap();
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 600);
        assert!(!operator.log().contains(token.as_str()));
    }
    place.kubectl(&[
        "label",
        "serviceaccount",
        "billing",
        "cube-operator.dev/credential-",
    ]);
    place.request("without consent");
    let status = place.wait_for("main", "not labelled", |status| {
        is(status, Refreshed, "False", "ServiceAccountNotLabelled")
    });
    // The live token stays.
    assert!(is(&status, Ready, "True", "Synced"));
    assert_eq!(provider.requests().len(), 2);
    // An account by the same name that its owner creates again.
    place.kubectl(&["delete", "serviceaccount", "billing"]);
    place.apply(&account(&labelled()));
    place.wait_for("main", "consent again", |status| {
        is(status, Refreshed, "True", "TokenIssued")
    });
    let shown = serde_json::to_string(&place.get("cubecredential", "main")).unwrap();
    let events = place.events("main").join("\n");
    for request in provider.requests() {
        let token = field(&request, "subject_token").unwrap();
        assert!(!shown.contains(&token) && !events.contains(&token));
    }
}

#[test]
fn client_and_subject_are_two_accounts_whose_owners_both_consent() {
    let place = Place::new();
    let provider = provider(&place);
    let _operator = operator(&place);
    place.apply(&account(&labelled()));
    place.apply(&named_account("web", &json!({})));
    let mut object = credential(&place, &provider);
    let spec = object["spec"].as_object_mut().unwrap();
    spec.remove("clientSecretRef");
    spec.insert("clientAuthentication".into(), json!("ServiceAccountToken"));
    spec.insert(
        "clientAssertion".into(),
        json!({"audience": AUDIENCE, "serviceAccountName": "web"}),
    );
    place.apply(&object);
    let status = place.wait_for("main", "not labelled", |status| {
        is(status, Refreshed, "False", "ServiceAccountNotLabelled")
    });
    let message = &status.condition(Refreshed).unwrap().message;
    assert!(message.starts_with("ServiceAccount \"web\""), "{message}");
    assert_eq!(provider.requests().len(), 0);
    place.apply(&named_account("web", &labelled()));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    let requests = provider.requests();
    let assertion = field(&requests[0], "client_assertion").unwrap();
    let claims = verified(place.plane, &assertion).unwrap();
    let client = format!("system:serviceaccount:{}:web", place.namespace);
    assert_eq!(claims["sub"], client);
}

#[test]
fn check_and_status_look_at_the_account_and_request_no_token() {
    let place = Place::new();
    let provider = provider(&place);
    let person = Person::with_edit(&place);
    place.reinstall("serviceAccountTokens=true");
    place.apply(&account(&json!({})));
    place.apply(&credential(&place, &provider));
    let check = || {
        let flags = [LOOPBACK, "--service-account-tokens"];
        place.check_as(&place.kubeconfig, "main", &flags, &[]).1
    };
    let status = || person.cube(&["status", "main"]).1;
    // The role counts a moment after it was written.
    eventually("check sees the account", || {
        let found = "✗ ServiceAccount \"billing\" is not labelled for use";
        check().contains(found).then_some(())
    });
    let shown = status();
    let found = "✗ subject: ServiceAccount \"billing\" is missing label";
    assert!(shown.contains(found), "{shown}");
    place.apply(&account(&labelled()));
    let shown = check();
    let found = "✓ ServiceAccount \"billing\" has the label (no token of it was requested)";
    assert!(shown.contains(found), "{shown}");
    let shown = status();
    let found = "✓ subject: ServiceAccount \"billing\" has the label";
    assert!(shown.contains(found), "{shown}");
    let requests = provider.requests();
    assert!(
        requests
            .iter()
            .all(|sent| field(sent, "subject_token").is_none())
    );
}

//! A subject token from a Secret is exchanged for a token of another service.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    check::LOOPBACK,
    place::{Place, is, told},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

fn fields(request: &Request) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect()
}

fn field(request: &Request, name: &str) -> Option<String> {
    let mut fields = fields(request).into_iter();
    fields
        .find(|(field, _)| field == name)
        .map(|(_, value)| value)
}

/// A provider that knows each subject token that begins like a good one.
fn provider(place: &Place) -> Provider {
    let authority = Authority::new("scripted");
    place.trust("scripted", &authority);
    place.apply(&place.source());
    Provider::start(&authority.certificate(&LOCAL), |request| {
        let subject = field(request, "subject_token").unwrap_or_default();
        if !subject.starts_with("good-") {
            return Reply::json(
                400,
                r#"{"error":"invalid_request","error_description":"Invalid token"}"#,
            );
        }
        Reply::json(
            200,
            json!({
                "access_token": format!("for-{subject}"), "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer",
                "expires_in": 3600,
            })
            .to_string(),
        )
    })
}

/// The Secret with the subject token. Its owner allows this host.
fn subject(token: &str, labels: &Value, host: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "subject", "labels": labels,
            "annotations": {
                "cube-operator.dev/token-hosts": host,
                "cube-operator.dev/token-ca": "ConfigMap/scripted",
            },
        },
        "stringData": {"token": token},
    })
}

fn labelled() -> Value {
    json!({"cube-operator.dev/credential": "true"})
}

fn credential(place: &Place, provider: &Provider) -> Value {
    let mut object = place.credential_at("main", &provider.url("/token"), "scripted");
    let spec = object["spec"].as_object_mut().unwrap();
    spec.insert("grant".into(), json!("TokenExchange"));
    spec.insert(
        "tokenExchange".into(),
        json!({"subjectTokenRef": {"name": "subject"}, "audience": ["reports", "orders"]}),
    );
    object
}

#[test]
fn a_subject_token_is_exchanged_and_a_new_one_is_sent_from_the_next_request_on() {
    let place = Place::new();
    let provider = provider(&place);
    let operator = place.operator();
    place.apply(&subject("good-1", &labelled(), "localhost"));
    place.apply(&credential(&place, &provider));
    let first = place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.token("main-token"), "for-good-1");
    let requests = provider.requests();
    let sent: Vec<_> = fields(&requests[0])
        .into_iter()
        .filter(|(name, _)| !name.starts_with("client_"))
        .collect();
    let expected = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", "good-1"),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", "orders"),
        ("audience", "reports"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent, expected);

    place.after_reconcile(&operator, || {
        place.apply(&subject("good-2", &labelled(), "localhost"));
    });
    assert_eq!(
        provider.requests().len(),
        1,
        "the token is as good as before"
    );
    place.request("now");
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != first.token_fingerprint
    });
    assert_eq!(place.token("main-token"), "for-good-2");
    for token in ["good-1", "good-2"] {
        assert!(!operator.log().contains(token));
    }
}

#[test]
fn a_refused_subject_token_is_named_and_the_next_one_is_sent_within_seconds() {
    let place = Place::new();
    let provider = provider(&place);
    let _operator = place.operator();
    place.apply(&subject("expired", &labelled(), "localhost"));
    place.apply(&credential(&place, &provider));
    let status = place.wait_for("main", "InvalidRequest", |status| {
        is(status, Refreshed, "False", "InvalidRequest")
    });
    let message = told(&status)[1].clone();
    assert!(
        message.starts_with(
            "Refreshed=False InvalidRequest: token endpoint responded 400 invalid_request (the provider says: \"Invalid token\"): write \
             a subject token that is valid now to key token of Secret \"subject\", or correct spec.tokenExchange; retrying at "
        ),
        "{message}"
    );
    place.apply(&subject("good-3", &labelled(), "localhost"));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(provider.requests().len(), 2);
}

#[test]
fn an_author_sends_no_subject_token_that_its_owner_has_not_allowed_for_this_host() {
    let place = Place::new();
    let provider = provider(&place);
    let _operator = place.operator();
    place.apply(&subject("good-4", &json!({}), "localhost"));
    place.apply(&credential(&place, &provider));
    place.wait_for("main", "not labelled", |status| {
        is(status, Refreshed, "False", "SubjectTokenNotLabelled")
    });
    place.apply(&subject("good-4", &labelled(), "login.example.com"));
    place.wait_for("main", "not allowed", |status| {
        is(status, Refreshed, "False", "HostNotAllowed")
    });
    assert_eq!(provider.requests().len(), 0);
    place.apply(&subject("good-4", &labelled(), "localhost"));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    // The owner takes the consent back.
    place.kubectl(&[
        "label",
        "secret",
        "subject",
        "cube-operator.dev/credential-",
    ]);
    place.request("without consent");
    place.wait_for("main", "not labelled", |status| {
        is(status, Refreshed, "False", "SubjectTokenNotLabelled")
    });
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn a_check_looks_at_the_subject_token_and_sends_nothing() {
    let place = Place::new();
    let provider = provider(&place);
    place.apply(&subject("good-5", &labelled(), "localhost"));
    place.apply(&credential(&place, &provider));
    let report = || {
        place
            .check_as(&place.kubeconfig, "main", &[LOOPBACK], &[])
            .1
    };
    let shown = report();
    let found = "✓ Secret \"subject\" has the label, and a well-formed \"token\"";
    assert!(shown.contains(found), "{shown}");
    place.apply(&subject("", &labelled(), "localhost"));
    let shown = report();
    let found = "✗ key \"token\" of Secret \"subject\" is empty";
    assert!(shown.contains(found), "{shown}");
    let requests = provider.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.body.contains("good-5"))
    );
}

//! The main job: a `CubeCredential` becomes a live token in a Secret, and stays live.

use std::{collections::BTreeMap, time::Instant};

use cube_operator::api::{
    ConditionType::{Ready, Refreshed},
    CubeCredentialStatus,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    check::LOOPBACK,
    operator::eventually,
    place::{Place, is, told},
    scripted::{Authority, LOCAL, Provider, Reply},
};

#[test]
fn a_credential_becomes_a_live_token_in_a_secret() {
    let place = Place::new();
    let _operator = place.operator();
    let status = place.ready_main();

    let (issued_at, expires_at) = (status.issued_at.unwrap(), status.expires_at.unwrap());
    let refresh_at = status.refresh_at.unwrap();
    assert_eq!(
        told(&status),
        [
            format!(
                "Ready=True Synced: token in Secret \"main-token\" is valid until {expires_at}"
            ),
            format!(
                "Refreshed=True TokenIssued: token issued at {issued_at}; next request at {refresh_at}"
            ),
        ]
    );
    assert_eq!(
        expires_at.duration_since(issued_at),
        SignedDuration::from_secs(3600)
    );
    // Five minutes before expiry, and up to a tenth of that earlier.
    let margin = expires_at.duration_since(refresh_at).as_secs();
    assert!((300..=330).contains(&margin), "{margin}");
    assert_eq!(status.scopes, ["read", "write"]);
    assert_eq!(
        (status.failures, status.observed_generation),
        (None, Some(1))
    );
    assert_eq!(place.exchanges(), [200]);
    assert_eq!(place.call_api("main-token"), 200);
    let event = "Normal TokenIssued: the first token is in Secret \"main-token\"";
    eventually("the first token is told", || {
        (place.events("main") == [event]).then_some(())
    });
    assert_target(&place, &status);
}

/// Asserts the whole target of `main`.
fn assert_target(place: &Place, status: &CubeCredentialStatus) {
    let (issued_at, expires_at) = (status.issued_at.unwrap(), status.expires_at.unwrap());
    let target = place.get("secret", "main-token").unwrap();
    assert_eq!(
        status.target.as_ref().unwrap().resource_version,
        target["metadata"]["resourceVersion"]
    );
    assert_eq!(target["type"], "Opaque");
    let keys: Vec<_> = target["data"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["access-token", "expires-at", "token-type"]);
    assert_eq!(place.value("main-token", "token-type"), "Bearer");
    assert_eq!(
        place.value("main-token", "expires-at"),
        expires_at.to_string()
    );
    assert_eq!(
        target["metadata"]["labels"],
        json!({"cube-operator.dev/managed": "true"})
    );
    let owner = place.get("cubecredential", "main").unwrap()["metadata"]["uid"].clone();
    let source = place.get("secret", "client").unwrap()["metadata"]["resourceVersion"].clone();
    let mut annotations = target["metadata"]["annotations"].clone();
    // Other tests show that edits and other inputs change these hashes.
    for hash in ["content-hash", "inputs-hash"] {
        let hash = annotations[format!("cube-operator.dev/{hash}")].take();
        assert_eq!(hash.as_str().unwrap().len(), 64);
    }
    assert_eq!(
        annotations,
        json!({
            "cube-operator.dev/owner-name": "main",
            "cube-operator.dev/owner-uid": owner,
            "cube-operator.dev/issued-at": issued_at.to_string(),
            "cube-operator.dev/expires-at": expires_at.to_string(),
            "cube-operator.dev/content-hash": null,
            "cube-operator.dev/inputs-hash": null,
            "cube-operator.dev/generation": "1",
            "cube-operator.dev/source-resource-version": source,
            "cube-operator.dev/scopes": "read write",
            "cube-operator.dev/type": "Opaque",
            "cube-operator.dev/written-to": format!("{}/main-token", place.namespace),
        })
    );
    let sum = Sha256::digest(place.token("main-token"));
    let fingerprint = sum[..4].iter().map(|byte| format!("{byte:02x}"));
    assert_eq!(
        status.token_fingerprint,
        Some(fingerprint.collect::<String>())
    );
    assert_eq!(
        target["metadata"]["ownerReferences"],
        json!([{
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "name": "main", "uid": owner,
            "controller": true,
        }])
    );
}

#[test]
fn a_new_credential_has_its_token_within_one_second() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&place.source());
    // The machine may be busy, so not every time.
    let prompt = (0..10).any(|number| {
        let name = format!("main-{number}");
        place.apply(&place.credential(&name));
        place.wait_for(&name, "Ready", |status| is(status, Ready, "True", "Synced"));
        // A slow machine makes kubectl and Python as slow as the operator.
        let allowed = same_requests(&place, &name).max(SignedDuration::from_secs(1));
        time_to_publish(&place, &name) <= allowed
    });
    assert!(prompt);
}

/// By the clock of the API server, from its answer to the creation until the token is in its Secret.
fn time_to_publish(place: &Place, name: &str) -> SignedDuration {
    let answer = |resource, name: &str| {
        let object = (&*place.namespace, name);
        place.plane.first_answer("patch", resource, object)
    };
    let created = answer("cubecredentials", name);
    answer("secrets", &format!("{name}-token")).duration_since(created)
}

/// How long kubectl and Python take for the requests that the operator makes for a new token: three reads, one request to the
/// token server, and one write.
fn same_requests(place: &Place, name: &str) -> SignedDuration {
    let start = Instant::now();
    let target = format!("{name}-token");
    place.get("secret", "client");
    place.get("configmap", "authority");
    place.get("secret", &target);
    assert_eq!(place.call_api(&target), 200);
    place.patch("secret", &target, &json!({"data": {"extra": "dGhlaXJz"}}));
    SignedDuration::try_from(start.elapsed()).unwrap()
}

#[test]
fn a_short_token_is_refreshed_and_the_new_one_works() {
    // The second token lives so long that no third one follows it, however slow the machine is.
    let place = Place::with_lifetimes(&[18, 3600]);
    let _operator = place.operator();
    let first = place.ready_main();
    let old = place.token("main-token");
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != first.token_fingerprint
    });
    assert_eq!(place.exchanges(), [200, 200]);
    assert_ne!(place.token("main-token"), old);
    assert_eq!(place.call_api("main-token"), 200);
    // A refresh is routine: there are events for the first token only, and for pods that may see it late.
    place.wait_for_events("main", &["TokenIssued", "ShortLivedToken"]);
    assert_eq!(place.events("main").len(), 2);
}

#[test]
fn a_client_can_authenticate_in_the_header_instead_of_the_body() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&place.source());
    let mut credential = place.credential("main");
    credential["spec"]["clientAuthentication"] = json!("Basic");
    place.apply(&credential);
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.server.authentications_of(&place.namespace), ["basic"]);
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn cube_software_authenticates_in_the_header_unless_the_spec_says_otherwise() {
    let place = Place::new();
    let operator = place.operator();
    place.apply(&place.source());
    let mut credential = place.credential("main");
    credential["spec"]["provider"] = json!("CubeSoftware");
    // The first build wrote this default into every object: it stays what it was.
    credential["spec"]["clientAuthentication"] = json!("Body");
    place.apply(&credential);
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    let restarted = {
        drop(operator);
        place.operator()
    };
    place.after_reconcile(&restarted, || {
        place.kubectl(&["label", "cubecredential", "main", "seen=again"]);
    });
    assert_eq!(place.server.authentications_of(&place.namespace), ["body"]);
    place.kubectl(&["delete", "cubecredential", "main"]);

    let spec = credential["spec"].as_object_mut().unwrap();
    spec.remove("clientAuthentication");
    place.apply(&credential);
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(
        place.server.authentications_of(&place.namespace),
        ["body", "basic"]
    );
    assert_eq!(place.call_api("main-token"), 200);
    let warning = "Warning GrantNotListed: Cube Software's metadata does not list the client_credentials grant: ask its support \
                   whether your client may use it";
    eventually("the grant is warned of", || {
        let events = place.events("main");
        events.iter().any(|event| event == warning).then_some(())
    });
    let (_, report, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &[]);
    let notice = warning.replace("Warning GrantNotListed: ", "\n! ");
    assert!(report.contains(&notice), "{report}");
}

#[test]
fn a_client_with_an_empty_secret_authenticates_with_its_id_in_the_header_and_needs_no_key_for_it() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("t"));
    let mut source = place.source();
    source["stringData"] = json!({"client-id": "a client", "refresh-token": "seed"});
    place.apply(&source);
    place.trust("scripted", &authority);
    let _operator = place.operator();
    for (name, fields) in [
        ("client-credentials", json!({})),
        (
            "login",
            json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "client"}}),
        ),
    ] {
        let mut credential =
            place.credential_at(name, &provider.url(&format!("/{name}")), "scripted");
        let spec = credential["spec"].as_object_mut().unwrap();
        spec.insert("clientAuthentication".into(), json!("BasicEmptySecret"));
        spec.extend(fields.as_object().unwrap().clone());
        place.apply(&credential);
        place.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    }
    let requests = provider.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert!(!request.body.contains("client_id") && !request.body.contains("client_secret"));
        let header = request
            .headers
            .iter()
            .find(|(name, _)| name == "authorization");
        // base64 of `a+client:`
        assert_eq!(header.unwrap().1, "Basic YStjbGllbnQ6");
    }
}

#[test]
fn the_request_asks_for_what_the_spec_says_and_the_target_is_made_as_it_says() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::json(200, r#"{"access_token":"t","expires_in":7200,"scope":"b"}"#)
    });
    place.apply(&place.source());
    place.trust("scripted", &authority);
    let mut credential = place.credential_at("main", &provider.url("/token?tenant=x"), "scripted");
    let spec = credential["spec"].as_object_mut().unwrap();
    spec.insert("scopes".into(), json!(["b", "a"]));
    spec.insert("parameters".into(), json!({"audience": "https://api"}));
    spec.insert("refreshBefore".into(), json!("30m"));
    spec.insert(
        "target".into(),
        json!({"name": "mine", "type": "example.com/token", "labels": {"team": "a"}, "annotations": {"example.com/b": "c"}}),
    );
    let _operator = place.operator();
    place.apply(&credential);
    let status = place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });

    let requests = provider.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "/token?tenant=x");
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(requests[0].body.as_bytes())
        .into_owned()
        .collect();
    let secret = crate::place::CLIENT_SECRET;
    let expected = [
        ("audience", "https://api"),
        ("client_id", &place.namespace),
        ("client_secret", secret),
        ("grant_type", "client_credentials"),
        ("scope", "a b"),
    ];
    assert_eq!(
        form,
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    let margin = status
        .expires_at
        .unwrap()
        .duration_since(status.refresh_at.unwrap())
        .as_secs();
    assert!((1800..=1980).contains(&margin), "{margin}");
    assert_eq!(status.scopes, ["b"]);

    let target = place.get("secret", "mine").unwrap();
    assert_eq!(target["type"], "example.com/token");
    assert_eq!(target["metadata"]["labels"]["team"], "a");
    assert_eq!(target["metadata"]["annotations"]["example.com/b"], "c");
    let warning = "Warning ScopeNarrowed: the provider granted fewer scopes than spec.scopes requests: see status.scopes";
    eventually("the event is there", || {
        place
            .events("main")
            .iter()
            .any(|event| event == warning)
            .then_some(())
    });
}

#[test]
fn an_answer_without_a_lifetime_is_given_the_assumed_one_and_told() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::json(200, r#"{"access_token":"t"}"#)
    });
    place.apply(&place.source());
    place.trust("scripted", &authority);
    let mut credential: Value = place.credential_at("main", &provider.url("/"), "scripted");
    credential["spec"]["assumedLifetime"] = json!("2h");
    let _operator = place.operator();
    place.apply(&credential);
    let status = place.wait_for("main", "Ready", |status| {
        is(status, Refreshed, "True", "TokenIssued")
    });
    let lifetime = status
        .expires_at
        .unwrap()
        .duration_since(status.issued_at.unwrap());
    assert_eq!(lifetime, SignedDuration::from_secs(7200));
    let warning = "Warning ExpiryUnknown: the response has no usable expires_in: using spec.assumedLifetime (2h)";
    eventually("the event is there", || {
        place
            .events("main")
            .iter()
            .any(|event| event == warning)
            .then_some(())
    });
}

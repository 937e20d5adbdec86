//! Each refresh token is sent once, whatever the provider does with the one before.

use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, TokenServer, fingerprint},
    login::Login,
    operator::eventually,
    place::lifetime,
};

#[test]
fn each_refresh_token_is_sent_once_and_the_seed_is_only_read() {
    let place = Login::at(TokenServer::shared());
    let operator = place.operator();
    let seed = place.begin();
    place.assert_unbroken(&seed, 1);
    let version = || place.get("secret", "seed").unwrap()["metadata"]["resourceVersion"].clone();
    let before = version();
    for request in ["first", "second", "third"] {
        place.refresh(request);
    }
    place.assert_unbroken(&seed, 4);
    assert_eq!(place.state().record["generation"], json!(4));
    assert_eq!(version(), before);

    // GitOps writes the first refresh token again, which was consumed long ago.
    place.after_reconcile(&operator, || {
        drop(place.kubectl(&["label", "secret", "seed", "team=treasury"]));
    });
    place.after_reconcile(&operator, || {
        place.kubectl(&["delete", "secret", "seed"]);
        place.apply(&place.seed(&seed));
    });
    place.assert_unbroken(&seed, 4);

    place.after_reconcile(&operator, || {
        drop(place.kubectl(&["delete", "secret", "seed"]));
    });
    place.wait_until_good();
    place.refresh("without a seed");
    place.assert_unbroken(&seed, 5);
    assert_eq!(place.get("secret", "seed"), None::<Value>);
}

#[test]
fn a_changed_client_secret_is_proven_at_once_with_the_next_refresh_token() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    let token = place.token("main-token");
    place.server.set_secret(&place.namespace, "changed");
    let fields = json!({"stringData": {"client-secret": "changed"}});
    place.patch("secret", "client", &fields);
    eventually("a token issued for the new secret", || {
        (place.token("main-token") != token).then_some(())
    });
    place.wait_until_good();
    place.assert_unbroken(&seed, 2);
}

#[test]
fn tokens_are_refreshed_before_they_expire() {
    let place = Login::with(&[]);
    // The sign-in gets a token of an hour. Two tokens are refreshed after 12 s, and none follows the third while they are counted.
    place.server.set_lifetimes(&[3600, 18, 18, 3600]);
    let _operator = place.operator();
    let seed = place.begin();
    place.wait_for_refreshes(3);
    place.wait_for("main", "the last one is published", |status| {
        lifetime(status) == Some(3600)
    });
    place.assert_unbroken(&seed, 3);
}

#[test]
fn a_provider_that_does_not_rotate_gets_the_same_refresh_token_each_time() {
    let place = Login::with(&["--rotate", "false"]);
    let mut operator = place.operator();
    let seed = place.begin();
    for request in ["first", "second"] {
        let token = place.token("main-token");
        place.refresh(request);
        assert_ne!(place.token("main-token"), token);
    }
    drop(operator);
    operator = place.operator();
    place.refresh("third");
    drop(operator);
    let only = fingerprint(&seed);
    let seen = place.refreshes();
    assert_eq!(seen.len(), 4);
    for refresh in seen {
        assert_eq!((refresh.sent, refresh.status), (only.clone(), 200));
    }
    assert_eq!(place.state().refresh_token, seed);
    assert_eq!(place.call_api("main-token"), 200);
}

/// Some refreshes, a restart, and every event after which a careless client would send a token again.
fn live_a_while(place: &Login) {
    let mut operator = place.operator();
    let seed = place.begin();
    for request in ["first", "second"] {
        place.refresh(request);
    }
    operator.terminate();
    assert!(operator.wait().success());
    operator = place.operator();
    place.kubectl(&["delete", "secret", "main-token"]);
    place.after_reconcile(&operator, || {
        place.kubectl(&["delete", "secret", "seed"]);
        place.apply(&place.seed(&seed));
    });
    place.wait_until_good();
    place.refresh("third");
    place.assert_unbroken(&seed, 4);
}

#[test]
fn a_provider_that_keeps_hashes_of_tokens_alone_is_served_as_any_other() {
    live_a_while(&Login::with(&["--hashed-tokens", "true"]));
}

#[test]
fn a_provider_that_ends_a_login_at_the_first_replay_sees_none() {
    live_a_while(&Login::with(&["--reuse-protection", "true"]));
}

#[test]
fn a_public_client_needs_no_secret() {
    let place = Login::on(ControlPlane::shared(), TokenServer::shared(), None);
    live_a_while(&place);
    let source = place.get("secret", "client").unwrap();
    let keys: Vec<_> = source["data"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["client-id"]);
}

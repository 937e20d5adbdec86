//! Stored refresh tokens that rotate: none is sent twice, none is lost that need not be, and people are told the truth.

use cube_operator::api::ConditionType::{Ready, Reconciling, Refreshed, Stalled};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, Refresh, TokenServer, fingerprint},
    login::{Login, STATE},
    operator::eventually,
    place::{CLIENT_SECRET, is, told},
};

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

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

    // As GitOps does it: the first refresh token again, long since used up.
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
fn a_target_is_restored_from_the_state_without_an_exchange() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    let token = place.token("main-token");
    let whole = |target: &str| {
        eventually(target, || {
            let found = place.get("secret", target)?;
            let text = base64(&token);
            (found["data"]["access-token"] == json!(text)).then_some(found)
        })
    };
    place.kubectl(&["delete", "secret", "main-token"]);
    whole("main-token");
    place.patch(
        "secret",
        "main-token",
        &json!({"stringData": {"access-token": "edited"}}),
    );
    whole("main-token");

    let target = |fields: Value| {
        place.patch(
            "cubecredential",
            "main",
            &json!({"spec": {"target": fields}}),
        );
    };
    target(json!({"name": "moved"}));
    whole("moved");
    eventually("the old one is deleted", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    target(json!({"type": "example.com/token"}));
    eventually("the new type", || {
        (whole("moved")["type"] == "example.com/token").then_some(())
    });
    target(json!({"name": "main-token", "type": "Opaque"}));
    whole("main-token");
    place.wait_until_good();
    place.assert_unbroken(&seed, 1);
}

#[test]
fn a_new_sign_in_is_adopted_and_the_old_seed_changes_nothing_any_more() {
    let place = Login::at(TokenServer::shared());
    let operator = place.operator();
    let old = place.begin();
    let token = place.token("main-token");
    let new = place.sign_in();
    place.apply(&place.seed(&new));
    eventually("a token of the new login", || {
        (place.token("main-token") != token).then_some(())
    });
    place.wait_until_good();
    let refreshes = place.refreshes();
    let sent: Vec<_> = refreshes.iter().map(|refresh| &refresh.sent).collect();
    assert_eq!(sent, [&fingerprint(&old), &fingerprint(&new)]);
    eventually("an event", || {
        let events = place.events("main");
        let adopted = events
            .iter()
            .filter(|event| event.contains(" SeedAdopted: "))
            .collect::<Vec<_>>();
        (adopted
            == [
                "Normal SeedAdopted: the login continues from the refresh token in Secret \"seed\"",
            ])
        .then_some(())
    });
    assert_eq!(place.event_count("main", "Recovered"), 0);

    let before = place.state();
    place.after_reconcile(&operator, || place.apply(&place.seed(&old)));
    place.wait_until_good();
    assert_eq!(place.refreshes(), refreshes);
    assert_eq!(place.state().refresh_token, before.refresh_token);
    place.refresh("by hand");
    let last = place.refreshes().pop().unwrap();
    assert_eq!(
        (last.sent, last.status),
        (fingerprint(&before.refresh_token), 200)
    );
    assert_eq!(place.refreshes().len(), 3);
    assert_eq!(place.event_count("main", "SeedAdopted"), 1);
}

#[test]
fn a_revoked_login_is_told_and_not_asked_for_again_but_once_until_somebody_signs_in() {
    let place = Login::at(TokenServer::shared());
    let mut operator = place.operator();
    place.begin();
    place.server.revoke(&place.state().refresh_token);
    place.request("after the revocation");
    let status = place.wait_until_refused("RefreshTokenRejected");
    assert!(is(&status, Ready, "True", "Synced"));
    // Five minutes after it was known: between then and now.
    let pause = SignedDuration::from_mins(5);
    let (sent, next) = (status.last_attempt_at.unwrap(), status.refresh_at.unwrap());
    assert!(
        (sent + pause..=Timestamp::now() + pause).contains(&next),
        "{sent} {next}"
    );
    let answers = || {
        place
            .refreshes()
            .iter()
            .map(|refresh| refresh.status)
            .collect::<Vec<_>>()
    };
    assert_eq!(answers(), [200, 400]);

    for _ in 0..2 {
        operator.terminate();
        assert!(operator.wait().success());
        place.wipe_status("main");
        operator = place.operator();
        let again = place.wait_until_refused("RefreshTokenRejected");
        assert_eq!(told(&again), told(&status));
        assert_eq!(again.refresh_at, status.refresh_at);
    }
    place.after_reconcile(&operator, || {
        drop(place.kubectl(&["label", "secret", "seed", "a=b"]));
    });
    let sign_in = place.sign_in();
    place.apply(&place.seed(&format!("{sign_in}\n")));
    place.wait_until_refused("RefreshTokenMalformed");
    assert_eq!(answers(), [200, 400]);

    place.apply(&place.seed(&sign_in));
    eventually("a new sign-in helps", || {
        place.served("after the revocation")
    });
    assert_eq!(answers(), [200, 400, 200]);
    assert_eq!(place.call_api("main-token"), 200);
    eventually("it is told", || {
        ["Recovered", "SeedAdopted"]
            .iter()
            .all(|reason| place.event_count("main", reason) == 1)
            .then_some(())
    });
}

#[test]
fn a_login_whose_answer_was_lost_is_told_apart_from_a_revoked_one() {
    let place = Login::with(&["--grace", "0"]);
    let _operator = place.operator();
    let seed = place.begin();
    place.server.lose_answers(1);
    place.request("lost");
    let status = place.wait_until_refused("RefreshTokenLost");
    assert!(is(&status, Ready, "False", "RefreshTokenLost"));
    assert!(is(&status, Stalled, "True", "RefreshTokenLost"));
    assert_eq!(status.condition(Reconciling), None);
    assert_eq!(status.refresh_at, None);
    let facts = |seen: Vec<Refresh>| {
        seen.into_iter()
            .map(|refresh| (refresh.status, refresh.committed))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        facts(place.refreshes()),
        [(200, 200), (502, 200), (400, 400)]
    );
    assert_ne!(fingerprint(&seed), place.refreshes()[1].sent);

    place.apply(&place.seed(&place.sign_in()));
    eventually("a new sign-in helps", || place.served("lost"));
    assert_eq!(place.refreshes().len(), 4);
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn a_lost_answer_heals_by_itself_where_the_provider_has_a_grace_period() {
    let place = Login::with(&["--grace", "120"]);
    let _operator = place.operator();
    place.begin();
    place.server.lose_answers(1);
    place.refresh("lost and found");
    let seen = place.refreshes();
    let facts: Vec<_> = seen
        .iter()
        .map(|refresh| (refresh.status, refresh.committed))
        .collect();
    assert_eq!(facts, [(200, 200), (502, 200), (200, 200)]);
    assert_eq!(
        (&seen[1].sent, &seen[1].issued),
        (&seen[2].sent, &seen[2].issued)
    );
    let state = place.state();
    assert_eq!(fingerprint(&state.refresh_token), seen[2].issued);
    assert_eq!(state.record["generation"], json!(2));
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn a_wrong_seed_is_told_and_does_not_cost_the_good_login() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let good = place.begin();
    place.apply(&place.seed("copied-from-elsewhere"));
    place.wait_until_refused("RefreshTokenRejected");
    place.apply(&place.seed(&good));
    place.wait_until_good();
    let seen = place.refreshes();
    let facts: Vec<_> = seen
        .iter()
        .map(|refresh| (refresh.sent.as_str(), refresh.status))
        .collect();
    assert_eq!(
        facts,
        [
            (fingerprint(&good).as_str(), 200),
            (fingerprint("copied-from-elsewhere").as_str(), 400),
            (seen[0].issued.as_str(), 200),
        ]
    );
    assert_eq!(fingerprint(&place.state().refresh_token), seen[2].issued);
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn a_refresh_token_goes_to_no_host_that_the_owner_of_its_seed_does_not_permit() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let good = place.sign_in();
    let mut seed = place.seed(&good);
    seed["metadata"]["annotations"] = json!({"cube-operator.dev/token-hosts": "localhost"});
    place.apply(&place.client());
    place.apply(&seed);
    place.apply(&place.main());
    place.wait_until_good();
    let sent = place.refreshes().len();
    let elsewhere = place.server.token_url.replace("localhost", "127.0.0.1");
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"tokenURL": elsewhere}}),
    );
    place.wait_until_refused("HostNotAllowed");
    // It holds without the Secret too.
    place.kubectl(&["delete", "secret", "seed"]);
    place.request("now");
    place.wait_until_refused("HostNotAllowed");
    assert_eq!(place.refreshes().len(), sent);
}

#[test]
fn a_retained_login_is_continued_by_a_successor_and_a_deleted_one_is_collected() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.sign_in();
    let mut object = place.main();
    object["spec"]["target"] = json!({"deletionPolicy": "Retain"});
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    place.apply(&object);
    place.wait_until_good();
    place.refresh("before");
    let owners = || {
        [STATE, "main-token"].map(|name| {
            place.get("secret", name).unwrap()["metadata"]["ownerReferences"][0]["name"].clone()
        })
    };
    assert_eq!(owners(), [Value::Null, Value::Null]);

    let (state, token) = (place.state(), place.token("main-token"));
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.apply(&object);
    place.wait_until_good();
    assert_eq!(place.state(), state, "nothing was done to it");
    assert_eq!(place.token("main-token"), token);
    place.assert_unbroken(&seed, 2);
    place.refresh("after");
    place.assert_unbroken(&seed, 3);

    // A restored backup may lack the target.
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.kubectl(&["delete", "secret", "main-token"]);
    place.apply(&object);
    place.wait_until_good();
    place.assert_unbroken(&seed, 3);

    let policy = json!({"spec": {"target": {"deletionPolicy": "Delete"}}});
    place.patch("cubecredential", "main", &policy);
    eventually("both have an owner", || {
        (owners() == [json!("main"), json!("main")]).then_some(())
    });
    place.assert_unbroken(&seed, 3);
    place.kubectl(&["delete", "cubecredential", "main"]);
    eventually("both are collected", || {
        let gone = |name| place.get("secret", name).is_none();
        (gone(STATE) && gone("main-token")).then_some(())
    });
    assert!(place.get("secret", "seed").is_some());
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

/// Some refreshes, a restart, and all that makes a careless client send a token again.
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

#[test]
fn a_foreign_secret_by_the_name_of_the_state_is_left_alone_and_nothing_is_sent() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let foreign = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": STATE}, "stringData": {"refresh-token": "theirs"},
    });
    place.apply(&foreign);
    let before = place.get("secret", STATE);
    let seed = place.sign_in();
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    place.apply(&place.main());
    place.wait_until_refused("StateConflict");
    assert_eq!(place.get("secret", STATE), before);
    assert_eq!(place.refreshes(), []);
    assert_eq!(place.get("secret", "main-token"), None);
    let user = format!("system:serviceaccount:{}:cube-operator", place.namespace);
    let given = place
        .plane
        .kinds_of_secret_given_to(&user, &place.namespace, STATE);
    assert!(!given.is_empty());
    assert!(
        given.iter().all(|kind| kind == "PartialObjectMetadata"),
        "{given:?}"
    );
    place.kubectl(&["delete", "secret", STATE]);
    place.request("look");
    place.wait_until_good();
    place.assert_unbroken(&seed, 1);
}

#[test]
fn the_fields_of_a_stored_refresh_token_are_checked_at_admission() {
    let place = Login::at(TokenServer::shared());
    let refused = |change: fn(&mut Value), message: &str| {
        let mut object = place.main();
        change(&mut object["spec"]);
        let error = place.apply_error(&object);
        assert!(error.contains(message), "{error}");
    };
    let together = "refreshTokenRef is required with grant RefreshToken, and only with it: name the Secret with the first refresh \
                    token, or set grant to RefreshToken";
    refused(|spec| drop(spec["refreshTokenRef"].take()), together);
    refused(|spec| spec["grant"] = json!("ClientCredentials"), together);
    refused(
        |spec| {
            let fields = spec.as_object_mut().unwrap();
            fields.remove("grant");
            fields.remove("refreshTokenRef");
            fields.insert("clientAuthentication".into(), json!("None"));
        },
        "clientAuthentication None is for public clients, which have grant RefreshToken: use Body or Basic",
    );
    refused(
        |spec| spec["target"] = json!({"name": "seed"}),
        "the target may not be the Secret that refreshTokenRef names: set spec.target.name to another name",
    );
    refused(
        |spec| spec["refreshTokenRef"]["name"] = json!("main-token"),
        "the target may not be the Secret that refreshTokenRef names: set spec.target.name to another name",
    );
    refused(
        |spec| spec["target"] = json!({"name": "main-cube-state"}),
        "the name <metadata.name>-cube-state is reserved for the operator: set spec.target.name to another name",
    );
    let own = "the Secret <metadata.name>-cube-state is the operator's own: name another Secret in clientSecretRef and \
               refreshTokenRef";
    for field in ["clientSecretRef", "refreshTokenRef"] {
        let mut object = place.main();
        object["spec"][field]["name"] = json!("main-cube-state");
        let error = place.apply_error(&object);
        assert!(error.contains(own), "{error}");
    }
    place.apply(&place.main());
}

#[test]
fn a_lost_answer_of_a_provider_that_keeps_hashes_alone_is_told_as_lost_when_its_grace_is_over() {
    let place = Login::with(&["--hashed-tokens", "true", "--grace", "5"]);
    let _operator = place.operator();
    place.begin();
    place.server.lose_answers(1);
    place.request("lost");
    let status = place.wait_until_refused("RefreshTokenLost");
    let facts: Vec<_> = place
        .refreshes()
        .iter()
        .map(|refresh| (refresh.status, refresh.committed))
        .collect();
    // It has nothing to repeat its answer from.
    assert_eq!(facts, [(200, 200), (502, 200), (500, 500), (400, 400)]);
    assert!(is(&status, Stalled, "True", "RefreshTokenLost"));
}

#[test]
fn a_request_that_surely_spent_nothing_leaves_no_doubt_behind() {
    let place = Login::with(&[]);
    let _operator = place.operator();
    place.begin();
    let put_secret = |value: &str| {
        let fields = json!({"stringData": {"client-secret": value}});
        place.patch("secret", "client", &fields);
    };
    put_secret("wrong");
    place.wait_until_refused("InvalidClient");
    place.server.forbid(true);
    put_secret("wrong too");
    place.wait_until_refused("Forbidden");
    let record = eventually("the claim is given back", || {
        let record = place.state().record;
        record["claim"].is_null().then_some(record)
    });
    assert_eq!(record["inDoubt"], json!(false));
    place.server.revoke(&place.state().refresh_token);
    place.server.forbid(false);
    // The published token was issued for this one, so it takes a request.
    put_secret(CLIENT_SECRET);
    place.wait_until_good();
    place.request("by hand");
    place.wait_until_refused("RefreshTokenRejected");
    let facts: Vec<_> = place
        .refreshes()
        .iter()
        .map(|refresh| refresh.status)
        .collect();
    assert_eq!(facts, [200, 401, 403, 400]);
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
fn a_damaged_state_is_told_and_nothing_is_sent_until_it_is_restored() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    let record = place.value(STATE, "record");
    let put = |text: &str| {
        let fields = json!({"stringData": {"record": text}});
        place.patch("secret", STATE, &fields);
    };
    put("{");
    place.request("on a damaged state");
    let status = place.wait_until_refused("StateConflict");
    let message = format!(
        "Refreshed=False StateConflict: Secret {STATE:?}, where the refresh token is kept, was edited and cannot be read any \
         more, so nothing is sent: restore it, or delete it and sign in again; it is looked at again every minute"
    );
    assert_eq!(told(&status)[1], message);
    assert!(is(&status, Ready, "True", "Synced"));
    assert_eq!(place.value(STATE, "record"), "{");
    assert_eq!(place.refreshes().len(), 1, "nothing was sent");
    put(&record);
    // A person who has repaired it need not wait for the minute.
    place.request("on a restored state");
    eventually("it is served", || place.served("on a restored state"));
    // The first request may have been served on the way.
    place.assert_unbroken(&seed, place.refreshes().len());
}

#[test]
fn tokens_are_refreshed_before_they_expire() {
    // Refreshed after 12 s.
    let place = Login::with(&["--lifetime", "18"]);
    let _operator = place.operator();
    let seed = place.begin();
    place.wait_for_refreshes(3);
    // No other one comes while they are counted.
    let suspend = json!({"spec": {"suspend": true}});
    place.patch("cubecredential", "main", &suspend);
    place.wait_for("main", "Suspended", |status| {
        is(status, Refreshed, "Unknown", "Suspended")
    });
    place.assert_unbroken(&seed, place.refreshes().len());
}

#[test]
fn tokens_are_in_their_secrets_and_nowhere_else() {
    let place = Login::with(&[]);
    let operator = place.operator();
    let mut tokens = vec![place.begin()];
    let learn = |tokens: &mut Vec<String>| {
        let state = place.state();
        tokens.push(state.refresh_token);
        tokens.extend(state.access_token);
    };
    learn(&mut tokens);
    place.refresh("once");
    learn(&mut tokens);
    place.server.lose_answers(1);
    place.request("lost");
    place.wait_until_refused("RefreshTokenLost");
    tokens.push(place.sign_in());
    place.apply(&place.seed(tokens.last().unwrap()));
    eventually("served", || place.served("lost"));
    learn(&mut tokens);
    place.apply(&place.seed("wrong-but-secret-all-the-same"));
    place.wait_until_refused("RefreshTokenRejected");
    tokens.push("wrong-but-secret-all-the-same".into());

    let metadata = |name: &str| place.get("secret", name).unwrap()["metadata"].to_string();
    let public = [
        operator.log(),
        operator.get("/metrics").1,
        place.get("cubecredential", "main").unwrap().to_string(),
        place.events("main").join("\n"),
        metadata(STATE),
        metadata("main-token"),
        place.value(STATE, "record"),
    ];
    assert_eq!(tokens.len(), 9);
    for (text, token) in public
        .iter()
        .flat_map(|text| tokens.iter().map(move |token| (text, token)))
    {
        assert!(!text.contains(token), "{token} in {text}");
        assert!(!text.contains(&base64(token)), "{token} in {text}");
    }
}

//! A response with a new refresh token is lost, or it is certain that the provider consumed nothing.

use cube_operator::api::ConditionType::{Ready, Reconciling, Stalled};
use serde_json::json;

use crate::{
    environment::{Refresh, fingerprint},
    login::Login,
    operator::eventually,
    place::{CLIENT_SECRET, is},
};

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
fn a_lost_answer_of_a_provider_that_keeps_hashes_alone_is_told_as_lost_when_its_grace_is_over() {
    let place = Login::with(&["--hashed-tokens", "true"]);
    let _operator = place.operator();
    place.begin();
    // The lost request and the first one after it are within the grace period; the second one after it comes too late.
    place.server.set_graces(&[120, 120, 0]);
    place.server.lose_answers(1);
    place.request("lost");
    let status = place.wait_until_refused("RefreshTokenLost");
    let facts: Vec<_> = place
        .refreshes()
        .iter()
        .map(|refresh| (refresh.status, refresh.committed))
        .collect();
    // The provider stores only hashes, so it cannot repeat its response.
    assert_eq!(facts, [(200, 200), (502, 200), (500, 500), (400, 400)]);
    assert!(is(&status, Stalled, "True", "RefreshTokenLost"));
}

#[test]
fn a_request_that_surely_consumed_nothing_leaves_no_doubt_behind() {
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
    // The published token was issued for this secret, so an exchange has to be requested.
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

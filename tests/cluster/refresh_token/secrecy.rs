//! Where refresh tokens may go: to the hosts that the owner of the seed allows, and into their Secrets.

use serde_json::json;

use crate::{
    environment::TokenServer,
    login::{Login, STATE},
    operator::eventually,
};

use super::base64;

#[test]
fn a_refresh_token_goes_to_no_host_that_the_owner_of_its_seed_does_not_permit() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let good = place.sign_in();
    let mut seed = place.seed(&good);
    seed["metadata"]["annotations"] = json!({"cube-operator.dev/token-hosts": "localhost", "cube-operator.dev/token-ca": "ConfigMap/authority"});
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
    // The allowed hosts hold without the Secret too.
    place.kubectl(&["delete", "secret", "seed"]);
    place.request("now");
    place.wait_until_refused("HostNotAllowed");
    assert_eq!(place.refreshes().len(), sent);
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

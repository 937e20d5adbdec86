//! The author of a `CubeCredential` may change its spec and create it again, and reads no Secret: no refresh token follows.

use serde_json::{Value, json};

use crate::{
    environment::TokenServer,
    login::Login,
    operator::eventually,
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// The token endpoint of the author, who trusts it in the spec.
fn elsewhere(place: &Login) -> Provider {
    let authority = Authority::new("author");
    place.trust("authors-roots", &authority);
    Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("taken"))
}

fn to(provider: &Provider, seed: &str) -> Value {
    json!({"spec": {
        "tokenURL": provider.url("/o/token/"), "caBundleRef": {"name": "authors-roots"}, "refreshTokenRef": {"name": seed},
    }})
}

#[test]
fn a_stored_refresh_token_is_not_sent_to_another_endpoint() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let provider = elsewhere(&place);
    let seed = place.begin();
    let edit = |fields: &Value| place.patch("cubecredential", "main", fields);
    let back = place.main();

    edit(&to(&provider, "seed"));
    place.wait_until_refused("StateConflict");
    edit(&to(&provider, "absent"));
    place.wait_until_refused("StateConflict");
    // The owner withdraws the consent, and the author looks for a way around it.
    place.kubectl(&["label", "secret", "seed", "cube-operator.dev/credential-"]);
    edit(&to(&provider, "seed"));
    place.wait_until_refused("RefreshTokenNotLabelled");
    edit(&to(&provider, "absent"));
    place.wait_until_refused("StateConflict");
    // The owner narrows the hosts, and the author asks for a past one.
    place.apply(&place.seed(&seed));
    let only = "cube-operator.dev/token-hosts=elsewhere.example";
    place.kubectl(&["annotate", "secret", "seed", only]);
    edit(&json!({"spec": {
        "tokenURL": back["spec"]["tokenURL"], "caBundleRef": back["spec"]["caBundleRef"], "refreshTokenRef": {"name": "seed"},
    }}));
    place.request("to a host that is no longer allowed");
    place.wait_until_refused("HostNotAllowed");
    assert_eq!(place.refreshes().len(), 1);
    assert_eq!(provider.requests(), []);

    place.kubectl(&[
        "annotate",
        "secret",
        "seed",
        "cube-operator.dev/token-hosts-",
    ]);
    place.wait_until_good();
    place.assert_unbroken(&seed, 2);
}

#[test]
fn an_object_that_is_created_again_continues_a_login_only_with_its_labelled_seed() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let provider = elsewhere(&place);
    let seed = place.sign_in();
    let mut object = place.main();
    object["spec"]["target"] = json!({"deletionPolicy": "Retain"});
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    place.apply(&object);
    place.wait_until_good();
    let before = place.state();

    let again = |object: &Value| {
        place.kubectl(&["delete", "cubecredential", "main"]);
        place.apply(object);
    };
    let mut stolen = object.clone();
    for (field, value) in to(&provider, "absent")["spec"].as_object().unwrap() {
        stolen["spec"][field] = value.clone();
    }
    stolen["spec"]["target"]["name"] = json!("authors-token");
    again(&stolen);
    place.wait_until_refused("StateConflict");
    assert_eq!(place.get("secret", "authors-token"), None);

    place.kubectl(&["delete", "secret", "seed"]);
    again(&object);
    place.request("without a seed");
    place.wait_until_refused("StateConflict");
    assert_eq!(place.state(), before);
    assert_eq!(place.refreshes().len(), 1);
    assert_eq!(provider.requests(), []);

    place.apply(&place.seed(&seed));
    eventually("the seed proves it", || place.served("without a seed"));
    place.assert_unbroken(&seed, 2);
    // From now on the login is this object's.
    place.kubectl(&["delete", "secret", "seed"]);
    place.refresh("without a seed again");
    place.assert_unbroken(&seed, 3);
}

#[test]
fn a_change_of_grant_says_which_secret_still_holds_a_refresh_token() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    place.begin();
    let fields = json!({"spec": {"grant": "ClientCredentials", "refreshTokenRef": null}});
    place.patch("cubecredential", "main", &fields);
    let event =         "Warning RefreshTokenLeft: Secret \"main-cube-state\" holds a refresh token that is no longer used: sign out at the \
         provider, then delete it".to_owned();
    eventually("an event", || {
        place.events("main").contains(&event).then_some(())
    });
}

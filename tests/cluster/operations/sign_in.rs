//! The commands of a sign-in.

use std::{collections::BTreeMap, fs};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Recipe;
use crate::{
    environment::directory,
    place::Place,
    scripted::{Authority, LOCAL, Provider, Reply},
};

#[test]
fn the_commands_of_the_page_put_the_refresh_token_into_its_secret() {
    let place = Place::new();
    let authority = Authority::new("sign-in");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::json(200, r#"{"access_token":"a","refresh_token":"r/1+="}"#)
    });
    let roots = directory("sign-in").join("roots.pem");
    fs::write(&roots, authority.pem()).unwrap();
    let Recipe(blocks) = Recipe::of("sign-in.md", "Sign in without kubectl cube").with(&[
        (
            "https://api.cubesoftware.com/o/token/",
            &provider.url("/o/token/"),
        ),
        ("-n treasury", &format!("-n {}", place.namespace)),
    ]);
    let trust = format!("export CURL_CA_BUNDLE={}\n", roots.display());
    let printed = place.shell(&(trust + &blocks.join("\n")), "an id\na secret\na code\n");

    let url = printed.lines().find(|line| line.contains("://")).unwrap();
    let url = url::Url::parse(url).unwrap();
    let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(url.path(), "/o/authorize/");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "an id"),
        ("redirect_uri", "https://localhost/callback"),
        ("scope", "read write"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value);
    }
    let requests = provider.requests();
    assert_eq!(requests.len(), 1);
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(requests[0].body.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "a code");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    assert_eq!(asked["code_challenge"], challenge);
    assert!((43..=128).contains(&form["code_verifier"].len()));

    assert_eq!(place.value("planning-login", "refresh-token"), "r/1+=");
    let secret = place.get("secret", "planning-login").unwrap();
    let metadata = &secret["metadata"];
    assert_eq!(
        metadata["labels"],
        json!({"cube-operator.dev/credential": "true"})
    );
    assert_eq!(
        metadata["annotations"],
        json!({"cube-operator.dev/token-hosts": "api.cubesoftware.com"})
    );
    for secret in ["a secret", "r/1+=", &form["code_verifier"]] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

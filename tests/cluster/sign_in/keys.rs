//! A client with a private key: the code is exchanged with a signed request too.

use serde_json::json;

use super::{CODE, REFRESH_TOKEN, SignIn, follow, last_line};
use crate::{
    keys::{FIRST, claims, form},
    scripted::Reply,
};

/// A sign-in for a client that signs.
fn signing(script: impl Fn(&crate::scripted::Request) -> Reply + Send + Sync + 'static) -> SignIn {
    let sign_in = SignIn::with(script);
    let mut client = sign_in.client(&sign_in.host());
    client["stringData"] = json!({"client-id": "a client", "private-key": FIRST});
    sign_in.place.apply(&client);
    let mut credential = sign_in.credential();
    credential["spec"]["clientAuthentication"] = json!("PrivateKeyJWT");
    sign_in.place.apply(&credential);
    sign_in
}

#[test]
fn a_person_signs_in_for_a_client_that_signs() {
    let sign_in = signing(|_| super::token());
    let _operator = sign_in.operator();
    let (cube, authorize) = sign_in.begin(&[]);
    assert_eq!(authorize.parameter("client_id"), "a client");
    let (status, page) = follow(&authorize.redirect(&format!("code={CODE}")));
    assert_eq!(status, 200, "{page}");
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
    for (request, grant) in sign_in
        .provider
        .requests()
        .iter()
        .zip(["authorization_code", "refresh_token"])
    {
        let form = form(request);
        assert_eq!(form["grant_type"], grant);
        assert!(claims(&form["client_assertion"], FIRST).is_some());
        assert!(!form.contains_key("client_secret"));
    }
}

#[test]
fn a_key_that_the_provider_does_not_know_is_named() {
    let sign_in = signing(|_| Reply::json(401, r#"{"error":"invalid_client"}"#));
    let (cube, authorize) = sign_in.begin(&[]);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 400);
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(1), "{errors}");
    assert_eq!(
        last_line(&errors),
        "kubectl cube: the sign-in worked, but token endpoint responded 401 invalid_client: register the public key of the private key \
         in Secret \"client\" at the provider, check the client id and spec.clientAssertion, and the clock of this machine"
    );
    assert_eq!(sign_in.stored(), None);
}

//! A client whose secret is being replaced: the code is exchanged with the one that works.

use serde_json::json;

use super::{CODE, REFRESH_TOKEN, SignIn, follow};
use crate::{keys::form, scripted::Reply};

const OLD: &str = "planted-old-secret";
const NEW: &str = "planted-new-secret";

#[test]
fn a_person_signs_in_while_the_client_secret_is_being_replaced() {
    let sign_in = SignIn::with(|request| match form(request)["client_secret"].as_str() {
        NEW => super::token(),
        _ => Reply::json(401, r#"{"error":"invalid_client"}"#),
    });
    let mut client = sign_in.client(&sign_in.host());
    client["stringData"] = json!({"client-id": "a client", "old": OLD, "new": NEW});
    sign_in.place.apply(&client);
    let mut credential = sign_in.credential();
    credential["spec"]["clientSecretRef"]["clientSecretKey"] = json!("old,new");
    sign_in.place.apply(&credential);
    let _operator = sign_in.operator();
    let (cube, authorize) = sign_in.begin(&[]);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
    let codes = sign_in.provider.requests();
    let mut codes = codes
        .iter()
        .map(form)
        .filter(|form| form["grant_type"] == "authorization_code");
    let sent: Vec<_> = codes
        .by_ref()
        .map(|form| form["client_secret"].clone())
        .collect();
    assert_eq!(sent, [OLD, NEW]);
}

//! The hosts that the author of a spec chooses, and the Secrets.

use serde_json::json;

use super::{CODE, REFRESH_TOKEN, SignIn, follow, last_line};

#[test]
fn hosts_that_only_the_author_of_the_spec_has_named_must_be_confirmed() {
    let sign_in = SignIn::new();
    let (place, host) = (&sign_in.place, sign_in.host());
    let refused = |unknown: &str| {
        let network = ["login", "main", "--allow-network", "127.0.0.0/8,::1/128"];
        let (code, output, errors) = sign_in.user.start(&network).end();
        assert_eq!((code, output.as_str()), (Some(2), ""), "{errors}");
        assert_eq!(
            last_line(&errors),
            format!(
                "kubectl cube: there is no terminal to ask \"Are they the provider's?\": if so, add --trust-host {unknown}"
            )
        );
        errors
    };
    // The owner of the client has listed no host.
    place.apply(&place.source());
    let errors = refused(&host);
    assert!(
        errors.contains(&format!(
            "  you sign in at {host}\n  the code and the client secret go to {host}\n"
        )),
        "{errors}"
    );
    drop(sign_in.begin(&["--trust-host", &host]));
    // The owner has listed the token endpoint only.
    place.apply(&sign_in.client(&host));
    let elsewhere = json!({"spec": {"authorizationURL": "https://elsewhere.example.com/login"}});
    place.patch("cubecredential", "main", &elsewhere);
    refused("elsewhere.example.com");
    place.apply(&sign_in.client(&format!("{host},elsewhere.example.com")));
    let (_cube, authorize) = sign_in.begin(&["--replace"]);
    assert_eq!(authorize.0.host_str(), Some("elsewhere.example.com"));
}

#[test]
fn a_value_that_no_sign_in_has_written_is_replaced_only_if_that_is_meant() {
    let sign_in = SignIn::new();
    sign_in.place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-login"}, "stringData": {"refresh-token": "hunter2"},
    }));
    let network = ["login", "main", "--allow-network", "127.0.0.0/8,::1/128"];
    let (code, _, errors) = sign_in.user.start(&network).end();
    assert_eq!(code, Some(2));
    assert_eq!(
        last_line(&errors),
        "kubectl cube: there is no terminal to ask \"Replace key \"refresh-token\" of Secret \"main-login\", which `kubectl cube \
         login` has not written?\": if so, add --overwrite"
    );
    let (cube, authorize) = sign_in.begin(&["--overwrite"]);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
    drop(cube);
    // It has written it now.
    drop(sign_in.begin(&[]));
}

#[test]
fn the_client_and_the_sign_ins_of_others_are_never_replaced() {
    let sign_in = SignIn::new();
    let place = &sign_in.place;
    let at = |name: &str, key: &str| {
        let reference = json!({"spec": {"refreshTokenRef": {"name": name, "key": key}}});
        place.patch("cubecredential", "main", &reference);
        sign_in.refused(&["--overwrite"])
    };
    let error = |key: &str, secret: &str, what: &str, of: &str| {
        format!(
            "kubectl cube: key \"{key}\" of Secret \"{secret}\" is {what} of CubeCredential \"{of}\": name another Secret in \
             spec.refreshTokenRef"
        )
    };
    assert_eq!(
        at("client", "client-secret"),
        error("client-secret", "client", "the client", "main")
    );
    let mut other = sign_in.credential();
    other["metadata"]["name"] = json!("other");
    other["spec"]["refreshTokenRef"]["name"] = json!("other-login");
    place.apply(&other);
    assert_eq!(
        at("other-login", "refresh-token"),
        error("refresh-token", "other-login", "the refresh token", "other")
    );
}

#[test]
fn the_marks_of_the_owner_stay_the_owners() {
    let sign_in = SignIn::new();
    let mut secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "main-login", "labels": {"cube-operator.dev/credential": "true"}},
    });
    sign_in.place.apply(&secret);
    for _ in 0..2 {
        let (cube, authorize) = sign_in.begin(&[]);
        assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
        drop(cube);
        let object = sign_in.place.get("secret", "main-login").unwrap();
        let hosts = &object["metadata"]["annotations"]["cube-operator.dev/token-hosts"];
        assert_eq!(
            *hosts,
            sign_in.host(),
            "a mark that is missing is set, and kept"
        );
    }
    // The owner withdraws the consent.
    secret["metadata"]["labels"] = json!({});
    sign_in.place.apply(&secret);
    let object = sign_in.place.get("secret", "main-login").unwrap();
    assert!(object["metadata"]["labels"].is_null(), "{object}");
}

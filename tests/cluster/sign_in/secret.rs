//! The Secret of the refresh token: its key only, and the owner's consent.

use serde_json::json;

use super::{CODE, REFRESH_TOKEN, SignIn, follow};

#[test]
fn a_sign_in_changes_its_key_and_no_other() {
    let sign_in = SignIn::new();
    sign_in.place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "main-login", "labels": {"cube-operator.dev/credential": "true", "team": "treasury"},
            "annotations": {"cube-operator.dev/token-hosts": "localhost, 127.0.0.1", "cube-operator.dev/token-ca": "ConfigMap/scripted"},
        },
        "stringData": {"refresh-token": "old", "other": "kept"},
    }));
    let (cube, authorize) = sign_in.begin(&["--overwrite"]);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    drop(cube);
    let value = |key| sign_in.place.value("main-login", key);
    assert_eq!(value("refresh-token"), REFRESH_TOKEN);
    assert_eq!(value("other"), "kept");
    let object = sign_in.place.get("secret", "main-login").unwrap();
    assert_eq!(object["metadata"]["labels"]["team"], "treasury");
    assert_eq!(
        object["metadata"]["annotations"]["cube-operator.dev/token-hosts"],
        "localhost, 127.0.0.1"
    );
}

#[test]
fn two_sign_ins_for_two_keys_of_one_secret_keep_each_other() {
    let sign_in = SignIn::new();
    for key in ["first", "second"] {
        let mut object = sign_in.credential();
        object["spec"]["refreshTokenRef"]["key"] = json!(key);
        sign_in.place.apply(&object);
        let (cube, authorize) = sign_in.begin(&[]);
        assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
        drop(cube);
    }
    for key in ["first", "second"] {
        assert_eq!(sign_in.place.value("main-login", key), REFRESH_TOKEN);
    }
    let object = sign_in.place.get("secret", "main-login").unwrap();
    let hosts = &object["metadata"]["annotations"]["cube-operator.dev/token-hosts"];
    let host = sign_in.provider.url("");
    assert_eq!(*hosts, host.trim_start_matches("https://"));
}

#[test]
fn a_secret_that_is_somebody_elses_or_immutable_is_refused_before_the_sign_in() {
    let sign_in = SignIn::new();
    let place = &sign_in.place;
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-login"}, "stringData": {"password": "p"},
    }));
    assert_eq!(
        sign_in.refused(&[]),
        format!(
            "kubectl cube: Secret \"main-login\" holds other keys and has no label that allows its use: name another Secret in \
             spec.refreshTokenRef, or run `kubectl label secret main-login -n {} cube-operator.dev/credential=true`",
            place.namespace
        )
    );
    place.kubectl(&["delete", "secret", "main-login"]);
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "immutable": true,
        "metadata": {"name": "main-login", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"refresh-token": "old"},
    }));
    let error = sign_in.refused(&["--overwrite"]);
    assert!(
        error.contains("field is immutable when `immutable` is set"),
        "{error}"
    );
    assert!(sign_in.provider.requests().is_empty());
}

#[test]
fn a_client_secret_that_may_not_be_sent_there_is_refused_before_the_sign_in() {
    let sign_in = SignIn::new();
    let mut client = sign_in.place.source();
    client["metadata"]["annotations"] = json!({"cube-operator.dev/token-hosts": "api.example.com"});
    sign_in.place.apply(&client);
    let error = sign_in.refused(&[]);
    assert!(
        error.starts_with("kubectl cube: Secret \"client\" must not be sent to localhost"),
        "{error}"
    );
}

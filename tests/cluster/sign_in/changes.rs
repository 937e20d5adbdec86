//! Changes of others while the person signs in.

use std::{
    sync::{Mutex, mpsc},
    thread,
};

use serde_json::{Value, json};

use super::{CODE, REFRESH_TOKEN, SignIn, follow, last_line, token};
use crate::operator::eventually;

/// The error of a sign-in during which this changes. It must have requested no token.
fn refused(sign_in: &SignIn, change: impl FnOnce()) -> String {
    let (cube, authorize) = sign_in.begin(&[]);
    change();
    let (status, page) = follow(&authorize.redirect(&format!("code={CODE}")));
    assert_eq!(status, 400, "{page}");
    let (code, output, errors) = cube.end();
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    assert!(sign_in.provider.requests().is_empty());
    last_line(&errors)
}

/// The Secret of the refresh token, as another program writes it.
fn of_another(token: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "main-login", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"refresh-token": token},
    })
}

#[test]
fn a_spec_that_changes_meanwhile_ends_the_sign_in_before_the_code_is_sent() {
    let sign_in = SignIn::new();
    let place = &sign_in.place;
    let expected = format!(
        "kubectl cube: CubeCredential \"main\" was changed while you signed in, so no token was requested: run `kubectl cube login \
         main -n {}` again",
        place.namespace
    );
    let elsewhere = json!({"spec": {"refreshTokenRef": {"name": "elsewhere"}}});
    let changed = refused(&sign_in, || {
        place.patch("cubecredential", "main", &elsewhere);
    });
    assert_eq!(changed, expected);
    let replaced = refused(&sign_in, || {
        place.kubectl(&["delete", "cubecredential", "main"]);
        place.apply(&sign_in.credential());
    });
    assert_eq!(replaced, expected);
    for name in ["main-login", "elsewhere"] {
        assert!(place.get("secret", name).is_none());
    }
}

#[test]
fn a_value_that_another_program_writes_meanwhile_is_kept() {
    let sign_in = SignIn::new();
    let place = &sign_in.place;
    let error = refused(&sign_in, || place.apply(&of_another("of another")));
    assert_eq!(
        error,
        format!(
            "kubectl cube: Secret \"main-login\" was changed while you signed in, and `kubectl cube login` has not written its key \
             \"refresh-token\", so no token was requested: run `kubectl cube login main -n {}` again",
            place.namespace
        )
    );
    assert_eq!(sign_in.stored().as_deref(), Some("of another"));

    let (cube, authorize) = sign_in.begin(&["--overwrite"]);
    place.apply(&of_another("of another still"));
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
    drop(cube);
}

#[test]
fn a_secret_that_becomes_anothers_meanwhile_is_left_alone() {
    let sign_in = SignIn::new();
    let place = &sign_in.place;
    let other = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-login"}, "stringData": {"password": "p"},
    });
    let error = refused(&sign_in, || place.apply(&other));
    assert!(
        error.contains("Secret \"main-login\" holds other keys"),
        "{error}"
    );
}

#[test]
fn a_refresh_of_the_previous_login_is_not_taken_for_that_of_the_new_one() {
    let (respond, responds) = mpsc::channel();
    let responds = Mutex::new(responds);
    let sign_in = SignIn::with(move |_| {
        responds.lock().unwrap().recv().unwrap();
        token()
    });
    let (cube, authorize) = sign_in.begin(&["--refresh-timeout", "1s"]);
    let redirect = authorize.redirect(&format!("code={CODE}"));
    let browser = thread::spawn(move || follow(&redirect));
    eventually("the code is sent", || {
        (!sign_in.provider.requests().is_empty()).then_some(())
    });
    let refreshed = json!({
        "observedGeneration": 1, "tokenFingerprint": "0123abcd", "expiresAt": "2031-01-01T00:00:00Z",
        "target": {"name": "main-token", "resourceVersion": "1"},
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "TokenValid", "message": "valid", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    });
    sign_in
        .place
        .patch_status("cubecredential", "main", &refreshed);
    respond.send(()).unwrap();
    assert_eq!(browser.join().unwrap().0, 200);
    let (code, output, errors) = cube.end();
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    assert!(
        last_line(&errors).contains("but the operator has not responded"),
        "{errors}"
    );
}

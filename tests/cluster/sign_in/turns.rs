//! One sign-in at a time.

use super::{CODE, REFRESH_TOKEN, SignIn, follow, last_line};
use crate::operator::eventually;

const LOGIN: &str = "cube-operator.dev/login";

#[test]
fn a_second_sign_in_waits_its_turn_or_replaces_the_first() {
    let sign_in = SignIn::new();
    let (first, begun) = sign_in.begin(&[]);
    let error = sign_in.refused(&[]);
    assert!(
        error.starts_with(
            "kubectl cube: another sign-in for CubeCredential \"main\" is in progress until 20"
        ) && error.ends_with("Z: finish or interrupt it, or replace it with --replace"),
        "{error}"
    );
    let (second, authorize) = sign_in.begin(&["--replace"]);
    let (status, page) = follow(&begun.redirect(&format!("code={CODE}")));
    assert_eq!(status, 400, "{page}");
    let (code, _, errors) = first.end();
    assert_eq!(code, Some(1));
    assert_eq!(
        last_line(&errors),
        "kubectl cube: another sign-in for CubeCredential \"main\" has replaced this one, which requested no token"
    );
    assert_eq!(sign_in.stored(), None);
    assert_eq!(follow(&authorize.redirect("code=another")).0, 200);
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
    drop(second);
    let object = sign_in.place.get("cubecredential", "main").unwrap();
    assert!(object["metadata"]["annotations"][LOGIN].is_null());
}

#[test]
fn an_interrupted_sign_in_leaves_nothing_behind() {
    let sign_in = SignIn::new();
    for signal in ["INT", "TERM"] {
        let (cube, _) = sign_in.begin(&[]);
        let taken = || {
            let object = sign_in.place.get("cubecredential", "main").unwrap();
            (!object["metadata"]["annotations"][LOGIN].is_null()).then_some(())
        };
        eventually("the turn is taken", taken);
        cube.signal(signal);
        let (code, _, errors) = cube.end();
        let expected = if signal == "INT" { 130 } else { 143 };
        assert_eq!(code, Some(expected), "{errors}");
        assert_eq!(last_line(&errors), "kubectl cube: interrupted");
        let object = sign_in.place.get("cubecredential", "main").unwrap();
        assert!(object["metadata"]["annotations"][LOGIN].is_null());
        assert_eq!(sign_in.stored(), None);
    }
}

#[test]
fn an_interruption_after_the_sign_in_says_that_the_refresh_token_is_stored() {
    let sign_in = SignIn::new();
    let (cube, authorize) = sign_in.begin(&[]);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    cube.signal("INT");
    let (code, output, errors) = cube.end();
    assert_eq!((code, output.as_str()), (Some(130), ""), "{errors}");
    let note = "The refresh token is in Secret \"main-login\".\n";
    assert_eq!(errors.matches(note).count(), 1, "{errors}");
    assert_eq!(last_line(&errors), "kubectl cube: interrupted");
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
}

//! The rights of the person. A missing one is named before the sign-in.

use super::{SignIn, User};

#[test]
fn a_user_who_may_not_read_secrets_is_told_so() {
    let sign_in = SignIn::new();
    let viewer = User::with_role(&sign_in.place, "viewer", "view");
    let (code, output, errors) = viewer.start(&["login", "main"]).end();
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(
        errors.starts_with("kubectl cube: failed to get the metadata of Secret ")
            && errors.contains("cannot get resource \"secrets\""),
        "{errors}"
    );
}

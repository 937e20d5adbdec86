//! Objects that exist.

use serde_json::json;

use super::{Scene, last_line};
use crate::place::CLIENT_SECRET;

#[test]
fn an_existing_object_is_not_overwritten_and_nothing_else_is_written() {
    let scene = Scene::new();
    let (place, namespace) = (&scene.place, &scene.place.namespace);
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-client"}, "stringData": {"a": "b"},
    }));
    let (code, output, errors) = scene.create(&scene.flags(), &[], CLIENT_SECRET);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: Secret \"main-client\" exists in namespace {namespace}: use its client with --from-secret main-client, \
             replace it with --overwrite, or choose another name; nothing was created"
        )
    );
    assert!(place.get("cubecredential", "main").is_none());
    place.kubectl(&["delete", "secret", "main-client"]);
    place.apply(&place.credential("main"));
    let (code, output, errors) = scene.create(&scene.flags(), &[], CLIENT_SECRET);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: CubeCredential \"main\" exists in namespace {namespace}: change it with --overwrite, or choose another \
             name; nothing was created"
        )
    );
    assert!(place.get("secret", "main-client").is_none());
}

#[test]
fn fields_that_somebody_else_has_set_are_named_and_nothing_is_changed() {
    let scene = Scene::new();
    let place = &scene.place;
    let mut object = place.credential("main");
    object["spec"]["target"] = json!({"name": "elsewhere"});
    object["spec"]["suspend"] = json!(true);
    place.apply(&object);
    let (code, output, errors) = scene.create(&scene.flags(), &["--overwrite"], CLIENT_SECRET);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(
        last_line(&errors),
        "kubectl cube: CubeCredential \"main\" has other values, which this command does not set, in spec.suspend, spec.target: remove \
         them with `kubectl edit`, or choose another name; nothing was changed"
    );
    assert!(place.get("secret", "main-client").is_none());
}

#[test]
fn an_object_that_is_overwritten_has_a_token_of_the_new_client() {
    let scene = Scene::new();
    let place = &scene.place;
    let _operator = place.operator();
    place.ready_main();
    let before = place.token("main-token");
    let more = ["--overwrite"];
    let (code, _, errors) = scene.create(&scene.flags(), &more, CLIENT_SECRET);
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("Changed Secret \"main-client\" and CubeCredential \"main\""));
    assert_ne!(place.token("main-token"), before);
    assert_eq!(place.exchanges(), [200, 200]);

    // A live token is no proof that the next client works.
    let (code, output, errors) = scene.create(&scene.flags(), &more, "another-secret");
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(
        last_line(&errors).contains("401 invalid_client"),
        "{errors}"
    );
}

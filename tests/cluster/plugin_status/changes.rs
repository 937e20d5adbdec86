//! `refresh`, `suspend` and `resume`.

use cube_operator::api::ConditionType::Refreshed;
use serde_json::json;

use crate::place::{Place, is};

use super::person::{Person, without_client};

#[test]
fn refresh_waits_until_it_is_served_and_says_of_each_name_what_became_of_it() {
    let place = Place::new();
    let person = Person::with_edit(&place);
    let _operator = place.operator();
    place.ready_main();
    let exchanges = place.exchanges().len();
    let (code, output, errors) = person.cube(&["refresh", "main", "--wait"]);
    let refreshed =
        "CubeCredential \"main\" refreshed: the token in Secret \"main-token\" is valid until ";
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.starts_with(refreshed), "{output}");
    assert_eq!(place.exchanges().len(), exchanges + 1);

    // A request whose exchange the provider refuses ends with the reason, long before the time is over.
    let wrong = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "wrong", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"client-id": place.namespace, "client-secret": "another"},
    });
    place.apply(&wrong);
    let mut refused = place.credential("refused");
    refused["spec"]["clientSecretRef"]["name"] = json!("wrong");
    place.apply(&refused);
    place.wait_for("refused", "the provider refuses", |status| {
        is(status, Refreshed, "False", "InvalidClient")
    });
    let names = ["main", "refused", "nobody"];
    let (code, output, errors) =
        person.cube(&[&["refresh", "--wait", "--timeout", "50s"], &names[..]].concat());
    assert_eq!(code, Some(1));
    assert!(output.starts_with(refreshed), "{output}");
    for line in [
        "kubectl cube: CubeCredential \"refused\" was not refreshed: InvalidClient: ",
        "kubectl cube: CubeCredential \"nobody\" not found in namespace ",
    ] {
        assert!(errors.contains(line), "{errors}");
    }
}

#[test]
fn a_suspended_credential_is_not_refreshed_until_it_is_resumed() {
    let place = Place::new();
    let person = Person::with_edit(&place);
    let _operator = place.operator();
    place.ready_main();
    place.apply(&without_client(&place, "other"));
    let (code, output, errors) = person.cube(&["suspend", "--all"]);
    assert_eq!(code, Some(0), "{errors}");
    let lines: Vec<_> = output.lines().collect();
    assert!(
        lines[0].starts_with(
            "CubeCredential \"main\" suspended: the token in Secret \"main-token\" stays until "
        ),
        "{output}"
    );
    assert_eq!(
        lines[1],
        "CubeCredential \"other\" suspended: Secret \"other-token\" has no valid token"
    );
    let later = "so that comes after `kubectl cube resume main`";
    let (code, output, _) = person.cube(&["refresh", "main"]);
    assert!(code == Some(0) && output.contains(later), "{output}");
    let (code, _, errors) = person.cube(&["refresh", "main", "--wait"]);
    assert!(
        code == Some(1) && errors.contains("is suspended"),
        "{errors}"
    );

    let resumed = "CubeCredential \"main\" resumed\n";
    let ended = (Some(0), resumed.to_owned(), String::new());
    assert_eq!(person.cube(&["resume", "main"]), ended);
    // The request that was made meanwhile is served now.
    let spec = place.get("cubecredential", "main").unwrap()["spec"].clone();
    assert_eq!(spec["suspend"], false);
    place.wait_for("main", "the request is served", |status| {
        status.refresh_request.is_some()
    });
    let (code, output, _) = person.cube(&["refresh"]);
    assert!(code == Some(2) && output.is_empty());
}

//! A target that a finalizer holds while it should get another type.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::json;

use crate::place::{Place, is, told};

const TYPE: &str = "example.com/token";

/// The requests of the operator for the target, by their verbs.
fn requests_for_the_target(place: &Place) -> Vec<String> {
    let user = place.account();
    let requests = place.plane.requests_of(&user).into_iter();
    requests
        .filter(|(_, resource, name)| resource == "secrets" && name == "main-token")
        .map(|(verb, _, _)| verb)
        .collect()
}

#[test]
fn a_target_that_a_finalizer_holds_is_waited_for_and_not_written_again_and_again() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let finalizers = |finalizers: &[&str]| {
        let fields = json!({"metadata": {"finalizers": finalizers}});
        place.patch("secret", "main-token", &fields);
    };
    finalizers(&["example.com/hold"]);
    let spec = json!({"spec": {"target": {"type": TYPE}}});
    place.patch("cubecredential", "main", &spec);
    let status = place.wait_for("main", "the finalizer", |status| {
        is(status, Refreshed, "False", "TargetNotWritable")
    });
    let message = "Secret \"main-token\" is being deleted because spec.target.type changed, and waits for finalizer \
                   \"example.com/hold\": its owner must remove it, or change the type back";
    assert_eq!(
        told(&status)[1],
        format!("Refreshed=False TargetNotWritable: {message}")
    );
    assert!(is(&status, Ready, "True", "Synced"), "its token is valid");
    operator.wait_for_log(&json!(message).to_string());

    for value in ["a", "b", "c"] {
        place.after_reconcile(&operator, || {
            let label = format!("changed={value}");
            place.kubectl(&["label", "--overwrite", "cubecredential", "main", &label]);
        });
    }
    let requests = requests_for_the_target(&place);
    let count = |verb| requests.iter().filter(|found| *found == verb).count();
    assert_eq!((count("delete"), count("patch")), (1, 1), "{requests:?}");
    assert!(requests.len() < 30, "{requests:?}");

    finalizers(&[]);
    let status = place.wait_for("main", "its new Secret", |status| {
        is(status, Refreshed, "True", "TokenIssued")
    });
    assert!(is(&status, Ready, "True", "Synced"));
    assert_eq!(place.get("secret", "main-token").unwrap()["type"], TYPE);
}

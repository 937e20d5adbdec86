//! `version`.

use serde_json::{Value, json};

use crate::place::Place;

use super::person::Person;

/// A pod with the labels of the chart, as a node that runs it would report it.
pub(super) fn operator_pod(place: &Place, version: &str) {
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "cube-operator-0", "labels": {
            "app.kubernetes.io/name": "cube-operator", "app.kubernetes.io/version": version,
        }},
        "spec": {
            "automountServiceAccountToken": false,
            "containers": [{"name": "operator", "image": "example.com/operator"}],
        },
    }));
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    place.kubectl(&[
        "patch",
        "pod",
        "cube-operator-0",
        "--subresource=status",
        "--type=merge",
        "-p",
        &ready.to_string(),
    ]);
}

#[test]
fn version_compares_what_a_person_with_edit_may_see_and_says_what_it_cannot() {
    let place = Place::new();
    let person = Person::with_edit(&place);
    let (own, namespace) = (env!("CARGO_PKG_VERSION"), &place.namespace);
    let (code, unseen, errors) = person.cube(&["version"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(
        unseen,
        format!(
            "kubectl cube  {own}\noperator      not known\nCRD           v1alpha1\n\
             ! you may not list pods in all namespaces: ask for that right, or name the operator's namespace with \
             --operator-namespace\n- they fit as far as could be seen\n"
        )
    );
    operator_pod(&place, own);
    let fits = format!(
        "kubectl cube  {own}\noperator      {own} (pod {namespace}/cube-operator-0)\nCRD           v1alpha1\n✓ they fit\n"
    );
    // The namespace of the person is looked into besides.
    assert_eq!(person.cube(&["version"]), (Some(0), fits, String::new()));

    place.kubectl(&[
        "label",
        "pod",
        "cube-operator-0",
        "--overwrite",
        "app.kubernetes.io/version=9.0.0",
    ]);
    let (_, document, _) =
        person.cube(&["version", "-o", "json", "--operator-namespace", namespace]);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["fit"], false);
    assert_eq!(document["operator"]["version"], "9.0.0");
    assert_eq!(document["definition"]["missing"], json!([]));
    let (code, output, _) = person.cube(&["version", "--client"]);
    assert_eq!((code, output), (Some(0), format!("kubectl cube  {own}\n")));
}

//! Persons who lack a right.

use crate::place::Place;

use super::person::Person;

#[test]
fn who_lacks_a_right_is_told_its_verb_resource_and_namespace() {
    let place = Place::new();
    let namespace = &place.namespace;
    let nobody = Person::without_rights(&place, "nobody");
    let may_not = |what: &str| {
        format!(
            "kubectl cube: you may not {what} in namespace \"{namespace}\": ask for that right\n"
        )
    };
    for (arguments, right) in [
        (&["status"][..], "list cubecredentials"),
        (&["status", "--watch"], "list cubecredentials"),
        (&["status", "main"], "get cubecredentials"),
        (&["refresh", "main"], "patch cubecredentials"),
        (&["suspend", "--all"], "list cubecredentials"),
        (&["resume", "main"], "patch cubecredentials"),
    ] {
        let (code, output, errors) = nobody.cube(arguments);
        assert_eq!((code, output.as_str()), (Some(1), ""), "{arguments:?}");
        assert_eq!(errors, may_not(right), "{arguments:?}");
    }

    place.apply(&place.credential("main"));
    let viewer = Person::with_a_view(&place);
    let (code, tree, errors) = viewer.cube(&["status", "main"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    for (part, right) in [
        ("client: Secret \"client\" was not seen", "get secrets"),
        (
            "CA bundle: ConfigMap \"authority\" was not seen",
            "get configmaps",
        ),
        ("target: Secret \"main-token\" was not seen", "get secrets"),
        ("pods were not seen", "list pods"),
        ("not seen", "list events"),
    ] {
        let line = format!("{part}: you may not {right} in namespace \"{namespace}\"");
        assert!(tree.contains(&line), "{line}\n{tree}");
    }
}

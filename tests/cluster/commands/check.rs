//! `check` without a name: the rights that the chart's roles grant.

use serde_json::json;

use crate::{operator::eventually, place::Place};

use super::{rights, run};

/// The first lines of the output of an account that may not read the definition.
const SERVED: &str = "✓ the API server responds\n\
                      ✓ CubeCredential is served; this account may not read whether cubecredentials.cube-operator.dev is up to date\n";

#[test]
fn check_finds_all_that_the_charts_role_grants_and_names_each_verb_that_is_missing() {
    let place = Place::new();
    let inside = format!("in namespace {}", place.namespace);
    let check = || {
        run(
            &place.kubeconfig,
            &["check", "--namespaces", &place.namespace],
            &[],
        )
    };
    let all = rights(&inside) + "- no CubeCredential found\n";
    assert_eq!(check(), (Some(0), format!("{SERVED}{all}"), String::new()));
    // The flag is an environment variable too.
    let environment = [("CUBE_OPERATOR_NAMESPACES", place.namespace.as_str())];
    assert_eq!(run(&place.kubeconfig, &["check"], &environment), check());

    let granted = place.get("role", "cube-operator").unwrap()["rules"].clone();
    for (resource, verb, found, missing) in [
        (
            "secrets",
            "patch",
            "get, list, watch, create, patch, delete secrets",
            "patch secrets",
        ),
        (
            "cubecredentials/status",
            "patch",
            "patch cubecredentials/status",
            "patch cubecredentials/status",
        ),
        (
            "configmaps",
            "watch",
            "get, list, watch configmaps",
            "watch configmaps",
        ),
        ("pods", "list", "list pods", "list pods"),
    ] {
        let mut rules = granted.clone();
        for rule in rules.as_array_mut().unwrap() {
            // A rule needs a verb, so one that means nothing replaces it.
            if rule["resources"] == json!([resource]) {
                let verbs = rule["verbs"].as_array_mut().unwrap();
                *verbs.iter_mut().find(|granted| *granted == verb).unwrap() = json!("none");
            }
        }
        place.patch("role", "cube-operator", &json!({"rules": rules}));
        let lacking = all.replace(
            &format!("✓ may {found} {inside}"),
            &format!(
                "✗ may not {missing} {inside}: install the chart's roles, with this namespace in watchNamespaces if that is set"
            ),
        );
        let expected = (
            Some(1),
            format!("{SERVED}{lacking}"),
            "cube-operator: 1 of the checks above failed\n".to_owned(),
        );
        // The API server's own cache of roles follows a moment later.
        let mut ended = check();
        eventually("the role is in force", || {
            ended = check();
            (ended.0 == expected.0 && ended.1.contains(missing)).then_some(())
        });
        assert_eq!(ended, expected);
        place.patch("role", "cube-operator", &json!({"rules": granted}));
        eventually("the rights are back", || {
            (check().0 == Some(0)).then_some(())
        });
    }
}

#[test]
fn check_takes_the_flags_for_namespaces_that_kubectl_takes() {
    let place = Place::new();
    let namespace = place.namespace.as_str();
    let check = |flags: &[&str]| run(&place.kubeconfig, &[&["check"], flags].concat(), &[]);
    assert_eq!(
        check(&["-n", namespace]),
        check(&["--namespace", namespace])
    );
    // The account has rights in one namespace only.
    for all in ["-A", "--all-namespaces"] {
        let (code, output, _) = check(&[all, "--namespaces", namespace]);
        assert_eq!(code, Some(1));
        let missing = "✗ may not get, list, watch cubecredentials in all namespaces";
        assert!(output.contains(missing), "{output}");
    }
    for refused in [&["-A", "main"][..], &["-A", "-n", namespace]] {
        let (code, _, errors) = check(refused);
        assert_eq!(code, Some(2));
        assert!(errors.contains("--all-namespaces"), "{errors}");
    }
}

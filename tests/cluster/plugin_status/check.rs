//! `check`: in the operator's pod, and from here.

mod kubelet;

use crate::place::Place;

use super::{
    person::{Person, without_client},
    version::operator_pod,
};
use kubelet::ApiServer;

#[test]
fn check_runs_in_the_pod_of_the_operator_and_passes_on_its_lines_and_its_exit_code() {
    let place = Place::new();
    operator_pod(&place, "0.1.0");
    let person = Person::with_edit(&place);
    let api_server = ApiServer::before(&person.kubeconfig);
    let (code, output, errors) = super::run(&api_server.kubeconfig, &["check", "main"]);
    assert_eq!(output, "✓ first\n✗ second[2J\n", "{errors}");
    let namespace = &place.namespace;
    assert_eq!(
        errors,
        format!(
            "Checking in pod {namespace}/cube-operator-0.\ncube-operator: 1 of the checks above failed\n"
        )
    );
    assert_eq!(code, Some(3));
    assert_eq!(
        api_server.request(),
        format!(
            "/api/v1/namespaces/{namespace}/pods/cube-operator-0/exec?&stdout=true&stderr=true&container=operator&command=cube-operator&\
             command=check&command=--namespace&command={namespace}&command=main"
        )
    );
}

#[test]
fn check_says_which_right_is_missing_and_that_there_is_another_way() {
    let place = Place::new();
    let namespace = &place.namespace;
    operator_pod(&place, "0.1.0");
    let way_out = "; or check from this machine: `kubectl cube check main --local`\n";
    let nobody = Person::without_rights(&place, "nobody");
    let (code, _, errors) = nobody.cube(&["check", "main"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        errors,
        format!(
            "kubectl cube: you may not list pods in all namespaces: ask for that right, or name the operator's namespace with \
             --operator-namespace{way_out}"
        )
    );
    place.kubectl(&["create", "role", "pods", "--verb=list", "--resource=pods"]);
    let account = format!("--serviceaccount={namespace}:nobody");
    place.kubectl(&["create", "rolebinding", "pods", "--role=pods", &account]);
    let expected = format!(
        "kubectl cube: you may not create pods/exec in namespace \"{namespace}\": ask for that right{way_out}"
    );
    crate::operator::eventually("the role is in force", || {
        let (_, _, errors) = nobody.cube(&["check", "main", "--operator-namespace", namespace]);
        (errors == expected).then_some(())
    });
}

#[test]
fn a_local_check_has_the_rights_of_the_person_and_misses_none_of_the_operators() {
    let place = Place::new();
    let person = Person::with_edit(&place);
    let _operator = place.operator();
    place.ready_main();
    let (code, output, errors) = person.cube(&["check", "--local"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    for line in [
        "✓ the API server responds",
        "✓ Ready: token in Secret \"main-token\" is valid until",
        "✓ Secret \"client\" has the label, and well-formed \"client-id\" and \"client-secret\"",
    ] {
        assert!(output.contains(line), "{output}");
    }
    assert!(!output.contains("may not patch"), "{output}");
    place.apply(&without_client(&place, "broken"));
    let (code, output, errors) = person.cube(&["check", "broken", "--local"]);
    assert!(
        code == Some(1) && errors.ends_with("of the checks above failed\n"),
        "{errors}"
    );
    assert!(output.contains("✗ Secret \"absent\" not found"), "{output}");
}

//! The place that `check` runs in, and its arguments.

use crate::{commands::run, place::Place, scripted::CLOSED};

use super::{LOOPBACK, NETWORK, unseen};

#[test]
fn a_proxy_is_named_without_its_password() {
    let place = Place::new();
    place.apply(&place.source());
    place.apply(&place.credential("main"));
    let closed = format!("127.0.0.1:{CLOSED}");
    let proxy = format!("http://planted-user:planted-password@{closed}");
    let (_, output, _) = place.check_as(
        &place.kubeconfig,
        "main",
        &[LOOPBACK],
        &[("HTTPS_PROXY", &proxy)],
    );
    let looked_up =
        format!("- localhost is resolved by the proxy {closed}, which the environment names\n");
    let refused = format!(
        "✗ failed to connect to the proxy {closed}: connection refused: check HTTPS_PROXY, and network policies and firewalls \
         between here and the proxy\n"
    );
    assert!(output.contains(&(looked_up + &refused)), "{output}");
    assert!(!output.contains("planted"), "{output}");
    let around = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "localhost")];
    let (_, output, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &around);
    assert!(
        output.contains("responded 400 unsupported_grant_type"),
        "{output}"
    );
}

#[test]
fn it_says_once_where_it_looks_from_and_which_namespaces_are_watched() {
    let place = Place::new();
    place.apply(&place.credential("main"));
    let inside = [
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("CUBE_OPERATOR_NAMESPACES", "team-a,team-b"),
    ];
    let (_, output, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &inside);
    let namespace = &place.namespace;
    let start = format!(
        "- the network is checked from this pod, with the flags of its environment\n\nCubeCredential {namespace}/main\n\
         ✗ the operator watches other namespaces only (team-a, team-b): add {namespace} to watchNamespaces\n"
    );
    assert!(output.starts_with(&start), "{output}");
    assert_eq!(output.matches("is checked from").count(), 1);
}

#[test]
fn it_connects_to_no_host_that_an_author_chose_unless_it_is_told_to() {
    let place = Place::new();
    place.apply(&place.source());
    place.apply(&place.credential("main"));
    let arguments = ["check", "--namespace", &place.namespace, "main", LOOPBACK];
    let (_, output, _) = run(&place.kubeconfig, &arguments, &[]);
    assert!(
        output.starts_with(
            "- the network is not checked: this machine would connect to hosts that the authors of CubeCredentials chose; allow \
             it with --connect, or run this in the operator's pod with kubectl exec\n"
        ),
        "{output}"
    );
    for line in unseen(&NETWORK) {
        assert!(output.contains(&(line + "\n")), "{output}");
    }
    assert!(!output.contains("localhost has the address"), "{output}");
}

#[test]
fn an_unknown_name_and_a_wrong_argument_are_one_line() {
    let place = Place::new();
    let unknown = |has: &str| {
        let line = format!(
            "cube-operator: CubeCredential \"other\" not found in namespace {}: {has}\n",
            place.namespace
        );
        (Some(1), String::new(), line)
    };
    let none = unknown("it has none, so name another namespace with --namespace");
    assert_eq!(place.check("other", &[]), none);
    // The default is the namespace of the kubeconfig, as with kubectl.
    assert_eq!(run(&place.kubeconfig, &["check", "other"], &[]), none);
    for name in ["main", "another"] {
        place.apply(&place.credential(name));
    }
    assert_eq!(place.check("other", &[]), unknown("it has another, main"));
    for (arguments, line) in [
        (&["check", "a", "b"][..], "unexpected argument 'b' found"),
        (
            &["check", "--namespace", "A"],
            "invalid value 'A' for '--namespace <NAMESPACE>': a namespace has 1 to 63 lower-case letters, digits and '-'",
        ),
    ] {
        let expected = (Some(2), String::new(), format!("cube-operator: {line}\n"));
        assert_eq!(run(&place.kubeconfig, arguments, &[]), expected);
    }
}

//! The output for a person who lacks a right.

use std::path::Path;

use serde_json::{Value, json};

use crate::{environment::directory, operator::eventually, place::Place};

use super::{FROM_HERE, LOOPBACK, NETWORK, authority_of, unseen};

#[test]
fn who_lacks_a_right_is_told_which_and_hears_no_false_alarm() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let viewer = viewer(&place);
    let (code, output, errors) = place.check_as(&viewer, "main", &[LOOPBACK], &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    let user = format!("system:serviceaccount:{}:viewer", place.namespace);
    let forbidden = |verb: &str, object: &str, named: &str, resource: &str, right: &str| {
        let namespace = &place.namespace;
        format!(
            "- failed to {verb} {object}: {named} is forbidden: User \"{user}\" cannot {right} resource \"{resource}\" in API group \"\" \
             in the namespace \"{namespace}\" (403 Forbidden): ask for that right, or run this in the operator's pod"
        )
    };
    let secret = |name: &str| {
        let object = format!("Secret {}/{name}", place.namespace);
        forbidden(
            "get the metadata of",
            &object,
            &format!("secrets \"{name}\""),
            "secrets",
            "get",
        )
    };
    let bundle = format!("ConfigMap {}/authority", place.namespace);
    let pods = format!("pods of namespace {}", place.namespace);
    let host = authority_of(&place.server.token_url);
    let found: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with(['✗', '!', '-']))
        .collect();
    let expected = [
        vec![
            FROM_HERE.to_owned(),
            secret("client"),
            forbidden(
                "get",
                &bundle,
                "configmaps \"authority\"",
                "configmaps",
                "get",
            ),
            format!("- unknown whether the owner of Secret \"client\" allows {host}"),
        ],
        unseen(&NETWORK),
        vec![
            secret("main-token"),
            forbidden("list", &pods, "pods", "pods", "list"),
        ],
    ];
    assert_eq!(found, expected.concat());
}

/// The kubeconfig of a person who may only see `CubeCredentials`.
fn viewer(place: &Place) -> String {
    place.kubectl(&["create", "serviceaccount", "viewer"]);
    let rights = [
        "--verb=get,list",
        "--resource=cubecredentials.cube-operator.dev",
    ];
    place.kubectl(&[&["create", "role", "viewer"], &rights[..]].concat());
    let subject = format!("--serviceaccount={}:viewer", place.namespace);
    place.kubectl(&["create", "rolebinding", "viewer", "--role=viewer", &subject]);
    let token = place.kubectl(&["create", "token", "viewer"]);
    let mut config: Value =
        serde_json::from_str(&std::fs::read_to_string(&place.kubeconfig).unwrap()).unwrap();
    config["users"][0]["user"]["token"] = json!(token.trim());
    let path = directory("viewer").join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    let path = Path::new(&path).to_str().unwrap().to_owned();
    eventually("the role is in force", || {
        (!place.check_as(&path, "main", &[], &[]).1.is_empty()).then_some(())
    });
    path
}

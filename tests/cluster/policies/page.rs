//! The roles that docs/access.md shows.

use std::fs;

use serde_json::json;

use crate::{
    environment::{ROOT, directory},
    place::manifest,
};

use super::{Users, authors, credential};

#[test]
fn the_roles_of_the_page_give_the_rights_that_it_says() {
    let users = Users::new();
    let namespace = &users.place.namespace;
    let page = fs::read_to_string(format!("{ROOT}/docs/access.md")).unwrap();
    let examples = page.split("```yaml\n").skip(1);
    let examples = examples.map(|rest| rest.split_once("```").unwrap().0);
    let roles: Vec<_> = examples
        .filter(|example| example.contains("rbac.authorization.k8s.io"))
        .collect();
    assert_eq!(roles.len(), 3, "{roles:?}");
    let file = directory("page").join("roles.yaml");
    let objects = roles
        .join("---\n")
        .replace("namespace: treasury", &format!("namespace: {namespace}"))
        .replace(".cube-system.refresh", &format!(".{namespace}.refresh"));
    fs::write(&file, objects).unwrap();
    users
        .place
        .kubectl(&["apply", "-f", file.to_str().unwrap()]);

    users.apply_binding(namespace, "narrow-author", "Role", "cubewire-author");
    let mut object = credential("cubewire");
    object["spec"]["clientSecretRef"] = json!({"name": "cubewire-client"});
    let own = manifest(&object);
    users.may("narrow-author", &["apply", "-f", &own]);
    let other = manifest(&credential("other"));
    let refusal = authors::refusal("narrow-author", authors::CLIENT.told);
    let create = ["create", "-f", &other];
    users.may_not("narrow-author", &create, "authors", &refusal);
    users.may("owner", &create);

    let request = |name: &'static str| {
        let annotation = "cube-operator.dev/refresh-requested-at=now";
        [
            "annotate",
            "cubecredential",
            name,
            "--overwrite",
            annotation,
        ]
    };
    let reader = format!("system:serviceaccount:{namespace}:reader");
    users.may(&reader, &request("cubewire"));
    users.may(&reader, &request("other"));
    users.apply_binding(namespace, "of-cubewire", "Role", "refresh-cubewire");
    users.may("of-cubewire", &request("cubewire"));
    users.has_no_right("of-cubewire", &request("other"));
    let patch = r#"{"spec": {"suspend": true}}"#;
    let suspend = [
        "patch",
        "cubecredential",
        "cubewire",
        "--type=merge",
        "-p",
        patch,
    ];
    users.may("narrow-author", &suspend);
}

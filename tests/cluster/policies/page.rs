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
    let mut rules = examples.clone();
    let rule = rules.find(|example| example.contains("[serviceaccounts/token]"));
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

    may_name_the_account_of_the_rule(&users, rule.unwrap());

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

/// The rule that a role for an author needs besides, with tokens of a `ServiceAccount`.
fn may_name_the_account_of_the_rule(users: &Users, rule: &str) {
    let mut object = credential("exchange");
    object["spec"] = json!({
        "provider": "Custom", "tokenURL": "https://login.example.com/token", "grant": "TokenExchange",
        "clientSecretRef": {"name": "cubewire-client"},
        "tokenExchange": {"subjectServiceAccount": {"name": "billing", "audience": "https://login.example.com"}},
    });
    let file = manifest(&object);
    let create = ["create", "--dry-run=server", "-f", &file];
    let account = "\"billing\" (spec.tokenExchange.subjectServiceAccount)";
    let refusal = authors::no_tokens("narrow-author", account);
    users.may_not("narrow-author", &create, "authors", &refusal);
    let role = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: of-tokens, namespace: {}}}\nrules:\n{rule}",
        users.place.namespace
    );
    let path = directory("page-rule").join("role.yaml");
    fs::write(&path, role).unwrap();
    users
        .place
        .kubectl(&["apply", "-f", path.to_str().unwrap()]);
    let namespace = &users.place.namespace;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "of-tokens", "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "of-tokens"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "narrow-author"}],
    });
    users.place.apply(&binding);
    users.may("narrow-author", &create);
}

//! Persons, each a ServiceAccount with a kubeconfig.

use std::fs;

use serde_json::{Value, json};

use crate::{
    commands::Ended,
    environment::directory,
    operator::eventually,
    place::{Place, install, manifest},
};

use super::run;

/// A person with a kubeconfig.
pub(crate) struct Person {
    pub(crate) kubeconfig: String,
    /// By the API server's name for it.
    pub(crate) user: String,
}

impl Person {
    /// A person who has the role `edit` in the namespace, with what the chart adds to it, and nothing else.
    pub(crate) fn with_edit(place: &Place) -> Self {
        let namespace = &place.namespace;
        let values = format!(
            "watchNamespaces={{{namespace}}},crds.install=false,policies.refresh.enabled=false"
        );
        install(place.plane, namespace, &values);
        let person = Self::without_rights(place, "editor");
        person.bind(place, "editor", "ClusterRole", "edit");
        person.until_allowed(place, &["patch", "cubecredentials.cube-operator.dev"]);
        person
    }

    /// A person who may only see `CubeCredentials`.
    pub(crate) fn with_a_view(place: &Place) -> Self {
        let person = Self::without_rights(place, "viewer");
        place.apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "viewer"},
            "rules": [{"apiGroups": ["cube-operator.dev"], "resources": ["cubecredentials"], "verbs": ["get", "list"]}],
        }));
        person.bind(place, "viewer", "Role", "viewer");
        person.until_allowed(place, &["list", "cubecredentials.cube-operator.dev"]);
        person
    }

    /// A person who may do nothing.
    pub(crate) fn without_rights(place: &Place, name: &str) -> Self {
        place.kubectl(&["create", "serviceaccount", name]);
        let token = place.kubectl(&["create", "token", name, "--duration", "1h"]);
        let config = fs::read_to_string(&place.kubeconfig).unwrap();
        let mut config: Value = serde_json::from_str(&config).unwrap();
        config["users"][0]["user"]["token"] = json!(token.trim());
        let path = directory(name).join("config");
        fs::write(&path, config.to_string()).unwrap();
        Self {
            kubeconfig: path.to_str().unwrap().to_owned(),
            user: format!("system:serviceaccount:{}:{name}", place.namespace),
        }
    }

    fn bind(&self, place: &Place, name: &str, kind: &str, role: &str) {
        let group = "rbac.authorization.k8s.io";
        let binding = json!({
            "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": kind, "name": role},
            "subjects": [{"kind": "User", "apiGroup": group, "name": self.user}],
        });
        place.kubectl(&["apply", "-f", &manifest(&binding)]);
    }

    /// Roles are aggregated, and count, a moment after they were written.
    fn until_allowed(&self, place: &Place, right: &[&str]) {
        let asked = [&["auth", "can-i", "--as", &self.user], right].concat();
        eventually("the role is in force", || {
            place.kubectl_works(&asked).then_some(())
        });
    }

    /// Runs `kubectl cube`.
    pub(crate) fn cube(&self, arguments: &[&str]) -> Ended {
        run(&self.kubeconfig, arguments)
    }
}

/// A `CubeCredential` whose client Secret does not exist.
pub(crate) fn without_client(place: &Place, name: &str) -> Value {
    let mut object = place.credential(name);
    object["spec"]["clientSecretRef"]["name"] = json!("absent");
    object
}

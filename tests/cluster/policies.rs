//! The chart's admission policies, tried by four users: the author may write `CubeCredentials` and read no Secret, the owner has
//! `edit`, the neighbour has `edit` in another namespace, and the consumer may ask for a refresh.

mod authors;
mod consumers;
mod page;
mod providers;
mod refresh;
mod service_account;

use serde_json::{Value, json};

use crate::{
    operator::eventually,
    place::{Place, install, manifest},
};

/// The users, bound to a role each, and all policies in force.
struct Users {
    place: Place,
    /// The namespace of the neighbour, which is watched too.
    next: String,
}

impl Users {
    fn new() -> Self {
        Self::with("replicas=1")
    }

    /// The chart with further values.
    fn with(values: &str) -> Self {
        let place = Place::new();
        let next = format!("{}-next", place.namespace);
        let users = Self { place, next };
        users
            .place
            .plane
            .kubectl(&["create", "namespace", &users.next]);
        users.install_policies(values);
        let all = json!(["*"]);
        users.grant("author", &json!([rule("cubecredentials", &all, None)]));
        users.bind(&users.place.namespace, "owner", "edit");
        users.bind(&users.next, "neighbour", "edit");
        let refresh = format!("cube-operator.{}.refresh", users.place.namespace);
        users.bind(&users.place.namespace, "consumer", &refresh);
        users
    }

    /// The chart as it is by default, but for two namespaces.
    fn install_policies(&self, values: &str) {
        let (here, next) = (&self.place.namespace, &self.next);
        let values = format!("watchNamespaces={{{here},{next}}},crds.install=false,{values}");
        install(self.place.plane, here, &values);
    }

    /// Gives a user these rights in the namespace.
    fn grant(&self, user: &str, rules: &Value) {
        self.place.apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": user}, "rules": rules,
        }));
        self.apply_binding(&self.place.namespace, user, "Role", user);
    }

    fn bind(&self, namespace: &str, user: &str, cluster_role: &str) {
        self.apply_binding(namespace, user, "ClusterRole", cluster_role);
    }

    fn apply_binding(&self, namespace: &str, user: &str, kind: &str, role: &str) {
        let group = "rbac.authorization.k8s.io";
        let binding = json!({
            "apiVersion": format!("{group}/v1"), "kind": "RoleBinding",
            "metadata": {"name": user, "namespace": namespace},
            "roleRef": {"apiGroup": group, "kind": kind, "name": role},
            "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
        });
        let file = manifest(&binding);
        self.place.plane.kubectl(&["apply", "-f", &file]);
    }

    /// kubectl as this user, which has to work; roles and policies count a moment after they were written.
    fn may(&self, user: &str, arguments: &[&str]) {
        let all = [&["--as", user], arguments].concat();
        eventually(&format!("{user} may {arguments:?}"), || {
            self.place.kubectl_works(&all).then_some(())
        });
    }

    /// kubectl as this user, which this policy has to refuse in these words. One that comes before the policy counts must change
    /// nothing: the next one would change nothing either, and be let pass.
    fn may_not(&self, user: &str, arguments: &[&str], policy: &str, message: &str) {
        let name = format!("cube-operator.{}.{policy}", self.place.namespace);
        let expected = format!(
            "ValidatingAdmissionPolicy '{name}' with binding '{name}' denied request: {message}\n"
        );
        // A token is never stored, and kubectl knows no dry run of one.
        let dry_run: &[_] = match arguments {
            ["create", "token", ..] => &[],
            _ => &["--dry-run=server"],
        };
        let all = [&["--as", user], arguments, dry_run].concat();
        let mut last = String::new();
        let refused = || {
            if self.place.kubectl_works(&all) {
                "it worked".clone_into(&mut last);
                return None;
            }
            last = self.place.kubectl_error(&all);
            last.ends_with(&expected).then_some(())
        };
        let refused = std::panic::AssertUnwindSafe(|| eventually("it is refused", refused));
        std::panic::catch_unwind(refused)
            .unwrap_or_else(|_| panic!("{user} {arguments:?}, expected {expected}, but: {last}"));
    }

    /// kubectl as this user, to whom RBAC gives no right to it.
    fn has_no_right(&self, user: &str, arguments: &[&str]) {
        let error = self
            .place
            .kubectl_error(&[&["--as", user], arguments].concat());
        let expected = format!("User \"{user}\" cannot ");
        assert!(error.contains(&expected), "{error}");
    }
}

/// A rule of a role.
fn rule(resource: &str, verbs: &Value, names: Option<&[&str]>) -> Value {
    let group = if ["cubecredentials", "cubeproviders"].contains(&resource) {
        "cube-operator.dev"
    } else {
        ""
    };
    let mut rule = json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    if let Some(names) = names {
        rule["resourceNames"] = json!(names);
    }
    rule
}

/// A `CubeCredential` that no operator has looked at.
fn credential(name: &str) -> Value {
    json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name, "annotations": {"theirs": "kept"}},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}},
    })
}

//! Policies that deny writes, and an older definition of the kind.

use serde_json::{Value, json};

use crate::{operator::eventually, place::manifest};

use super::Setup;

impl Setup {
    /// Makes the definition of the kind accept what one from before these fields were checked has accepted.
    pub(super) fn accept_unchecked_fields(&self) {
        let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        let fields = [
            "refreshBefore",
            "parameters",
            "tokenURL",
            "target",
            "target/properties/type",
        ];
        let remove = |field| json!({"op": "remove", "path": format!("{spec}/{field}/x-kubernetes-validations")});
        let patch = json!(fields.map(remove)).to_string();
        self.place.kubectl(&[
            "patch",
            "crd",
            "cubecredentials.cube-operator.dev",
            "--type=json",
            "-p",
            &patch,
        ]);
        let mut object = self.place.credential("probe");
        object["spec"]["refreshBefore"] = json!("soon");
        eventually("it is accepted", || self.would_apply(&object).then_some(()));
    }

    /// Adds a policy that denies some writes of these Secrets.
    pub(super) fn deny(
        &self,
        name: &str,
        operation: &str,
        message: &str,
        secrets: &str,
        expression: &str,
    ) {
        let (kind, version) = (
            "ValidatingAdmissionPolicy",
            "admissionregistration.k8s.io/v1",
        );
        self.place.apply(&json!({
            "apiVersion": version, "kind": kind, "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": [operation], "resources": ["secrets"],
                }]},
                "matchConditions": [{"name": "these", "expression": format!("object.metadata.name in [{secrets}]")}],
                "validations": [{"expression": expression, "message": message}],
            },
        }));
        self.place.apply(&json!({
            "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        }));
    }

    /// Removes a policy.
    pub(in crate::failures) fn allow(&self, name: &str) {
        self.place
            .kubectl(&["delete", "validatingadmissionpolicybinding", name]);
    }

    /// Waits until the policies are in force, or no longer.
    pub(in crate::failures) fn wait_for_policy(&self, in_force: bool) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "row-refused-target-token"}});
        eventually("the policy", || {
            (self.would_apply(&secret) != in_force).then_some(())
        });
    }

    fn would_apply(&self, object: &Value) -> bool {
        let file = manifest(object);
        self.place
            .kubectl_works(&["apply", "--server-side", "--dry-run=server", "-f", &file])
    }
}

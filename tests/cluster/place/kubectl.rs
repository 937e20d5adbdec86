//! kubectl in the namespace of a test.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};

use crate::{environment::directory, operator::eventually};

use super::{Place, Right};

impl Place {
    /// Runs kubectl in this namespace and returns what it printed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.plane
            .kubectl(&[&["--namespace", &self.namespace], arguments].concat())
    }

    /// Runs kubectl, which has to fail, and returns the error.
    pub(crate) fn kubectl_error(&self, arguments: &[&str]) -> String {
        let output = self.kubectl_output(arguments);
        assert!(
            !output.status.success(),
            "{arguments:?} was expected to fail"
        );
        String::from_utf8(output.stderr).unwrap()
    }

    /// Whether kubectl does this without an error.
    pub(crate) fn kubectl_works(&self, arguments: &[&str]) -> bool {
        self.kubectl_output(arguments).status.success()
    }

    fn kubectl_output(&self, arguments: &[&str]) -> Output {
        let mut command = self.plane.as_administrator();
        command.args(["--namespace", &self.namespace]);
        command.args(arguments).output().unwrap()
    }

    /// Applies an object.
    pub(crate) fn apply(&self, object: &Value) {
        let file = manifest(object);
        self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file]);
    }

    /// Applies an object that the API server is expected to refuse; returns its message.
    pub(crate) fn apply_error(&self, object: &Value) -> String {
        self.kubectl_error(&["apply", "--server-side", "-f", &manifest(object)])
    }

    /// An object as JSON, if it exists.
    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let text = self.kubectl(&["get", kind, name, "--ignore-not-found", "-o", "json"]);
        (!text.is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }

    /// Merges these fields into an object.
    pub(crate) fn patch(&self, kind: &str, name: &str, fields: &Value) {
        self.kubectl(&[
            "patch",
            kind,
            name,
            "--type=merge",
            "-p",
            &fields.to_string(),
        ]);
    }

    /// The text under a key of a Secret.
    pub(crate) fn value(&self, name: &str, key: &str) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let secret = self
            .get("secret", name)
            .unwrap_or_else(|| panic!("Secret {name} exists"));
        String::from_utf8(
            STANDARD
                .decode(secret["data"][key].as_str().unwrap())
                .unwrap(),
        )
        .unwrap()
    }

    /// The access token in a target.
    pub(crate) fn token(&self, target: &str) -> String {
        self.value(target, "access-token")
    }

    /// Takes a right from the operator, and returns the binding that gives it back when it is applied.
    pub(crate) fn revoke(&self, (role, verb, resource): Right) -> Value {
        let mut binding = self.get("rolebinding", role).unwrap();
        binding["metadata"] = json!({"name": role});
        self.kubectl(&["delete", "rolebinding", role]);
        let account = self.account();
        // The API server follows a moment later.
        eventually("the right is gone", || {
            let asked = ["auth", "can-i", verb, resource, "--as", &account];
            (!self.kubectl_works(&asked)).then_some(())
        });
        binding
    }
}

/// A file with this object, for kubectl.
pub(crate) fn manifest(object: &Value) -> String {
    let path = directory("manifest").join("object.json");
    fs::write(&path, object.to_string()).unwrap();
    Path::new(&path).to_str().unwrap().to_owned()
}

//! The owner of a target: a foreign Secret is never written, read or deleted, and no two `CubeCredentials` share one.

mod foreign;
mod predecessor;
mod rivals;

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::place::{Place, is};

/// A Secret by this name that has nothing to do with us.
fn foreign(name: &str, metadata: &Value) -> Value {
    let mut secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": name}, "stringData": {"access-token": "theirs", "password": "theirs too"},
    });
    for (field, value) in metadata.as_object().unwrap() {
        secret["metadata"][field] = value.clone();
    }
    secret
}

impl Place {
    /// Sets a label that means nothing, so that the `CubeCredential` is reconciled.
    fn touch(&self, name: &str) {
        self.patch(
            "cubecredential",
            name,
            &json!({"metadata": {"labels": {"touched": name}}}),
        );
    }

    fn wait_for_conflict(&self, name: &str) {
        self.wait_for_trouble(name, "TargetConflict");
    }

    fn wait_for_trouble(&self, name: &str, reason: &str) {
        self.wait_for(name, reason, |status| is(status, Ready, "False", reason));
    }

    fn wait_until_ready(&self, name: &str) {
        self.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    }

    fn uid(&self, kind: &str, name: &str) -> String {
        let object = self
            .get(kind, name)
            .unwrap_or_else(|| panic!("{kind} {name} exists"));
        object["metadata"]["uid"].as_str().unwrap().to_owned()
    }

    fn kinds_given(&self, secret: &str) -> Vec<String> {
        let user = self.account();
        self.plane
            .kinds_of_secret_given_to(&user, &self.namespace, secret)
    }
}

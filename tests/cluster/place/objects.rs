//! The objects of a test: its client's Secret, its `CubeCredentials`, and CA bundles.

use cube_operator::api::{ConditionType, CubeCredentialStatus};
use serde_json::{Value, json};

use crate::{operator::eventually, scripted::Authority};

use super::{CLIENT_SECRET, Place, is};

impl Place {
    /// A labelled source Secret with this test's client.
    pub(crate) fn source(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "client", "labels": {"cube-operator.dev/credential": "true"}},
            "stringData": {"client-id": self.namespace, "client-secret": CLIENT_SECRET},
        })
    }

    /// A `CubeCredential` with this name for this test's client.
    pub(crate) fn credential(&self, name: &str) -> Value {
        json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
            "metadata": {"name": name},
            "spec": {
                "provider": "Custom",
                "tokenURL": self.server.token_url,
                "clientSecretRef": {"name": "client"},
                "caBundleRef": {"name": "authority"},
            },
        })
    }

    /// A `CubeCredential` for a token endpoint whose authority is in this `ConfigMap`.
    pub(crate) fn credential_at(&self, name: &str, token_url: &str, ca_bundle: &str) -> Value {
        let mut object = self.credential(name);
        object["spec"]["tokenURL"] = json!(token_url);
        object["spec"]["caBundleRef"] = json!({"name": ca_bundle});
        object
    }

    /// Applies a `ConfigMap` by which this authority is trusted.
    pub(crate) fn trust(&self, name: &str, authority: &Authority) {
        self.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name}, "data": {"ca.crt": authority.pem()},
        }));
    }

    /// Applies source and `CubeCredential` `main`, and waits until it is ready.
    pub(crate) fn ready_main(&self) -> CubeCredentialStatus {
        self.apply(&self.source());
        self.apply(&self.credential("main"));
        self.wait_for("main", "Ready is True", |status| {
            is(status, ConditionType::Ready, "True", "Synced")
        })
    }

    /// Asks for an exchange of `main` by hand.
    pub(crate) fn request(&self, value: &str) {
        self.request_of("main", value);
    }

    /// Takes the label off the target of `main`, and waits until it is back.
    pub(crate) fn unlabel_target_until_repaired(&self) {
        self.kubectl(&[
            "label",
            "secret",
            "main-token",
            "cube-operator.dev/managed-",
        ]);
        eventually("it is repaired", || {
            let secret = self.get("secret", "main-token")?;
            (secret["metadata"]["labels"]["cube-operator.dev/managed"] == "true").then_some(())
        });
    }

    /// Patches the status of an object, as its controller would.
    pub(crate) fn patch_status(&self, kind: &str, name: &str, status: &Value) {
        let patch = json!({"status": status}).to_string();
        self.kubectl(&[
            "patch",
            kind,
            name,
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ]);
    }

    /// Asks for an exchange by hand.
    pub(crate) fn request_of(&self, name: &str, value: &str) {
        let annotation = format!("cube-operator.dev/refresh-requested-at={value}");
        self.kubectl(&[
            "annotate",
            "cubecredential",
            name,
            "--overwrite",
            &annotation,
        ]);
    }

    /// Removes the status of a `CubeCredential`.
    pub(crate) fn wipe_status(&self, name: &str) {
        let wipe = r#"[{"op": "remove", "path": "/status"}]"#;
        self.kubectl(&[
            "patch",
            "cubecredential",
            name,
            "--subresource=status",
            "--type=json",
            "-p",
            wipe,
        ]);
    }
}

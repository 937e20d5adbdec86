//! The objects of a row, and the faults that they can have.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::scripted::Certificate;

/// The objects of one row.
pub(super) struct Objects {
    pub(super) client: Option<Value>,
    pub(super) login: Option<Value>,
    pub(super) credential: Value,
    pub(super) others: Vec<Value>,
}

impl Objects {
    pub(super) fn all(self) -> Vec<Value> {
        let before = self.client.into_iter().chain(self.login).chain(self.others);
        before.chain([self.credential]).collect()
    }

    /// Sets the token endpoint.
    pub(super) fn at(&mut self, url: &str) {
        self.credential["spec"]["tokenURL"] = json!(url);
    }

    /// Adds a CA bundle that only this row uses.
    pub(super) fn trusting(&mut self, name: &str, key: &str, pem: &str) {
        self.credential["spec"]["caBundleRef"] = json!({"name": name});
        self.others = vec![json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {key: pem},
        })];
    }

    /// Names a provider object in place of the token endpoint.
    pub(super) fn provided_by(&mut self, kind: &str, name: &str) {
        let spec = self.credential["spec"].as_object_mut().unwrap();
        for field in ["provider", "tokenURL", "caBundleRef"] {
            spec.remove(field);
        }
        spec.insert("providerRef".into(), json!({"kind": kind, "name": name}));
    }

    /// Adds a provider object.
    pub(super) fn define(&mut self, kind: &str, name: &str, spec: &Value) {
        self.others = vec![json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        })];
    }

    pub(super) fn put_client(&mut self, key: &str, value: Option<&[u8]>) {
        put(self.client.as_mut(), key, value);
    }

    /// The client signs with this private key in place of its secret.
    pub(super) fn sign_with(&mut self, key: &[u8]) {
        self.credential["spec"]["clientAuthentication"] = json!("PrivateKeyJWT");
        self.put_client("private-key", Some(key));
    }

    /// The client exchanges assertions that this private key signs.
    pub(super) fn exchange_assertions_of(&mut self, key: &[u8]) {
        self.credential["spec"]["grant"] = json!("JWTBearer");
        self.put_client("private-key", Some(key));
    }

    /// The client presents this certificate in place of its secret.
    pub(super) fn present(&mut self, certificate: &Certificate) {
        self.credential["spec"]["clientAuthentication"] = json!("MutualTLS");
        self.put_client("tls.crt", Some(certificate.pem().as_bytes()));
        self.put_client("tls.key", Some(certificate.key_pem().as_bytes()));
    }

    pub(super) fn put_login(&mut self, value: Option<&[u8]>) {
        put(self.login.as_mut(), "refresh-token", value);
    }

    /// The client authenticates with a token of this ServiceAccount in place of a secret.
    pub(super) fn use_account(&mut self, name: &str, audience: &str) {
        let spec = self.credential["spec"].as_object_mut().unwrap();
        spec.remove("clientSecretRef");
        spec.insert("clientAuthentication".into(), json!("ServiceAccountToken"));
        let assertion = json!({"audience": audience, "serviceAccountName": name});
        spec.insert("clientAssertion".into(), assertion);
    }

    /// Adds a ServiceAccount with these labels, whose owner allows the hosts of the client's Secret and its CA bundle.
    pub(super) fn add_account(&mut self, name: &str, labels: &Value) {
        let annotations = &self.client.as_ref().unwrap()["metadata"]["annotations"];
        self.others.push(json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
        }));
    }

    /// The client exchanges the subject token of this Secret.
    pub(super) fn exchange_token_of(&mut self, name: &str) {
        let spec = self.credential["spec"].as_object_mut().unwrap();
        spec.insert("grant".into(), json!("TokenExchange"));
        let exchange = json!({"subjectTokenRef": {"name": name}, "audience": ["orders"]});
        spec.insert("tokenExchange".into(), exchange);
    }

    /// The client exchanges a token of this ServiceAccount.
    pub(super) fn exchange_token_of_account(&mut self, name: &str, audience: &str) {
        let spec = self.credential["spec"].as_object_mut().unwrap();
        spec.insert("grant".into(), json!("TokenExchange"));
        let account = json!({"name": name, "audience": audience});
        let exchange = json!({"subjectServiceAccount": account, "audience": ["orders"]});
        spec.insert("tokenExchange".into(), exchange);
    }

    /// Adds a Secret with a subject token and these labels, whose owner allows the hosts of the client's Secret and its CA bundle.
    pub(super) fn add_subject(&mut self, name: &str, labels: &Value, token: &str) {
        let annotations = &self.client.as_ref().unwrap()["metadata"]["annotations"];
        self.others.push(json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": {"token": token},
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
        }));
    }

    pub(super) fn label_client(&mut self, value: &str) {
        self.client.as_mut().unwrap()["metadata"]["labels"] =
            json!({"cube-operator.dev/credential": value});
    }

    pub(super) fn unlabel_login(&mut self) {
        self.login.as_mut().unwrap()["metadata"]["labels"] = json!({});
    }

    pub(super) fn allow_client_hosts(&mut self, hosts: &str) {
        self.client.as_mut().unwrap()["metadata"]["annotations"]["cube-operator.dev/token-hosts"] =
            json!(hosts);
    }

    /// The owner of the client's Secret has not written this annotation.
    pub(super) fn forget_on_client(&mut self, annotation: &str) {
        forget(self.client.as_mut(), annotation);
    }

    /// The owner of the initial refresh token has not written this annotation.
    pub(super) fn forget_on_login(&mut self, annotation: &str) {
        forget(self.login.as_mut(), annotation);
    }

    pub(super) fn allow_login_hosts(&mut self, hosts: &str) {
        self.login.as_mut().unwrap()["metadata"]["annotations"]["cube-operator.dev/token-hosts"] =
            json!(hosts);
    }

    /// Another `CubeCredential` of this row, with this target.
    pub(super) fn sibling(&self, name: &str, target: &str) -> Value {
        let mut object = self.credential.clone();
        object["metadata"]["name"] = json!(name);
        object["spec"]["target"] = json!({"name": target});
        object
    }
}

fn forget(secret: Option<&mut Value>, annotation: &str) {
    let secret = secret.expect("it is there");
    let annotations = secret["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.remove(annotation).expect("it was there");
}

fn put(secret: Option<&mut Value>, key: &str, value: Option<&[u8]>) {
    let data = secret.expect("it is there")["data"]
        .as_object_mut()
        .unwrap();
    data.remove(key);
    data.extend(value.map(|value| (key.to_owned(), json!(STANDARD.encode(value)))));
}

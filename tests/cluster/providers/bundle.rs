//! The CA certificates of provider objects: in a ConfigMap of the operator's namespace, and with or without the system's.

mod operator;
mod several;

use std::fs;

use super::*;
use crate::environment::directory;

/// Two servers with a CA each, and a `ClusterCubeProvider` that names ConfigMap `roots`.
struct Scene {
    place: Place,
    first: Issuer,
    second: Issuer,
    name: String,
    /// The namespace that the operator takes for its own.
    system: String,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let system = place.namespace.clone();
        Self::at(place, system)
    }

    fn at(place: Place, system: String) -> Self {
        let name = format!("{}-corp", place.namespace);
        let scene = Self {
            first: Issuer::start(),
            second: Issuer::start(),
            place,
            name,
            system,
        };
        scene.define(&json!({}));
        scene.place.apply(&scene.place.source());
        let credential = scene
            .place
            .named("main", "ClusterCubeProvider", &scene.name);
        scene.place.apply(&credential);
        scene
    }

    /// The provider with these fields besides its own.
    fn define(&self, fields: &Value) {
        let mut spec = json!({
            "namespaces": [self.place.namespace], "tokenURL": self.first.server.url("/token"), "caBundleRef": {"name": "roots"},
        });
        let given = fields.as_object().unwrap().clone();
        spec.as_object_mut().unwrap().extend(given);
        if spec.get("issuer").is_some() {
            spec.as_object_mut().unwrap().remove("tokenURL");
        }
        self.place.define("ClusterCubeProvider", &self.name, &spec);
    }

    /// ConfigMap `roots` of the operator's namespace.
    fn trust(&self, key: &str, pem: &str) {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "roots", "namespace": self.system}, "data": {key: pem},
        });
        let file = crate::place::manifest(&map);
        self.place
            .plane
            .kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file]);
    }

    fn operator(&self) -> Operator {
        self.operator_with(&[])
    }

    fn operator_with(&self, environment: &[(&str, &str)]) -> Operator {
        let flags = [CLUSTER_PROVIDERS, "--operator-namespace", &self.system];
        self.place.operator_with(&flags, environment)
    }

    /// Waits until the provider's condition Ready has this reason, and returns its message.
    fn provider_is(&self, reason: &str) -> String {
        eventually(&format!("the provider is {reason}"), || {
            let object = self.place.get("clustercubeprovider", &self.name)?;
            let ready = &object["status"]["conditions"][0];
            (ready["reason"] == reason).then(|| ready["message"].as_str().unwrap().to_owned())
        })
    }

    /// Waits until the provider says this.
    fn provider_says(&self, message: &str) {
        eventually(message, || {
            let object = self.place.get("clustercubeprovider", &self.name)?;
            (object["status"]["conditions"][0]["message"] == message).then_some(())
        });
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.place
                .kubectl(&["delete", "clustercubeprovider", &self.name]);
        }
    }
}

#[test]
fn a_config_map_that_comes_late_changes_and_goes_is_followed_and_a_restart_costs_nothing() {
    let scene = Scene::new();
    let (place, system) = (&scene.place, &scene.system);
    let operator = scene.operator();
    scene.provider_says(&format!(
        "this object cannot be used: ConfigMap {system}/roots of its caBundleRef does not exist: create it, or correct spec.caBundleRef"
    ));
    let message = place.becomes("main", Refreshed, "False", "ProviderNotReady");
    assert!(
        message.contains(&format!(
            "ConfigMap {system}/roots of its caBundleRef does not exist"
        )),
        "{message}"
    );
    scene.trust("other.crt", &scene.first.authority.pem());
    scene.provider_says(&format!(
        "this object cannot be used: ConfigMap {system}/roots of its caBundleRef has no key \"ca.crt\": add the key, or correct \
         spec.caBundleRef.key"
    ));
    assert_eq!(scene.first.server.connections(), 0);
    scene.trust("ca.crt", &scene.first.authority.pem());
    place.becomes("main", Ready, "True", "Synced");
    scene.provider_is("Usable");
    assert_eq!(scene.first.paths(), ["/token"]);

    // Killed and started again: the token, the status and the provider stay as they are.
    let token = place.token("main-token");
    let version =
        |kind, name| place.get(kind, name).unwrap()["metadata"]["resourceVersion"].clone();
    let before = (
        version("cubecredential", "main"),
        version("clustercubeprovider", &scene.name),
    );
    drop(operator);
    let operator = scene.operator();
    place.apply(&place.named("other", "ClusterCubeProvider", &scene.name));
    place.becomes("other", Ready, "True", "Synced");
    assert_eq!(scene.first.paths().len(), 2, "the new one's alone");
    let now = (
        version("cubecredential", "main"),
        version("clustercubeprovider", &scene.name),
    );
    assert_eq!(now, before);

    // Another CA: the server that only the old one vouches for is refused, and the other server is not.
    scene.trust("ca.crt", &scene.second.authority.pem());
    place.request_of("main", "again");
    place.becomes("main", Refreshed, "False", "TLSUntrusted");
    assert_eq!(place.token("main-token"), token);
    assert_eq!(scene.first.paths().len(), 2);
    scene.define(&json!({"tokenURL": scene.second.server.url("/second")}));
    place.becomes("main", Refreshed, "True", "TokenIssued");
    assert!(scene.second.paths().contains(&"/second".to_owned()));

    // Without it, the published token stays.
    let token = place.token("main-token");
    place.kubectl(&["delete", "configmap", "roots"]);
    scene.provider_is("Unusable");
    place.becomes("main", Refreshed, "False", "ProviderNotReady");
    assert!(is(&place.status("main"), Ready, "True", "Synced"));
    drop(operator);
    let operator = scene.operator();
    scene.trust("ca.crt", &scene.second.authority.pem());
    scene.provider_is("Usable");
    place.becomes("main", Refreshed, "True", "TokenIssued");
    assert_eq!(place.token("main-token"), token);
    assert!(!operator.log().contains("BEGIN CERTIFICATE"));
}

#[test]
fn a_failure_because_of_a_wrong_ca_ends_with_the_right_one_without_a_change_of_the_provider() {
    let scene = Scene::new();
    let place = &scene.place;
    scene.trust("ca.crt", &scene.second.authority.pem());
    let _operator = scene.operator();
    let message = place.becomes("main", Refreshed, "False", "TLSUntrusted");
    assert!(
        message.contains("ConfigMap \"roots\" of ClusterCubeProvider"),
        "{message}"
    );
    assert_eq!(scene.first.paths().len(), 0);
    scene.trust("ca.crt", &scene.first.authority.pem());
    place.becomes("main", Ready, "True", "Synced");
}

#[test]
fn with_replace_a_server_that_only_the_systems_roots_vouch_for_is_refused() {
    let scene = Scene::new();
    let place = &scene.place;
    let roots = directory("system").join("roots.pem");
    fs::write(&roots, scene.first.authority.pem()).unwrap();
    scene.trust("ca.crt", &scene.second.authority.pem());
    let operator = scene.operator_with(&[("SSL_CERT_FILE", roots.to_str().unwrap())]);
    place.becomes("main", Ready, "True", "Synced");
    assert_eq!(scene.first.paths().len(), 1, "the system vouches for it");
    scene.define(&json!({"systemRoots": "Replace"}));
    // The credential of another kind of provider, with its certificates inline.
    let mut inline = json!({
        "tokenURL": scene.first.server.url("/inline"), "caBundle": scene.second.authority.pem(), "systemRoots": "Replace",
    });
    place.define("CubeProvider", "inline", &inline);
    place.apply(&place.named("inline", "CubeProvider", "inline"));
    place.becomes("inline", Refreshed, "False", "TLSUntrusted");
    place.request_of("main", "again");
    place.becomes("main", Refreshed, "False", "TLSUntrusted");
    assert_eq!(scene.first.paths().len(), 1);
    // Both are retried once the system counts again, or the right CA is named.
    inline["systemRoots"] = json!("Keep");
    place.define("CubeProvider", "inline", &inline);
    place.becomes("inline", Ready, "True", "Synced");
    scene.trust("ca.crt", &scene.first.authority.pem());
    place.becomes("main", Refreshed, "True", "TokenIssued");
    drop(operator);
}

#[test]
fn the_metadata_of_the_issuer_is_read_with_the_certificates_of_the_config_map_alone() {
    let scene = Scene::new();
    let (place, server) = (&scene.place, issuer::Server::start());
    let roots = directory("system").join("roots.pem");
    fs::write(&roots, server.authority.pem()).unwrap();
    let issuer = server.provider.url("");
    scene.define(&json!({"issuer": issuer, "systemRoots": "Replace"}));
    let _operator = scene.operator_with(&[("SSL_CERT_FILE", roots.to_str().unwrap())]);
    scene.provider_is("Unusable");
    assert_eq!(server.requests(), (0, 0), "nobody knows whom to trust");
    scene.trust("ca.crt", &scene.second.authority.pem());
    let message = scene.provider_is("DiscoveryFailed");
    assert!(
        message.contains("into the ConfigMap of spec.caBundleRef; retried"),
        "{message}"
    );
    assert_eq!(server.requests(), (0, 0), "the system's roots do not count");
    scene.trust("ca.crt", &server.authority.pem());
    scene.provider_is("Discovered");
    place.becomes("main", Ready, "True", "Synced");
    assert_eq!(server.requests(), (1, 1));
}

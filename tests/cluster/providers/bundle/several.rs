//! Two operators of one cluster, each with a ConfigMap of its own for the same provider.

use super::*;

#[test]
fn an_operator_that_nobody_needs_the_provider_from_leaves_what_the_other_one_says() {
    let scene = Scene::new();
    let (name, system) = (&scene.name, &scene.system);
    let _operator = scene.operator();
    scene.trust("other.crt", &scene.first.authority.pem());
    let no_key = format!(
        "this object cannot be used: ConfigMap {system}/roots of its caBundleRef has no key \"ca.crt\": add the key, or correct \
         spec.caBundleRef.key"
    );
    scene.provider_says(&no_key);

    // The other one begins without its ConfigMap.
    let place = Place::new();
    let other = || {
        let flags = [CLUSTER_PROVIDERS, "--operator-namespace", &place.namespace];
        place.operator_with(&flags, &[])
    };
    let operator = other();
    judges(&operator, name);
    scene.judges_a_later_one(&operator, "first");
    scene.provider_says(&no_key);

    // Both judge each change in the same second.
    scene.trust("ca.crt", &scene.first.authority.pem());
    scene.provider_is("Usable");
    for path in ["/second", "/third", "/fourth"] {
        let url = scene.first.server.url(path);
        scene.define(&json!({"tokenURL": url}));
        scene.provider_says(&format!("tokens come from {url}"));
    }
    scene.judges_a_later_one(&operator, "second");
    let url = scene.first.server.url("/fourth");
    scene.provider_says(&format!("tokens come from {url}"));
    drop(operator);

    // It begins with its ConfigMap, while the one that is needed is gone.
    scene.place.kubectl(&["delete", "configmap", "roots"]);
    let absent = format!(
        "this object cannot be used: ConfigMap {system}/roots of its caBundleRef does not exist: create it, or correct spec.caBundleRef"
    );
    scene.provider_says(&absent);
    let trusted = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "roots"}, "data": {"ca.crt": scene.first.authority.pem()},
    });
    place.apply(&trusted);
    let operator = other();
    judges(&operator, name);
    scene.judges_a_later_one(&operator, "third");
    scene.provider_says(&absent);
    scene.trust("ca.crt", &scene.first.authority.pem());
    scene.provider_is("Usable");
}

/// Waits until this operator has begun to judge a provider.
fn judges(operator: &Operator, name: &str) {
    let metric = format!("cube_operator_cluster_provider_credentials{{name=\"{name}\"}}");
    eventually(&metric, || {
        (operator.metric(&metric) == Some(0.0)).then_some(())
    });
}

impl Scene {
    /// Waits until the operator has judged one that comes now, after those from before.
    fn judges_a_later_one(&self, operator: &Operator, name: &str) {
        let name = format!("{}-{name}", self.name);
        let spec = json!({"namespaces": ["none"], "tokenURL": self.first.server.url("/token")});
        self.place.define("ClusterCubeProvider", &name, &spec);
        judges(operator, &name);
        self.place
            .kubectl(&["delete", "clustercubeprovider", &name]);
    }
}

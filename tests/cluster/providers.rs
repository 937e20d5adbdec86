//! Provider objects on a real API server: who may use them, what a change of one does, and what happens without them.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    check::LOOPBACK,
    operator::{Operator, eventually},
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

mod bundle;
mod interval;
mod issuer;
mod status;

pub(crate) const CLUSTER_PROVIDERS: &str = "--cluster-providers=true";

/// A token server whose paths all issue tokens.
struct Issuer {
    authority: Authority,
    server: Provider,
}

impl Issuer {
    fn start() -> Self {
        let authority = Authority::new("private");
        let certificate = authority.certificate(&LOCAL);
        let server = Provider::start(&certificate, |_| Reply::token("planted"));
        Self { authority, server }
    }

    fn spec(&self, path: &str) -> Value {
        json!({"tokenURL": self.server.url(path), "caBundle": self.authority.pem()})
    }

    /// The path of each request that the server has received.
    fn paths(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests
            .iter()
            .map(|request| request.target.clone())
            .collect()
    }
}

impl Place {
    fn define(&self, kind: &str, name: &str, spec: &Value) {
        self.apply(&json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        }));
    }

    /// A credential that names a provider object.
    fn named(&self, name: &str, kind: &str, provider: &str) -> Value {
        let mut object = self.credential(name);
        let spec = object["spec"].as_object_mut().unwrap();
        for field in ["provider", "tokenURL", "caBundleRef"] {
            spec.remove(field);
        }
        spec.insert(
            "providerRef".into(),
            json!({"kind": kind, "name": provider}),
        );
        object
    }

    fn becomes(
        &self,
        name: &str,
        condition: cube_operator::api::ConditionType,
        status: &str,
        reason: &str,
    ) -> String {
        let found = self.wait_for(name, reason, |found| is(found, condition, status, reason));
        found.condition(condition).unwrap().message.clone()
    }
}

#[test]
fn a_token_comes_from_the_provider_of_its_namespace_and_follows_it() {
    let (place, issuer) = (Place::new(), Issuer::start());
    place.define("CubeProvider", "okta", &issuer.spec("/first"));
    place.apply(&place.source());
    place.apply(&place.named("main", "CubeProvider", "okta"));
    let operator = place.operator();
    place.becomes("main", Ready, "True", "Synced");
    assert_eq!(issuer.paths(), ["/first"]);

    // What a token does not depend on changes nothing.
    place.patch(
        "cubeprovider",
        "okta",
        &json!({"spec": {"description": "ask in #platform", "assumedLifetime": "2h"}}),
    );
    place.patch(
        "cubeprovider",
        "okta",
        &json!({"spec": {"tokenURL": issuer.server.url("/second")}}),
    );
    eventually("the new endpoint is asked", || {
        (issuer.paths().last().map(String::as_str) == Some("/second")).then_some(())
    });
    assert_eq!(issuer.paths().len(), 2, "one request");

    // A provider that is deleted, and is there again with the same fields, costs no token.
    let token = place.token("main-token");
    place.kubectl(&["delete", "cubeprovider", "okta"]);
    let message = place.becomes("main", Refreshed, "False", "ProviderNotFound");
    assert_eq!(
        message,
        "CubeProvider \"okta\" not found: create it, or correct spec.providerRef"
    );
    assert!(is(&place.status("main"), Ready, "True", "Synced"));
    drop(operator);
    let _operator = place.operator();
    let mut spec = issuer.spec("/second");
    place.define("CubeProvider", "okta", &spec);
    place.becomes("main", Refreshed, "True", "TokenIssued");
    assert_eq!(place.token("main-token"), token);
    assert_eq!(issuer.paths().len(), 2);

    // One that is wrong leaves the credential without a new token, and its correction brings one immediately.
    spec["tokenURL"] = json!(issuer.server.url("/third"));
    spec["caBundle"] = json!(Authority::new("another").pem());
    place.define("CubeProvider", "okta", &spec);
    place.becomes("main", Refreshed, "False", "TLSUntrusted");
    spec["caBundle"] = json!(issuer.authority.pem());
    place.define("CubeProvider", "okta", &spec);
    place.becomes("main", Ready, "True", "Synced");
    assert_eq!(issuer.paths()[2..], ["/third"]);
}

#[test]
fn a_cluster_provider_serves_the_namespaces_that_it_names_and_only_operators_that_use_the_kind() {
    let (place, issuer) = (Place::new(), Issuer::start());
    // The kind has no namespaces, and other tests have such objects too.
    let name = format!("{}-login", place.namespace);
    let mut spec = issuer.spec("/token");
    spec["namespaces"] = json!(["payments"]);
    place.define("ClusterCubeProvider", &name, &spec);
    place.apply(&place.source());
    place.apply(&place.named("main", "ClusterCubeProvider", &name));
    let operator = place.operator();
    let message = place.becomes("main", Refreshed, "False", "ProviderNotReady");
    assert_eq!(
        message,
        "this operator uses no ClusterCubeProvider: ask the installer to set chart value clusterProviders to true, or name a CubeProvider"
    );
    drop(operator);
    let _operator = place.operator_with(&[CLUSTER_PROVIDERS], &[]);
    let message = place.becomes("main", Refreshed, "False", "ProviderNotAllowed");
    let namespace = &place.namespace;
    assert!(
        message.contains(&format!("does not allow namespace {namespace:?}")),
        "{message}"
    );
    assert_eq!(issuer.paths().len(), 0);
    place.patch(
        "clustercubeprovider",
        &name,
        &json!({"spec": {"namespaces": ["payments", "test-*"]}}),
    );
    place.becomes("main", Ready, "True", "Synced");
    assert_eq!(issuer.paths(), ["/token"]);
    place.kubectl(&["delete", "clustercubeprovider", &name]);
    place.becomes("main", Refreshed, "False", "ProviderNotFound");
}

#[test]
fn a_change_of_a_provider_makes_no_request_to_a_host_that_the_owner_of_the_secret_does_not_allow() {
    let (place, issuer) = (Place::new(), Issuer::start());
    let mut client = place.source();
    client["metadata"]["annotations"] = json!({
        "cube-operator.dev/token-hosts": "login.example.com", "cube-operator.dev/token-ca": "CubeProvider/okta",
    });
    place.apply(&client);
    place.define("CubeProvider", "okta", &issuer.spec("/token"));
    place.apply(&place.named("main", "CubeProvider", "okta"));
    let _operator = place.operator();
    let message = place.becomes("main", Refreshed, "False", "HostNotAllowed");
    assert!(
        message.contains("correct tokenURL of CubeProvider \"okta\""),
        "{message}"
    );
    assert_eq!(issuer.server.connections(), 0);
    client["metadata"]["annotations"] = json!({
        "cube-operator.dev/token-hosts": "localhost", "cube-operator.dev/token-ca": "ConfigMap/okta",
    });
    place.apply(&client);
    eventually("the CA is not allowed", || {
        let message = place.status("main").condition(Refreshed)?.message.clone();
        message
            .ends_with("cube-operator.dev/token-ca=CubeProvider/okta`")
            .then_some(())
    });
    assert_eq!(issuer.server.connections(), 0);
    client["metadata"]["annotations"]["cube-operator.dev/token-ca"] = json!("CubeProvider/okta");
    place.apply(&client);
    place.becomes("main", Ready, "True", "Synced");
}

/// An operator whose roles are older than the provider objects.
#[test]
fn a_pause_that_the_provider_asked_for_holds_after_a_restart() {
    let place = Place::new();
    let authority = Authority::new("private");
    let server = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::json(429, "").header("Retry-After", "600")
    });
    let spec = json!({"tokenURL": server.url("/token"), "caBundle": authority.pem()});
    place.define("CubeProvider", "okta", &spec);
    place.apply(&place.source());
    let operator = place.operator();
    place.apply(&place.named("paused", "CubeProvider", "okta"));
    place.becomes("paused", Refreshed, "False", "RateLimited");
    drop(operator);
    // Those with the first names are first in most lists.
    let others: Vec<_> = (0..8).map(|number| format!("another-{number}")).collect();
    for other in &others {
        place.apply(&place.named(other, "CubeProvider", "okta"));
    }
    let _operator = place.operator();
    for other in &others {
        let message = place.becomes(other, Refreshed, "Unknown", "RateBudget");
        assert!(
            message.contains("the provider asked this client to pause"),
            "{message}"
        );
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn without_the_right_to_list_providers_everything_else_works() {
    let (place, issuer) = (Place::new(), Issuer::start());
    let mut rules = place.get("role", "cube-operator").unwrap()["rules"].clone();
    rules
        .as_array_mut()
        .unwrap()
        .retain(|rule| rule["resources"] != json!(["cubeproviders"]));
    place.patch("role", "cube-operator", &json!({"rules": rules}));
    place.define("CubeProvider", "okta", &issuer.spec("/token"));
    let operator: Operator = place.operator();
    place.ready_main();
    place.apply(&place.named("other", "CubeProvider", "okta"));
    let message = place.becomes("other", Refreshed, "False", "ProviderNotReady");
    assert_eq!(
        message,
        "the operator cannot list CubeProviders: its log and `cube-operator check` say what is missing"
    );
    operator.wait_for_log("failed to watch CubeProviders, retrying");
    assert_eq!(operator.get("/readyz").0, 200);
    let metric = format!(
        "cube_operator_providers_watched{{namespace=\"{}\",kind=\"CubeProvider\"}}",
        place.namespace
    );
    assert_eq!(operator.metric(&metric), Some(0.0));
    place.reinstall("replicas=1");
    place.becomes("other", Refreshed, "True", "TokenIssued");
    assert_eq!(operator.metric(&metric), Some(1.0));
}

#[test]
fn check_says_where_the_token_comes_from_and_why_not() {
    let (place, issuer) = (Place::new(), Issuer::start());
    place.apply(&place.source());
    place.define("CubeProvider", "okta", &issuer.spec("/token"));
    place.apply(&place.named("main", "CubeProvider", "okta"));
    place.apply(&place.named("astray", "CubeProvider", "none"));
    let check = |name| {
        let (_, output, _) = place.check_as(&place.kubeconfig, name, &[LOOPBACK], &[]);
        output
    };
    let output = check("main");
    assert!(
        output.contains("the spec requests a token from https://localhost:"),
        "{output}"
    );
    assert!(
        output.contains("CubeProvider \"okta\" has certificates in \"caBundle\": 1"),
        "{output}"
    );
    let output = check("astray");
    assert!(
        output
            .contains("✗ CubeProvider \"none\" not found: create it, or correct spec.providerRef"),
        "{output}"
    );
    // It looks at the endpoint, and sends no secret.
    let requests = issuer.server.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.body.contains("Planted"))
    );
}

//! Faults that are found before anything is sent, in combinations. `failures::rows::preflight` has each of them alone.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::json;

use crate::{
    check::LOOPBACK,
    environment::{ControlPlane, TokenServer, directory},
    operator::{Operator, eventually},
    place::{CLIENT_SECRET, Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

impl Place {
    /// Waits until an exchange is refused for this reason, and returns the message.
    fn refusal(&self, name: &str, reason: &str) -> String {
        let status = self.wait_for(name, reason, |status| {
            is(status, Refreshed, "False", reason)
        });
        status.condition(Refreshed).unwrap().message.clone()
    }

    fn wait_until_synced(&self, name: &str) {
        self.wait_for(name, "Ready", |status| {
            is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
        });
    }
}

#[test]
fn several_troubles_at_once_are_told_one_after_the_other() {
    let place = Place::new();
    let _operator = place.operator();
    let mut credential = place.credential("main");
    credential["spec"]["caBundleRef"] = json!({"name": "mine"});
    place.apply(&credential);
    let told = |reason: &str| drop(place.refusal("main", reason));
    told("ClientSecretNotFound");
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "client", "annotations": {"cube-operator.dev/token-hosts": "elsewhere.example"}},
        "stringData": {"client-id": place.namespace},
    }));
    // No watch covers a Secret without the label, so the message stays until the label is there.
    place.patch(
        "secret",
        "client",
        &json!({"metadata": {"labels": {"cube-operator.dev/credential": "true"}}}),
    );
    told("ClientSecretKeyMissing");
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": format!("{CLIENT_SECRET}\n")}}),
    );
    told("ClientSecretMalformed");
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": CLIENT_SECRET}}),
    );
    told("HostNotAllowed");
    let permitted = json!({"metadata": {"annotations": {
        "cube-operator.dev/token-hosts": "elsewhere.example,localhost", "cube-operator.dev/token-ca": "ConfigMap/mine",
    }}});
    place.patch("secret", "client", &permitted);
    told("CABundleInvalid");
    assert!(place.exchanges().is_empty(), "nothing was sent");

    place.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "mine"}, "data": {"ca.crt": place.server.ca_pem},
    }));
    place.wait_until_synced("main");
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn a_ca_bundle_in_a_labelled_secret_is_used() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "bundle", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"root.pem": place.server.ca_pem},
    }));
    let mut credential = place.credential("main");
    credential["spec"]["caBundleRef"] =
        json!({"kind": "Secret", "name": "bundle", "key": "root.pem"});
    place.apply(&place.source());
    place.apply(&credential);
    place.wait_until_synced("main");
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn the_good_part_of_a_binary_ca_bundle_is_used_and_an_event_names_the_bad_one() {
    let place = Place::new();
    let _operator = place.operator();
    let cut = b"# Beh\xf6rde\n-----BEGIN CERTIFICATE-----\nMII=\n";
    let bundle = [&cut[..], place.server.ca_pem.as_bytes()].concat();
    place.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bundle"},
        "binaryData": {"roots.pem": STANDARD.encode(bundle)},
    }));
    let mut credential = place.credential("main");
    credential["spec"]["caBundleRef"] = json!({"name": "bundle", "key": "roots.pem"});
    place.apply(&place.source());
    place.apply(&credential);
    place.wait_until_synced("main");
    assert_eq!(place.exchanges(), [200]);
    place.wait_for_events("main", &["CABundleIncomplete"]);
    let (_, shown, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &[]);
    let line = "! ConfigMap \"bundle\" has certificates in \"roots.pem\": 1; block 1 (line 2) has no END line";
    assert!(shown.lines().any(|shown| shown == line), "{shown}");
    assert!(shown.contains("with a trusted certificate"), "{shown}");
}

#[test]
fn a_ca_bundle_can_replace_the_systems_authorities() {
    let place = Place::new();
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    place.trust("private", &private);
    let system = directory("system").join("roots.pem");
    fs::write(&system, public.pem()).unwrap();
    let _operator = place.operator_with(&[], &[("SSL_CERT_FILE", system.to_str().unwrap())]);
    place.apply(&place.source());
    let answer = |_: &Request| Reply::json(200, r#"{"access_token":"planted","expires_in":3600}"#);
    let issued_by = |authority: &Authority| Provider::start(&authority.certificate(&LOCAL), answer);
    let (of_public, of_private) = (issued_by(&public), issued_by(&private));
    let apply = |name: &str, provider: &Provider, roots: &str| {
        let mut credential = place.credential_at(name, &provider.url("/token"), "private");
        credential["spec"]["caBundleRef"]["systemRoots"] = json!(roots);
        place.apply(&credential);
    };
    apply("kept", &of_public, "Keep");
    apply("named", &of_private, "Replace");
    apply("replaced", &of_public, "Replace");
    place.wait_until_synced("kept");
    place.wait_until_synced("named");
    place.refusal("replaced", "TLSUntrusted");
    assert_eq!(of_public.requests().len(), 1, "only where they are kept");
}

#[test]
fn a_source_that_becomes_unusable_leaves_the_published_token() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let token = place.token("main-token");
    place.kubectl(&["label", "secret", "client", "cube-operator.dev/credential-"]);
    place.refusal("main", "ClientSecretNotLabelled");
    assert!(is(&place.status("main"), Ready, "True", "Synced"));
    assert_eq!(place.token("main-token"), token);
    place.kubectl(&[
        "label",
        "secret",
        "client",
        "cube-operator.dev/credential=true",
    ]);
    place.wait_until_synced("main");
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges(), [200], "the same inputs, the same token");
}

/// An operator with these flags only.
fn bare_operator(place: &Place, arguments: &[&str]) -> Operator {
    let all = [&["--namespaces", place.namespace.as_str()], arguments].concat();
    Operator::start(&place.kubeconfig, &all, &[])
}

#[test]
fn a_host_that_the_installer_does_not_allow_is_never_sent_to() {
    let place = Place::new();
    let port = place.server.token_url.split([':', '/']).nth(4).unwrap();
    let operator = place.operator_with(
        &["--allowed-token-hosts", "api.cubewire.com, localhost:1"],
        &[],
    );
    let mut source = place.source();
    source["metadata"]["annotations"] =
        json!({"cube-operator.dev/token-ca": "ConfigMap/authority"});
    place.apply(&source);
    place.apply(&place.credential("main"));
    place.refusal("main", "HostNotAllowed");
    assert!(place.exchanges().is_empty());
    drop(operator);

    let _operator = place.operator_with(
        &[
            "--allowed-token-hosts",
            &format!("api.cubewire.com,localhost:{port}"),
        ],
        &[],
    );
    place.wait_until_synced("main");
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn the_operators_own_host_is_never_sent_to_unless_its_network_is_allowed() {
    let place = Place::at(ControlPlane::shared(), TokenServer::shared());
    let port = place.server.token_url.split([':', '/']).nth(4).unwrap();
    let operator = bare_operator(&place, &[]);
    place.apply(&place.source());
    let cases = [
        ("name", "localhost", "loopback"),
        ("main", "127.0.0.1", "loopback"),
        ("written-otherwise", "0x7f.1", "loopback"),
        ("v6", "[::1]", "loopback"),
        ("mapped", "[::ffff:127.0.0.1]", "loopback"),
        ("any", "0.0.0.0", "unspecified"),
        ("metadata", "169.254.169.254", "link-local"),
        ("many", "224.0.0.1", "multicast"),
    ];
    for (name, host, _) in cases {
        place.apply(&place.credential_at(
            name,
            &format!("https://{host}:{port}/o/token/"),
            "authority",
        ));
    }
    for (name, host, network) in cases {
        let shown = match name {
            "written-otherwise" => "127.0.0.1",
            "mapped" => "[::ffff:7f00:1]",
            _ => host,
        };
        let what = format!(
            "token endpoint {shown}:{port} is on a network that is refused by default ({network}): "
        );
        let message = place.refusal(name, "HostNotAllowed");
        assert!(message.starts_with(&what), "{message}");
        assert_eq!(place.status(name).last_attempt_at, None, "{name}");
    }
    assert!(place.exchanges().is_empty());
    drop(operator);

    let _operator = bare_operator(&place, &["--allow-network", "127.0.0.0/8"]);
    for name in ["name", "main", "written-otherwise"] {
        place.wait_until_synced(name);
    }
    for name in ["v6", "any", "metadata", "many"] {
        assert!(
            is(&place.status(name), Ready, "False", "HostNotAllowed"),
            "{name}"
        );
    }
    eventually("one exchange each", || {
        (place.exchanges().len() >= 3).then_some(())
    });
}

//! What is refused before anything is sent: each refusal in its whole words, and that it heals as soon as it is repaired.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, TokenServer},
    operator::{Operator, eventually},
    place::{CLIENT_SECRET, Place, is, told},
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// What all conditions say of a local refusal, with no live token left.
fn refusal(reason: &str, message: &str) -> Vec<String> {
    ["Ready=False", "Refreshed=False", "Stalled=True"]
        .map(|condition| format!("{condition} {reason}: {message}"))
        .into()
}

impl Place {
    fn wait_for_refusal(&self, name: &str, reason: &str, message: &str) {
        let expected = refusal(reason, message);
        let status = self.wait_for(name, &expected[0], |status| {
            // Fewer reasons than messages: a wrong message is shown by the assertion below.
            is(status, Refreshed, "False", reason) && told(status)[0].len() == expected[0].len()
        });
        assert_eq!(told(&status), expected, "{name}");
        assert_eq!(status.refresh_at, None, "{name}: no try is planned");
        assert_eq!(
            (status.failures, status.last_attempt_at),
            (None, None),
            "{name}: nothing was sent"
        );
        assert!(
            self.get("secret", &format!("{name}-token")).is_none(),
            "{name}"
        );
    }

    fn wait_until_synced(&self, name: &str) {
        self.wait_for(name, "Ready", |status| {
            is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
        });
    }

    /// A source Secret by another name.
    fn source_named(&self, name: &str) -> Value {
        let mut source = self.source();
        source["metadata"]["name"] = json!(name);
        source
    }
}

/// One thing that is wrong, and its repair.
struct Case<'a> {
    name: &'static str,
    reason: &'static str,
    message: String,
    /// Its source Secret, if there is one.
    source: Option<Value>,
    credential: Value,
    repair: Box<dyn Fn() + 'a>,
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases<'a>(place: &'a Place, url: &str, authority: &Authority) -> Vec<Case<'a>> {
    let source = |name: &str| place.source_named(name);
    let credential = |name: &str| {
        let mut object = place.credential_at(name, url, "scripted");
        object["spec"]["clientSecretRef"]["name"] = json!(name);
        object
    };
    let broken = |name: &'static str, reason, message: String, change: Box<dyn Fn(&mut Value)>| {
        let mut broken = source(name);
        change(&mut broken);
        let repaired = place.source_named(name);
        Case {
            name,
            reason,
            message,
            source: Some(broken),
            credential: credential(name),
            repair: Box::new(move || {
                place.kubectl(&["delete", "secret", name]);
                place.apply(&repaired);
            }),
        }
    };
    let malformed = |name: &'static str, key: &'static str, value: &'static [u8], what: &str| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let message = format!(
            "key {key:?} of Secret {name:?} {what}; it is used as soon as that Secret changes"
        );
        let value = STANDARD.encode(value);
        broken(
            name,
            "ClientSecretMalformed",
            message,
            Box::new(move |source| {
                source["stringData"].as_object_mut().unwrap().remove(key);
                source["data"] = json!({key: value});
            }),
        )
    };
    let bundled = |name: &'static str, reference: Value, why: &str, repair: Box<dyn Fn() + 'a>| {
        let kind = reference
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or("ConfigMap");
        let message = format!("spec.caBundleRef: {kind} {} {why}", reference["name"]);
        let mut credential = credential(name);
        credential["spec"]["caBundleRef"] = reference;
        Case {
            name,
            reason: "CABundleInvalid",
            message,
            source: Some(source(name)),
            credential,
            repair,
        }
    };
    let pem = authority.pem();
    let config_map = |name: &str, key: &str, text: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name}, "data": {key: text},
        })
    };
    for (name, key, text) in [
        ("other-key", "other.crt", pem.as_str()),
        ("no-pem", "ca.crt", "not PEM"),
    ] {
        place.apply(&config_map(name, key, text));
    }
    let bundle_secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "bundle-secret"}, "stringData": {"ca.crt": pem},
    });
    place.apply(&bundle_secret);
    let apply = |object: Value| -> Box<dyn Fn() + 'a> { Box::new(move || place.apply(&object)) };

    let not_utf8 = "is not UTF-8 text: write the value as the provider shows it";
    let empty = "is empty: write the value as the provider shows it";
    let line_break = "ends with a line break: write it with printf or echo -n";
    let control = "contains a control character: write the value as the provider shows it";
    let mut hosts = source("hosts");
    hosts["metadata"]["annotations"] =
        json!({"cube-operator.dev/token-hosts": "api.example.com, localhost:1"});
    let mut entry = source("entry");
    entry["metadata"]["annotations"] = json!({"cube-operator.dev/token-hosts": "*.example.com"});
    let authority_of_url = url
        .trim_start_matches("https://")
        .trim_end_matches("/token");
    let permitted =
        json!({"metadata": {"annotations": {"cube-operator.dev/token-hosts": authority_of_url}}});
    let permit = |name: &'static str| -> Box<dyn Fn() + 'a> {
        let permitted = permitted.clone();
        Box::new(move || place.patch("secret", name, &permitted))
    };
    vec![
        Case {
            name: "absent",
            reason: "ClientSecretNotFound",
            message: "Secret \"absent\" does not exist: create it with the keys \"client-id\" and \"client-secret\" and the label \
                      cube-operator.dev/credential: \"true\"; it is used as soon as it is there".into(),
            source: None,
            credential: credential("absent"),
            repair: apply(source("absent")),
        },
        Case {
            name: "unlabelled",
            reason: "ClientSecretNotLabelled",
            message: "Secret \"unlabelled\" lacks the label cube-operator.dev/credential: \"true\", by which its owner permits its \
                      use: run kubectl label secret unlabelled cube-operator.dev/credential=true; it is used as soon as it has it".into(),
            source: Some({
                let mut secret = source("unlabelled");
                secret["metadata"]["labels"] = json!({"cube-operator.dev/credential": "yes"});
                secret
            }),
            credential: credential("unlabelled"),
            // What the message says.
            repair: Box::new(|| {
                place.kubectl(&["label", "secret", "unlabelled", "cube-operator.dev/credential=true", "--overwrite"]);
            }),
        },
        broken(
            "no-id", "ClientSecretKeyMissing",
            "Secret \"no-id\" has no key \"client-id\": add it, or name the right key in spec.clientSecretRef".into(),
            Box::new(|source| drop(source["stringData"].as_object_mut().unwrap().remove("client-id"))),
        ),
        broken(
            "no-secret", "ClientSecretKeyMissing",
            "Secret \"no-secret\" has no key \"client-secret\": add it, or name the right key in spec.clientSecretRef".into(),
            Box::new(|source| drop(source["stringData"].as_object_mut().unwrap().remove("client-secret"))),
        ),
        malformed("empty", "client-secret", b"", empty),
        malformed("empty-id", "client-id", b"", empty),
        malformed("line-break", "client-secret", b"from-echo\n", line_break),
        malformed("id-line-break", "client-id", b"from-echo\n", line_break),
        malformed("control", "client-secret", b"a\tb", control),
        malformed("nul", "client-id", b"a\0b", control),
        malformed("not-utf-8", "client-secret", b"\xff\xfe", not_utf8),
        Case {
            name: "hosts",
            reason: "HostNotAllowed",
            message: format!(
                "Secret \"hosts\" may not be sent to {authority_of_url}: its owner has to add that host to its annotation \
                 cube-operator.dev/token-hosts, or spec.tokenURL has to name another one"
            ),
            source: Some(hosts),
            credential: credential("hosts"),
            repair: permit("hosts"),
        },
        Case {
            name: "entry",
            reason: "HostNotAllowed",
            message: "annotation cube-operator.dev/token-hosts of Secret \"entry\" has the entry \"*.example.com\": write hosts as \
                      host or host:port, separated by commas".into(),
            source: Some(entry),
            credential: credential("entry"),
            repair: permit("entry"),
        },
        bundled(
            "no-bundle", json!({"name": "no-bundle"}),
            "does not exist: create it, or name another one",
            apply(config_map("no-bundle", "ca.crt", &pem)),
        ),
        bundled(
            "no-key", json!({"name": "other-key"}),
            "has no key \"ca.crt\" with text: add it, or name the right key",
            apply(config_map("other-key", "ca.crt", &pem)),
        ),
        bundled(
            "not-pem", json!({"name": "no-pem"}),
            "has no valid PEM certificate in key \"ca.crt\": write one or more -----BEGIN CERTIFICATE----- blocks",
            apply(config_map("no-pem", "ca.crt", &pem)),
        ),
        bundled(
            "unlabelled-bundle", json!({"kind": "Secret", "name": "bundle-secret"}),
            "lacks the label cube-operator.dev/credential: \"true\", by which its owner permits its use",
            Box::new(|| {
                place.kubectl(&["label", "secret", "bundle-secret", "cube-operator.dev/credential=true"]);
            }),
        ),
    ]
}

#[test]
fn what_cannot_be_sent_is_refused_in_words_that_say_what_to_do_and_works_at_once_when_repaired() {
    let place = Place::new();
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("issued"));
    place.trust("scripted", &authority);
    let cases = cases(&place, &provider.url("/token"), &authority);
    let _operator = place.operator();
    for case in &cases {
        if let Some(source) = &case.source {
            place.apply(source);
        }
        place.apply(&case.credential);
    }
    for case in &cases {
        place.wait_for_refusal(case.name, case.reason, &case.message);
    }
    assert_eq!(provider.connections(), 0, "nothing was sent");
    let user = format!("system:serviceaccount:{}:cube-operator", place.namespace);
    for unlabelled in ["unlabelled", "bundle-secret"] {
        let given = place
            .plane
            .kinds_of_secret_given_to(&user, &place.namespace, unlabelled);
        assert!(!given.is_empty(), "{unlabelled} was looked at");
        assert!(
            given.iter().all(|kind| kind == "PartialObjectMetadata"),
            "{unlabelled}: {given:?}"
        );
    }
    for case in &cases {
        (case.repair)();
    }
    for case in &cases {
        place.wait_until_synced(case.name);
    }
    assert_eq!(provider.requests().len(), cases.len(), "one exchange each");
}

#[test]
fn several_troubles_at_once_are_told_one_after_the_other() {
    let place = Place::new();
    let _operator = place.operator();
    let mut credential = place.credential("main");
    credential["spec"]["caBundleRef"] = json!({"name": "mine"});
    place.apply(&credential);
    let told = |reason: &str, message: &str| place.wait_for_refusal("main", reason, message);
    told(
        "ClientSecretNotFound",
        "Secret \"client\" does not exist: create it with the keys \"client-id\" and \"client-secret\" and the label \
         cube-operator.dev/credential: \"true\"; it is used as soon as it is there",
    );
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "client", "annotations": {"cube-operator.dev/token-hosts": "elsewhere.example"}},
        "stringData": {"client-id": place.namespace},
    }));
    // Nobody tells of a Secret without the label: the message stays until it has it.
    place.patch(
        "secret",
        "client",
        &json!({"metadata": {"labels": {"cube-operator.dev/credential": "true"}}}),
    );
    told(
        "ClientSecretKeyMissing",
        "Secret \"client\" has no key \"client-secret\": add it, or name the right key in spec.clientSecretRef",
    );
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": format!("{CLIENT_SECRET}\n")}}),
    );
    told(
        "ClientSecretMalformed",
        "key \"client-secret\" of Secret \"client\" ends with a line break: write it with printf or echo -n; it is used as soon \
         as that Secret changes",
    );
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": CLIENT_SECRET}}),
    );
    let host = place
        .server
        .token_url
        .trim_start_matches("https://")
        .trim_end_matches("/o/token/");
    told(
        "HostNotAllowed",
        &format!(
            "Secret \"client\" may not be sent to {host}: its owner has to add that host to its annotation \
             cube-operator.dev/token-hosts, or spec.tokenURL has to name another one"
        ),
    );
    let hosts = json!({"metadata": {"annotations": {"cube-operator.dev/token-hosts": "elsewhere.example,localhost"}}});
    place.patch("secret", "client", &hosts);
    told(
        "CABundleInvalid",
        "spec.caBundleRef: ConfigMap \"mine\" does not exist: create it, or name another one",
    );
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
fn a_source_that_becomes_unusable_leaves_the_published_token() {
    let place = Place::new();
    let _operator = place.operator();
    let good = place.ready_main();
    let token = place.token("main-token");
    place.kubectl(&["label", "secret", "client", "cube-operator.dev/credential-"]);
    let status = place.wait_for("main", "the refusal", |status| {
        is(status, Refreshed, "False", "ClientSecretNotLabelled")
    });
    let message = "Secret \"client\" lacks the label cube-operator.dev/credential: \"true\", by which its owner permits its use: run \
                   kubectl label secret client cube-operator.dev/credential=true; it is used as soon as it has it";
    let synced = format!(
        "Ready=True Synced: Secret \"main-token\" holds a token that expires at {}",
        good.expires_at.unwrap()
    );
    assert_eq!(
        told(&status),
        [
            synced,
            format!("Refreshed=False ClientSecretNotLabelled: {message}")
        ]
    );
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
    place.apply(&place.source());
    place.apply(&place.credential("main"));
    place.wait_for_refusal(
        "main",
        "HostNotAllowed",
        &format!(
            "the operator may not send to localhost:{port}: its installer has to add that host to --allowed-token-hosts, or \
             spec.tokenURL has to name another one"
        ),
    );
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
        place.wait_for_refusal(
            name,
            "HostNotAllowed",
            &format!(
                "the token endpoint {shown}:{port} has a {network} address: set spec.tokenURL to another host, or have the \
                 operator's installer permit the network with --allow-network; next try when the spec or the Secret changes"
            ),
        );
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

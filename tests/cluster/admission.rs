//! What the API server refuses at `kubectl apply`, with which words, what it accepts, and what it fills in.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, PostParams},
};
use serde_json::{Value, json};

use crate::place::{Place, is};
use cube_operator::{
    api::{ConditionType::Ready, CubeCredential},
    reconcile::Settings,
};

/// Puts `fields` into `object`; null removes.
fn merge(object: &mut Value, fields: &Value) {
    let Some(fields) = fields.as_object() else {
        *object = fields.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    let object = object.as_object_mut().unwrap();
    for (name, value) in fields {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// A valid `CubeCredential` with these changes, and with this name.
fn changed(name: &str, change: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}},
    });
    merge(&mut object, change);
    object
}

/// Creates objects without storing them.
struct Admission {
    runtime: tokio::runtime::Runtime,
    api: Api<DynamicObject>,
}

impl Admission {
    fn new(place: &Place) -> Self {
        let (runtime, client) = place.plane.client();
        let resource = ApiResource::erase::<CubeCredential>(&());
        let api = Api::namespaced_with(client, &place.namespace, &resource);
        Self { runtime, api }
    }

    /// The object as it would be stored, or the API server's message.
    fn create(&self, object: &Value) -> Result<Value, String> {
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        let dry_run = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        match self.runtime.block_on(self.api.create(&dry_run, &object)) {
            Ok(stored) => Ok(serde_json::to_value(stored).unwrap()),
            Err(kube::Error::Api(status)) => Err(status.message),
            Err(error) => panic!("{error}"),
        }
    }
}

const TOKEN_URL: &str = "spec.tokenURL: Invalid value: …tokenURL must start with https:// in lower case, name a host, and have \
                         neither user nor password, fragment or blank";
const REFRESH_BEFORE: &str =
    "refreshBefore must be a duration from 1m to 24h, for example 5m or 1h30m";
const ASSUMED_LIFETIME: &str =
    "assumedLifetime must be a duration from 1m to 87600h, for example 1h or 10h";
const NAME: &str = "a name has lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit";
const KEY: &str = "a key has letters, digits, '-', '_' and '.'";
const TYPE: &str = "target.type must be Opaque or a type of your own such as example.com/token, not blank and not a kubernetes.io/ type";
const METADATA_KEY: &str = "a name here has letters, digits, '-', '_' and '.', after an optional prefix such as example.com/";
const PREFIX: &str =
    "names that start with cube-operator.dev/ are the operator's own: use another prefix";
const RESERVED: &str = "a parameter that the operator sets itself is reserved (grant_type, client_id, client_secret, refresh_token, \
                        scope, client_assertion..., response_type, username, password, code, code_verifier, redirect_uri, assertion, \
                        device_code): use the fields of the spec";

/// How a value becomes a change.
type Wrap = fn(Value) -> Value;

/// A change to a valid object, and what the API server says about it; `…` stands for the value.
#[expect(clippy::too_many_lines, reason = "a table")]
fn refusals() -> Vec<(Value, String)> {
    let spec = |fields: Value| json!({"spec": fields});
    let url = |text: &str| json!({"spec": {"tokenURL": text}});
    let target = |fields: Value| json!({"spec": {"target": fields}});
    let many = |count: usize| -> Value {
        (0..count)
            .map(|n| (format!("n{n}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut rows = vec![
        (json!({"spec": null}), "spec: Required value".to_owned()),
        (json!({"metadata": {"name": "a".repeat(243)}}), "metadata.name may have at most 242 characters: names of Secrets are derived from it".into()),
        (spec(json!({"description": "a".repeat(257)})), "spec.description: Too long: may not be more than 256".into()),
        (spec(json!({"provider": null})), "spec.provider: Required value".into()),
        (spec(json!({"provider": "cubewire"})), "spec.provider: Unsupported value: \"cubewire\": supported values: \"Cubewire\", \"CubeSoftware\", \"Custom\"".into()),
        (spec(json!({"provider": "Custom"})), "tokenURL is required with provider Custom: write the token endpoint, for example https://login.example.com/oauth2/token".into()),
        (url(&format!("https://example.com/{}", "a".repeat(493))), "spec.tokenURL: Too long: may not be more than 512".into()),
        (spec(json!({"grant": "Password"})), "spec.grant: Unsupported value: \"Password\": supported values: \"ClientCredentials\", \"RefreshToken\"".into()),
        (spec(json!({"clientAuthentication": "body"})), "spec.clientAuthentication: Unsupported value: \"body\": supported values: \"Body\", \"Basic\", \"None\"".into()),
        (spec(json!({"clientSecretRef": null})), "spec.clientSecretRef: Required value".into()),
        (spec(json!({"clientSecretRef": {"name": null}})), "spec.clientSecretRef.name: Required value".into()),
        (spec(json!({"scopes": "read"})), "spec.scopes: Invalid value: \"string\": spec.scopes in body must be of type array".into()),
        (spec(json!({"scopes": ["read", "read"]})), "spec.scopes[1]: Duplicate value: \"read\"".into()),
        (spec(json!({"scopes": ["read write"]})), "spec.scopes[0]: Invalid value: \"read write\": spec.scopes[0] in body should match".into()),
        (spec(json!({"scopes": [""]})), "spec.scopes[0] in body should be at least 1 chars long".into()),
        (spec(json!({"scopes": ["a".repeat(257)]})), "spec.scopes[0]: Too long: may not be more than 256".into()),
        (spec(json!({"scopes": (0..65).map(|n| n.to_string()).collect::<Vec<_>>()})), "spec.scopes: Too many: 65: must have at most 64 items".into()),
        (spec(json!({"parameters": {"audience": ""}})), "spec.parameters.audience in body should be at least 1 chars long".into()),
        (spec(json!({"parameters": {"audience": "a".repeat(2049)}})), "spec.parameters.audience: Too long: may not be more than 2048".into()),
        (spec(json!({"parameters": {"": "a"}})), "a parameter's name must have 1 to 128 characters".into()),
        (spec(json!({"parameters": {"a".repeat(129): "a"}})), "a parameter's name must have 1 to 128 characters".into()),
        (spec(json!({"parameters": many(33)})), "spec.parameters: Too many: 33: must have at most 32 items".into()),
        (spec(json!({"caBundleRef": {"kind": "ConfigMap"}})), "spec.caBundleRef.name: Required value".into()),
        (spec(json!({"caBundleRef": {"name": "a", "kind": "Pod"}})), "spec.caBundleRef.kind: Unsupported value: \"Pod\": supported values: \"ConfigMap\", \"Secret\"".into()),
        (spec(json!({"suspend": "yes"})), "spec.suspend in body must be of type boolean: \"string\"".into()),
        (target(json!({"deletionPolicy": "Orphan"})), "spec.target.deletionPolicy: Unsupported value: \"Orphan\": supported values: \"Delete\", \"Retain\"".into()),
        (target(json!({"name": "client"})), "the target may not be the Secret that clientSecretRef names: set spec.target.name to another name".into()),
        (spec(json!({"clientSecretRef": {"name": "main-token"}})), "the target may not be the Secret that clientSecretRef names: set spec.target.name to another name".into()),
        (target(json!({"name": "main-cube-state"})), "the name <metadata.name>-cube-state is reserved for the operator: set spec.target.name to another name".into()),
        (target(json!({"labels": many(33)})), "spec.target.labels: Too many: 33: must have at most 32 items".into()),
        (target(json!({"annotations": many(33)})), "spec.target.annotations: Too many: 33: must have at most 32 items".into()),
        (target(json!({"labels": {"a": "b".repeat(64)}})), "spec.target.labels.a: Too long: may not be more than 63".into()),
        (target(json!({"labels": {"a": "b c"}})), "spec.target.labels.a in body should match".into()),
        (target(json!({"annotations": {"a": "b".repeat(4097)}})), "spec.target.annotations.a: Too long: may not be more than 4096".into()),
    ];
    for text in [
        "",
        "example.com/token",
        "http://example.com/",
        "HTTPS://example.com/",
        "https://",
        "https:///token",
        "https://?a=b",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://@example.com/",
        "https://example.com/#part",
        "https://example.com#part",
        "https://example.com/a b",
        "https://example.com/\n",
        " https://example.com/",
        "https://[::1/",
        "https://example.com:port/",
    ] {
        rows.push((url(text), TOKEN_URL.into()));
    }
    for (field, message, texts) in [
        (
            "refreshBefore",
            REFRESH_BEFORE,
            ["59s", "24h1s", "-5m", "0"],
        ),
        (
            "assumedLifetime",
            ASSUMED_LIFETIME,
            ["59s", "87601h", "-1h", "0"],
        ),
    ] {
        for text in texts {
            rows.push((spec(json!({field: text})), message.into()));
        }
        // Another shape, also where only one of the two would read it.
        for text in [
            "", "5", "soon", "1d", "PT5M", "5m ", "5m\n", "60000ms", "+5m", "1m1m", "60s1m", ".5h",
            "1h1.5m",
        ] {
            rows.push((
                spec(json!({field: text})),
                format!("spec.{field}: Invalid value: …\": {message}"),
            ));
        }
        rows.push((
            spec(json!({field: 300})),
            format!("spec.{field} in body must be of type string: \"integer\""),
        ));
        rows.push((
            spec(json!({field: format!("{}m", "0".repeat(32))})),
            format!("spec.{field}: Too long: may not be more than 32"),
        ));
    }
    let names: [(&str, Wrap); 3] = [
        (
            "spec.clientSecretRef.name",
            |name| json!({"spec": {"clientSecretRef": {"name": name}}}),
        ),
        (
            "spec.caBundleRef.name",
            |name| json!({"spec": {"caBundleRef": {"name": name}}}),
        ),
        (
            "spec.target.name",
            |name| json!({"spec": {"target": {"name": name}}}),
        ),
    ];
    for (path, wrap) in names {
        for text in ["A", "a_b", "-a", "a-", "a..b", ".a", "a/b", "a b", "a\n"] {
            rows.push((wrap(json!(text)), format!("{path}: Invalid value: …{NAME}")));
        }
        rows.push((
            wrap(json!("")),
            format!("{path} in body should be at least 1 chars long"),
        ));
        rows.push((
            wrap(json!("a".repeat(254))),
            format!("{path}: Too long: may not be more than 253"),
        ));
    }
    let keys: [(&str, Wrap); 3] = [
        (
            "spec.clientSecretRef.clientIDKey",
            |key| json!({"spec": {"clientSecretRef": {"clientIDKey": key}}}),
        ),
        (
            "spec.clientSecretRef.clientSecretKey",
            |key| json!({"spec": {"clientSecretRef": {"clientSecretKey": key}}}),
        ),
        (
            "spec.caBundleRef.key",
            |key| json!({"spec": {"caBundleRef": {"name": "a", "key": key}}}),
        ),
    ];
    for (path, wrap) in keys {
        for text in ["a/b", "a b", "ä"] {
            rows.push((wrap(json!(text)), format!("{path}: Invalid value: …{KEY}")));
        }
        rows.push((
            wrap(json!("")),
            format!("{path} in body should be at least 1 chars long"),
        ));
        rows.push((
            wrap(json!("a".repeat(254))),
            format!("{path}: Too long: may not be more than 253"),
        ));
    }
    for text in [
        " ",
        "a b",
        "/a",
        "kubernetes.io/tls",
        "kubernetes.io/service-account-token",
    ] {
        rows.push((
            target(json!({"type": text})),
            format!("spec.target.type: Invalid value: …{TYPE}"),
        ));
    }
    rows.push((
        target(json!({"type": ""})),
        "spec.target.type in body should be at least 1 chars long".into(),
    ));
    rows.push((
        target(json!({"type": "a".repeat(254)})),
        "spec.target.type: Too long: may not be more than 253".into(),
    ));
    for field in ["labels", "annotations"] {
        for name in [
            "",
            "/a",
            "a/",
            "a b",
            "-a",
            "a/b/c",
            "A/b",
            &"a".repeat(317),
        ] {
            rows.push((
                target(json!({field: {name: "b"}})),
                format!("spec.target.{field}: Invalid value: …{METADATA_KEY}"),
            ));
        }
        rows.push((
            target(json!({field: {"cube-operator.dev/managed": "false"}})),
            format!("spec.target.{field}: Invalid value: …{PREFIX}"),
        ));
    }
    for name in [
        "grant_type",
        "client_id",
        "client_secret",
        "refresh_token",
        "scope",
        "response_type",
        "username",
        "password",
        "code",
        "code_verifier",
        "redirect_uri",
        "assertion",
        "device_code",
        "client_assertion",
        "client_assertion_type",
    ] {
        rows.push((
            spec(json!({"parameters": {name: "a"}})),
            format!("spec.parameters: Invalid value: …{RESERVED}"),
        ));
    }
    rows
}

#[test]
fn what_can_be_refused_at_apply_is_refused_there_and_the_message_says_what_to_write() {
    let admission = Admission::new(&Place::new());
    assert_eq!(
        admission.create(&changed("main", &json!({}))).err(),
        None,
        "valid without a change"
    );
    let mut wrong = Vec::new();
    for (change, expected) in refusals() {
        match admission.create(&changed("main", &change)) {
            Err(message) if expected.split('…').all(|part| message.contains(part)) => {}
            Err(message) => wrong.push(format!("{change}\n  says {message}\n  not  {expected}")),
            Ok(_) => wrong.push(format!("{change}\n  is accepted, without {expected}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} refusals are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_valid_is_accepted_as_written() {
    let admission = Admission::new(&Place::new());
    let spec = |fields: Value| json!({"spec": fields});
    let mut changes = vec![
        json!({"metadata": {"name": "a".repeat(242)}}),
        spec(json!({"description": "ä".repeat(256)})),
        spec(json!({"provider": "Custom", "tokenURL": "https://example.com/token"})),
        spec(json!({"clientAuthentication": "Basic"})),
        spec(
            json!({"clientSecretRef": {"name": "a.b-c.0", "clientIDKey": "id.txt", "clientSecretKey": "_secret-1"}}),
        ),
        // The default name of the target is taken by the source, but the target has another one.
        spec(json!({"clientSecretRef": {"name": "main-token"}, "target": {"name": "other"}})),
        spec(
            json!({"scopes": ["read", "write", "https://example.com/.default", "a!#$%&'()*+,-./:;<=>?@[]^_`{|}~"]}),
        ),
        spec(json!({"scopes": []})),
        spec(
            json!({"parameters": {"audience": "https://api.example.com", "resource": "a b", "codes": "1"}}),
        ),
        spec(json!({"caBundleRef": {"name": "bundle"}})),
        spec(json!({"caBundleRef": {"kind": "Secret", "name": "bundle", "key": "root.pem"}})),
        spec(
            json!({"target": {"name": "a.b", "type": "example.com/token", "deletionPolicy": "Retain"}}),
        ),
        spec(json!({"target": {"type": "cube-operator.dev/token"}})),
        spec(
            json!({"target": {"labels": {"app": "billing", "example.com/team": "", "a": "b".repeat(63)}}}),
        ),
        spec(
            json!({"target": {"annotations": {"reloader.example.com/match": "true", "note": "any text: ä\n"}}}),
        ),
        spec(json!({"suspend": true})),
    ];
    for url in [
        "https://example.com",
        "https://example.com/",
        "https://example.com/o/token/",
        "https://example.com:8443/token",
        "https://example.com/token?tenant=a%20b&x=y",
        "https://example.com?tenant=a",
        "https://192.0.2.1/token",
        "https://[2001:db8::1]/token",
        "https://[2001:db8::1]:8443/token",
        "https://example.com/users/@me",
        "https://localhost:8443/token",
        "https://EXAMPLE.com/",
        "https://xn--bcher-kva.example/",
        "https://nowhere.invalid/",
    ] {
        changes.push(spec(json!({"tokenURL": url})));
    }
    for (field, texts) in [
        (
            "refreshBefore",
            ["1m", "60s", "90m", "1h30m", "24h", "1.5h", "0h5m", "5m0s"],
        ),
        (
            "assumedLifetime",
            [
                "1m", "1h", "90m", "1h30m", "10h", "87600h", "1h0m0s", "3600s",
            ],
        ),
    ] {
        for text in texts {
            changes.push(spec(json!({field: text})));
        }
    }
    let mut unreadable = Vec::new();
    for change in changes {
        let object = changed("main", &change);
        let stored = admission
            .create(&object)
            .unwrap_or_else(|message| panic!("{change}: {message}"));
        let mut again = stored.clone();
        merge(&mut again, &object);
        assert_eq!(again, stored, "{change} is stored as it is written");
        let object: CubeCredential = serde_json::from_value(stored).unwrap();
        if let Err(why) = Settings::read("treasury", "main", &object.spec) {
            unreadable.push(format!("{change}: {why}"));
        }
    }
    assert!(
        unreadable.is_empty(),
        "accepted, and then not read:\n{}",
        unreadable.join("\n")
    );
}

#[test]
fn a_field_that_is_null_counts_as_absent() {
    let admission = Admission::new(&Place::new());
    let mut object = changed("main", &json!({}));
    for field in ["description", "tokenURL", "caBundleRef"] {
        object["spec"][field] = Value::Null;
    }
    object["spec"]["target"] = json!({"name": null});
    let stored = admission.create(&object).unwrap();
    let read: CubeCredential = serde_json::from_value(stored).unwrap();
    let settings = Settings::read("treasury", "main", &read.spec).unwrap();
    assert_eq!(settings.target_name, "main-token");

    object["spec"]["provider"] = json!("Custom");
    let refusal = admission.create(&object).unwrap_err();
    assert!(
        refusal.contains("tokenURL is required with provider Custom"),
        "{refusal}"
    );
}

#[test]
fn a_minimal_object_is_stored_with_every_default() {
    let admission = Admission::new(&Place::new());
    let spec = |change: Value| {
        let stored = admission.create(&changed("main", &change)).unwrap();
        stored["spec"].clone()
    };
    let defaults = json!({
        "provider": "Cubewire",
        "clientSecretRef": {"name": "client", "clientIDKey": "client-id", "clientSecretKey": "client-secret"},
        "grant": "ClientCredentials",
        "clientAuthentication": "Body",
        "refreshBefore": "5m",
        "assumedLifetime": "1h",
        "target": {"type": "Opaque", "deletionPolicy": "Delete"},
        "suspend": false,
    });
    assert_eq!(spec(json!({})), defaults);
    let mut partly = defaults;
    merge(
        &mut partly,
        &json!({
            "caBundleRef": {"name": "bundle", "kind": "ConfigMap", "key": "ca.crt"},
            "target": {"name": "other"},
        }),
    );
    assert_eq!(
        spec(json!({"spec": {"caBundleRef": {"name": "bundle"}, "target": {"name": "other"}}})),
        partly
    );
}

#[test]
fn a_field_that_does_not_exist_is_named_by_kubectl() {
    let place = Place::new();
    for (change, named) in [
        (
            json!({"spec": {"tokenUrl": "https://example.com/"}}),
            "spec.tokenUrl",
        ),
        (
            json!({"spec": {"clientSecretRef": {"namespace": "elsewhere"}}}),
            "spec.clientSecretRef.namespace",
        ),
    ] {
        let error = place.apply_error(&changed("main", &change));
        assert!(
            error.contains(&format!("{named}: field not declared in schema")),
            "{error}"
        );
    }
}

#[test]
fn kubectl_knows_the_short_name_the_category_and_the_columns() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&changed(
        "waiting",
        &json!({"spec": {"clientSecretRef": {"name": "absent"}}}),
    ));
    place.wait_for("waiting", "not ready", |status| {
        is(status, Ready, "False", "ClientSecretNotFound")
    });
    let status = place.ready_main();
    let expires_at = status.expires_at.unwrap().to_string();

    let table = place.kubectl(&["get", "cubecred"]);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "NAME",
            "PROVIDER",
            "READY",
            "REFRESHED",
            "EXPIRES",
            "SECRET",
            "AGE"
        ]
    );
    assert_eq!(
        rows[1][..6],
        [
            "main",
            "Custom",
            "True",
            "TokenIssued",
            &expires_at,
            "main-token"
        ]
    );
    assert_eq!(
        rows[2][..4],
        ["waiting", "Cubewire", "False", "ClientSecretNotFound"]
    );
    assert_eq!(rows.len(), 3);
    let names = |kind: &str| place.kubectl(&["get", kind, "-o", "name"]);
    assert_eq!(
        names("cube"),
        "cubecredential.cube-operator.dev/main\ncubecredential.cube-operator.dev/waiting\n"
    );
    // The same without the API server's help.
    place.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "cubecred/main",
        "--timeout=10s",
    ]);
}

#[test]
fn an_object_that_is_copied_with_its_status_makes_no_exchange_and_gets_a_status_of_its_own() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let main = place.get("cubecredential", "main").unwrap();

    // As a backup is restored: with all that `kubectl get -o yaml` shows.
    place.after_reconcile(&operator, || {
        let mut copy = main.clone();
        copy["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        copy["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("resourceVersion");
        copy["metadata"]["labels"] = json!({"restored": "yes"});
        place.apply(&copy);
    });
    assert_eq!(place.exchanges(), [200]);
    assert_eq!(
        place.get("cubecredential", "main").unwrap()["status"],
        main["status"]
    );

    // Somebody writes the status of one object into another that has no token.
    place.apply(&{
        let mut other = place.credential("other");
        other["spec"]["suspend"] = json!(true);
        other
    });
    place.wait_for("other", "Suspended", |status| {
        is(status, Ready, "False", "Suspended")
    });
    let own = place.get("cubecredential", "other").unwrap()["status"].clone();
    let copied = json!({"status": main["status"]}).to_string();
    place.kubectl(&[
        "patch",
        "cubecredential",
        "other",
        "--subresource=status",
        "--type=merge",
        "-p",
        &copied,
    ]);
    place.wait_for("other", "Suspended again", |status| {
        is(status, Ready, "False", "Suspended")
    });
    let restored = place.get("cubecredential", "other").unwrap()["status"].clone();
    let conditions = |status: &Value| {
        status["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|condition| {
                (
                    condition["type"].clone(),
                    condition["status"].clone(),
                    condition["message"].clone(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(conditions(&restored), conditions(&own));
    assert_eq!(
        place.exchanges(),
        [200],
        "none for a status that says anything"
    );
}

//! Whoever writes the spec of a `CubeCredential` must be allowed to read the Secrets that it names.

use std::fs;

use kube::CustomResourceExt;
use serde_json::{Value, json};

use crate::{environment::ROOT, place::manifest};
use cube_operator::api::CubeCredential;

use super::{Users, credential, rule};

pub(super) fn refusal(user: &str, what: &str) -> String {
    format!(
        "user \"{user}\" may not get {what}, so may not let the operator use it: ask for the right to get it, or have somebody \
         with that right make this change"
    )
}

/// An object that a spec names, and how a refusal tells it.
pub(super) struct Named {
    resource: &'static str,
    name: &'static str,
    pub(super) told: &'static str,
}

pub(super) const CLIENT: Named = Named {
    resource: "secrets",
    name: "client",
    told: "Secret \"client\" (spec.clientSecretRef)",
};
const SEED: Named = Named {
    resource: "secrets",
    name: "login",
    told: "Secret \"login\" (spec.refreshTokenRef)",
};
const STATE: Named = Named {
    resource: "secrets",
    name: "main-cube-state",
    told: "Secret \"main-cube-state\" (where the refresh token is kept)",
};
const ROOTS: Named = Named {
    resource: "secrets",
    name: "roots",
    told: "Secret \"roots\" (spec.caBundleRef)",
};
const BUNDLE: Named = Named {
    resource: "configmaps",
    name: "bundle",
    told: "ConfigMap \"bundle\" (spec.caBundleRef)",
};

fn login(ca_bundle: &Value) -> Value {
    let mut object = credential("main");
    object["spec"]["grant"] = json!("RefreshToken");
    object["spec"]["refreshTokenRef"] = json!({"name": "login"});
    object["spec"]["caBundleRef"] = ca_bundle.clone();
    object
}

fn create(file: &str) -> [&str; 4] {
    ["create", "--dry-run=server", "-f", file]
}

#[test]
fn an_author_must_be_allowed_to_get_each_secret_and_config_map_that_the_spec_names() {
    let users = Users::new();
    let files = [
        json!({"kind": "Secret", "name": "roots"}),
        json!({"name": "bundle"}),
    ]
    .map(|ca_bundle| manifest(&login(&ca_bundle)));
    let (with_secret, with_config_map) = (create(&files[0]), create(&files[1]));

    for (refused, named, lacking) in [
        (with_secret, [SEED, STATE, ROOTS], CLIENT),
        (with_secret, [CLIENT, STATE, ROOTS], SEED),
        (with_secret, [CLIENT, SEED, ROOTS], STATE),
        (with_secret, [CLIENT, SEED, STATE], ROOTS),
        (with_config_map, [CLIENT, SEED, STATE], BUNDLE),
    ] {
        let user = format!("without-{}", lacking.name);
        let mut rules = vec![rule("cubecredentials", &json!(["create"]), None)];
        rules.extend(named.map(|n| rule(n.resource, &json!(["get"]), Some(&[n.name]))));
        users.grant(&user, &json!(rules));
        users.may_not(&user, &refused, "authors", &refusal(&user, lacking.told));
        // With the right to this object too, nothing is missing.
        rules.push(rule(
            lacking.resource,
            &json!(["get"]),
            Some(&[lacking.name]),
        ));
        users.grant(&user, &json!(rules));
        users.may(&user, &refused);
    }
    users.may("owner", &with_secret);
    users.may("owner", &with_config_map);
    // The API server completes the name before it asks the policy, which derives the name of the state from it.
    let mut generated = login(&json!({"name": "bundle"}));
    generated["metadata"] = json!({"generateName": "main-"});
    users.may("owner", &create(&manifest(&generated)));
}

#[test]
fn an_author_without_the_secrets_may_annotate_label_and_delete_but_neither_create_nor_change_the_spec()
 {
    let users = Users::new();
    let mut object = credential("main");
    let file = manifest(&object);
    let refused = |user: &str, arguments: &[&str]| {
        let message = refusal(user, CLIENT.told);
        users.may_not(user, arguments, "authors", &message);
    };
    refused("author", &["apply", "-f", &file]);
    users.may("owner", &["apply", "-f", &file]);

    object["spec"]["tokenURL"] = json!("https://attacker.example/token");
    let elsewhere = manifest(&object);
    refused(
        "author",
        &[
            "apply",
            "--server-side",
            "--force-conflicts",
            "-f",
            &elsewhere,
        ],
    );
    refused("author", &["replace", "-f", &elsewhere]);
    let suspend = [
        "patch",
        "cubecredential",
        "main",
        "--type=merge",
        "-p",
        r#"{"spec": {"suspend": true}}"#,
    ];
    refused("author", &suspend);
    users.may(
        "author",
        &["annotate", "cubecredential", "main", "note=theirs"],
    );
    users.may(
        "author",
        &["label", "cubecredential", "main", "team=theirs"],
    );
    users.may("owner", &suspend);

    // A ServiceAccount that applies what is in a repository is a user like others.
    let account = format!("system:serviceaccount:{}:gitops", users.place.namespace);
    users.grant(
        &account.replace(':', "-"),
        &json!([rule("cubecredentials", &json!(["*"]), None)]),
    );
    users.place.kubectl(&[
        "create",
        "rolebinding",
        "gitops",
        "--role=author",
        &format!("--serviceaccount={}:gitops", users.place.namespace),
    ]);
    refused(&account, &["apply", "-f", &elsewhere]);
    users.may("author", &["delete", "cubecredential", "main"]);
}

pub(super) fn no_tokens(user: &str, what: &str) -> String {
    format!(
        "user \"{user}\" may not create tokens of ServiceAccount {what}, so may not let the operator use them: ask for the right to \
         create serviceaccounts/token, or have somebody with that right make this change"
    )
}

#[test]
fn an_author_must_be_allowed_to_create_tokens_of_the_service_accounts_that_the_spec_names() {
    let users = Users::new();
    let write = rule("cubecredentials", &json!(["*"]), None);
    let token = |name: &str| rule("serviceaccounts/token", &json!(["create"]), Some(&[name]));
    users.grant("other", &json!([write, token("other")]));
    users.grant("billing", &json!([write, token("billing")]));
    users.grant("both", &json!([write, token("billing"), token("subject")]));
    let mut object = credential("main");
    let spec = object["spec"].as_object_mut().unwrap();
    spec.remove("clientSecretRef");
    spec.insert("clientAuthentication".into(), json!("ServiceAccountToken"));
    spec.insert(
        "clientAssertion".into(),
        json!({"audience": "https://login.example.com", "serviceAccountName": "billing"}),
    );
    let file = manifest(&object);
    for user in ["author", "other"] {
        let message = no_tokens(user, "\"billing\" (spec.clientAssertion)");
        users.may_not(user, &create(&file), "authors", &message);
    }
    users.may("billing", &create(&file));

    object["spec"]["grant"] = json!("TokenExchange");
    object["spec"]["tokenExchange"] = json!({
        "subjectServiceAccount": {"name": "subject", "audience": "https://login.example.com"},
    });
    let file = manifest(&object);
    let subject = "\"subject\" (spec.tokenExchange.subjectServiceAccount)";
    let message = no_tokens("billing", subject);
    users.may_not("billing", &create(&file), "authors", &message);
    users.may("both", &create(&file));
}

#[test]
fn an_author_must_be_allowed_to_get_the_subject_token_that_the_spec_names() {
    let users = Users::new();
    let write = rule("cubecredentials", &json!(["*"]), None);
    let client = rule("secrets", &json!(["get"]), Some(&["client"]));
    let subject = rule("secrets", &json!(["get"]), Some(&["subject"]));
    users.grant("with-client", &json!([write, client]));
    users.grant("with-both", &json!([write, client, subject]));
    let mut object = credential("main");
    object["spec"]["grant"] = json!("TokenExchange");
    object["spec"]["tokenExchange"] = json!({"subjectTokenRef": {"name": "subject"}});
    let file = manifest(&object);
    let told = "Secret \"subject\" (spec.tokenExchange.subjectTokenRef)";
    let message = refusal("with-client", told);
    users.may_not("with-client", &create(&file), "authors", &message);
    users.may("with-both", &create(&file));
}

/// Templates are a right to write any Secret: a release for Helm to roll back to, a cluster for Argo CD, a certificate.
#[test]
fn an_author_must_be_allowed_to_create_secrets_to_decide_what_is_in_one() {
    let users = Users::new();
    let get = rule("secrets", &json!(["get"]), Some(&["client"]));
    let write = rule("cubecredentials", &json!(["*"]), None);
    users.grant("reader", &json!([write, get]));
    let with = |target: Value| {
        let mut object = credential("main");
        object["spec"]["target"] = target;
        manifest(&object)
    };
    let plain = with(json!({"type": "helm.sh/release.v1", "labels": {"owner": "helm"}}));
    let null = with(json!({"data": null}));
    users.may("reader", &create(&plain));
    users.may("reader", &create(&null));
    let message = "user \"reader\" may not create Secrets, so may not write one with spec.target.data: ask for the right to \
                   create Secrets, or have somebody with that right make this change";
    let refused = |arguments: &[&str]| users.may_not("reader", arguments, "authors", message);
    let targets = [
        json!({"data": {"key": "{{ access_token }}"}}),
        json!({"type": "helm.sh/release.v1", "name": "sh.helm.release.v1.app.v9", "labels": {"owner": "helm"}, "data": {"release": "x"}}),
        json!({"labels": {"argocd.argoproj.io/secret-type": "cluster"}, "data": {"server": "https://attacker.example"}}),
        json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "x", "tls.key": "x"}}),
    ]
    .map(with);
    for target in &targets {
        refused(&create(target));
        users.may("owner", &create(target));
    }
    users.may("owner", &["create", "-f", &targets[0]]);
    let suspend = r#"{"spec": {"suspend": true}}"#;
    let patch = ["patch", "cubecredential", "main", "--type=merge", "-p"];
    refused(&[&patch[..], &[suspend]].concat());
    users.may("reader", &["label", "cubecredential", "main", "team=a"]);
    let without = r#"{"spec": {"target": null}}"#;
    users.may("reader", &[&patch[..], &[without]].concat());
}

#[test]
fn a_neighbour_may_use_the_secrets_of_the_own_namespace_and_no_others() {
    let users = Users::new();
    let file = manifest(&credential("main"));
    users.may(
        "neighbour",
        &["create", "--namespace", &users.next, "-f", &file],
    );
    users.has_no_right("neighbour", &["create", "-f", &file]);
    // Nobody has a right to Secrets there, but that namespace is not watched.
    let unwatched = format!("{}-unwatched", users.place.namespace);
    users
        .place
        .plane
        .kubectl(&["create", "namespace", &unwatched]);
    let edit = format!("cube-operator.{}.edit", users.place.namespace);
    users.bind(&unwatched, "author", &edit);
    users.bind(&users.next, "author", &edit);
    users.may(
        "author",
        &["create", "--namespace", &unwatched, "-f", &file],
    );
    users.may_not(
        "author",
        &[
            "create",
            "--namespace",
            &users.next,
            "-f",
            &file,
            "--dry-run=server",
        ],
        "authors",
        &refusal("author", CLIENT.told),
    );
}

#[test]
fn a_field_that_is_null_names_nothing() {
    let users = Users::new();
    let mut object = credential("main");
    object["spec"]["refreshTokenRef"] = Value::Null;
    object["spec"]["caBundleRef"] = Value::Null;
    let file = manifest(&object);
    users.grant(
        "narrow",
        &json!([
            rule("cubecredentials", &json!(["create"]), None),
            rule("secrets", &json!(["get"]), Some(&["client"])),
        ]),
    );
    users.may("narrow", &["create", "-f", &file]);
    // It is the policy in force that has let it pass.
    users.may_not(
        "author",
        &[
            "create",
            "--dry-run=server",
            "-f",
            &manifest(&credential("other")),
        ],
        "authors",
        &refusal("author", CLIENT.told),
    );
    users.may(
        "narrow",
        &[
            "create",
            "--dry-run=server",
            "-f",
            &manifest(&credential("other")),
        ],
    );
}

#[test]
fn the_policy_knows_every_reference_of_the_definition() {
    let path = format!("{ROOT}/charts/cube-operator/templates/policies/authors.yaml");
    let policy = fs::read_to_string(path).unwrap();
    let definition = serde_json::to_value(CubeCredential::crd()).unwrap();
    let version = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let fields = version["properties"]["spec"]["properties"]
        .as_object()
        .unwrap();
    // A provider object names no Secret, and has no secret in it.
    let names_secret = |name: &&String| name.ends_with("Ref") && *name != "providerRef";
    let references: Vec<_> = fields.keys().filter(names_secret).collect();
    assert!(references.len() >= 3, "{references:?}");
    let exchange = fields["tokenExchange"]["properties"].as_object().unwrap();
    let names_object = |name: &&String| exchange[*name]["properties"]["name"].is_object();
    let exchange: Vec<_> = exchange.keys().filter(names_object).collect();
    assert_eq!(exchange, ["subjectServiceAccount", "subjectTokenRef"]);
    for object in exchange {
        let path = format!("object.spec.?tokenExchange.?{object}.?name");
        assert!(policy.contains(&path), "{path}");
    }
    for reference in references {
        assert!(
            policy.contains(&format!("object.spec.{reference}.name")),
            "spec.{reference}"
        );
    }
}

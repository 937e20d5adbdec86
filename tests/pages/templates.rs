//! What the examples with templates render to, for a token that needs every kind of quoting.

use std::{collections::BTreeMap, fs, path::Path};

use cube_operator::{
    api::CubeCredentialSpec,
    template::{SecretType, Templates, Values},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::page::{ROOT, files};

const TOKEN: &str = "a.b-c_d~e+f/g=";

/// The type of a target and its keys.
type Target = (String, BTreeMap<String, String>);

/// The specs with templates in the examples, by their files.
fn specs() -> BTreeMap<String, CubeCredentialSpec> {
    let mut specs = BTreeMap::new();
    for path in files("docs/examples", &[".yaml"]) {
        let text = fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        for document in text.split("\n---\n") {
            let object: Value = serde_saphyr::from_str(document).unwrap();
            if object["spec"]["target"]["data"].is_object() {
                let spec = serde_json::from_value(object["spec"].clone()).unwrap();
                let name = path.strip_prefix("docs/examples/").unwrap();
                specs.insert(name.to_owned(), spec);
            }
        }
    }
    specs
}

fn rendered(spec: &CubeCredentialSpec) -> Target {
    let templates = Templates::compile(&spec.target.data).unwrap();
    let values = Values {
        access_token: &TOKEN.into(),
        token_type: "Bearer",
        issued_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        expires_at: "2026-11-21T11:00:00Z".parse().unwrap(),
        scopes: &[],
        client_id: "MY-ID",
        namespace: "treasury",
        name: "example",
        response: Some(&BTreeMap::new()),
    };
    let data = templates.render(&values).unwrap();
    if let Some(of) = SecretType::named(&spec.target.r#type) {
        of.check(&data).unwrap();
    }
    let data = data
        .iter()
        .map(|(key, text)| (key.clone(), text.expose_secret().to_owned()));
    (spec.target.r#type.clone(), data.collect())
}

#[test]
fn each_example_with_templates_renders_to_what_its_consumer_reads() {
    let header = format!("Bearer {TOKEN}");
    let basic = |more: Value| {
        let mut data = json!({"username": "oauth2", "password": TOKEN});
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        data
    };
    // base64 of oauth2:TOKEN
    let auth = "b2F1dGgyOmEuYi1jX2R+ZStmL2c9";
    let expected = [
        (
            "argo-cd.yaml",
            "Opaque",
            basic(json!({"type": "git", "url": "https://git.example.com/my/repository.git"})),
        ),
        (
            "basic-auth.yaml",
            "kubernetes.io/basic-auth",
            basic(json!({})),
        ),
        (
            "env-file.yaml",
            "Opaque",
            json!({"api.env": format!("API_TOKEN={TOKEN}\nAPI_TOKEN_EXPIRES_AT=1795258800\nAPI_URL=https://api.example.com\n")}),
        ),
        (
            "envoy-gateway.yaml",
            "Opaque",
            json!({"credential": header}),
        ),
        ("flux-basic.yaml", "Opaque", basic(json!({}))),
        ("flux-bearer.yaml", "Opaque", json!({"bearerToken": TOKEN})),
        (
            "header.yaml",
            "Opaque",
            json!({"header": format!("Authorization: {header}")}),
        ),
        (
            "netrc.yaml",
            "Opaque",
            json!({".netrc": format!("machine git.example.com\nlogin oauth2\npassword {TOKEN}\n")}),
        ),
        (
            "registry.yaml",
            "kubernetes.io/dockerconfigjson",
            json!({".dockerconfigjson": format!("{{\"auths\": {{\"registry.example.com\": {{\"auth\": \"{auth}\"}}}}}}\n")}),
        ),
    ];
    let specs = specs();
    assert!(
        specs.keys().eq(expected.each_ref().map(|(file, ..)| *file)),
        "each example has a row"
    );
    for (file, r#type, data) in expected {
        let data: BTreeMap<_, _> = serde_json::from_value(data).unwrap();
        assert_eq!(rendered(&specs[file]), (r#type.to_owned(), data), "{file}");
    }
}

#[test]
fn the_repository_of_argo_cd_has_the_label_that_argo_cd_looks_for() {
    let labels = &specs()["argo-cd.yaml"].target.labels;
    assert_eq!(labels["argocd.argoproj.io/secret-type"], "repository");
}

//! The files in `docs/examples`: the API server accepts each of them as it is, and each `CubeCredential` in them gets its token from a
//! token endpoint that stands in for the provider's.

mod exchanges;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs,
};

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    environment::{ROOT, directory, tool},
    operator::eventually,
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};
use exchanges::{
    A_JWT,
    Authentication::{AccountToken, Assertion, Basic, Bearer, Body, Certificate},
    EXCHANGES, Exchange,
};

/// The key that stands in for the placeholder of an example.
const PRIVATE_KEY: &str = include_str!("../fuzz/corpus/private_key/p256-pkcs8");
/// Its certificate.
const CERTIFICATE: &str = include_str!("../fuzz/corpus/private_key/certificate");

/// The names of all files.
fn files() -> Vec<String> {
    let entries = fs::read_dir(format!("{ROOT}/docs/examples")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The objects in a file.
fn objects(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(format!("{ROOT}/docs/examples/{file}")).unwrap();
    let documents = text.split("\n---\n");
    documents
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

fn is_credential(object: &Value) -> bool {
    object["kind"] == "CubeCredential"
}

#[test]
fn each_example_with_a_credential_has_a_row_and_each_row_a_file() {
    let with_credential = files()
        .into_iter()
        .filter(|file| objects(file).iter().any(is_credential));
    let rows = EXCHANGES.iter().map(|row| row.file);
    assert!(with_credential.eq(rows), "add a row to EXCHANGES");
}

#[test]
fn the_api_server_accepts_each_example_as_it_is() {
    let place = Place::new();
    // The controllers make no pod without it.
    eventually("the ServiceAccount", || {
        place.get("serviceaccount", "default")
    });
    for file in files() {
        let path = format!("{ROOT}/docs/examples/{file}");
        place.kubectl(&["apply", "--server-side", "--validate=strict", "-f", &path]);
    }
}

/// The provider's host and CA are replaced, the placeholders of a private key and its certificate, and nothing else.
fn at_provider(object: &mut Value, authority: &Authority, url: impl Fn(&str) -> String) {
    let annotations = &mut object["metadata"]["annotations"];
    if annotations.is_object() {
        annotations["cube-operator.dev/token-hosts"] = json!("localhost");
        annotations["cube-operator.dev/token-ca"] = json!("ConfigMap/stand-in,CubeProvider/login");
    }
    if let Some(key) = object.pointer_mut("/stringData/private-key") {
        *key = json!(PRIVATE_KEY);
    }
    if let Some(key) = object.pointer_mut("/stringData/tls.key") {
        *key = json!(PRIVATE_KEY);
        object["stringData"]["tls.crt"] = json!(CERTIFICATE);
    }
    if object["kind"] == "CubeProvider" {
        let spec = &mut object["spec"];
        spec["tokenURL"] = json!(url(spec["tokenURL"].as_str().unwrap()));
        spec["caBundle"] = json!(authority.pem());
    }
    // Otherwise its provider object says where its token comes from.
    if is_credential(object) && object["spec"]["provider"].is_string() {
        let spec = &mut object["spec"];
        let token_url = match spec["tokenURL"].as_str() {
            Some(url) => url.to_owned(),
            None => default_url(spec["provider"].as_str().unwrap()).to_owned(),
        };
        spec["tokenURL"] = json!(url(&token_url));
        if spec["probe"].is_object() {
            spec["probe"]["url"] = json!(url(&token_url));
        }
        spec["caBundleRef"] = json!({"name": "stand-in"});
    }
}

/// The token endpoints of the presets, as their pages show them.
fn default_url(provider: &str) -> &'static str {
    match provider {
        "Cubewire" => "https://api.cubewire.com/api/v1/oauth2/token",
        "CubeSoftware" => "https://api.cubesoftware.com/o/token/",
        other => panic!("provider {other} needs a tokenURL"),
    }
}

#[test]
fn each_example_with_a_credential_gets_its_token() {
    let place = Place::new();
    let authority = Authority::new("stand-in");
    place.trust("stand-in", &authority);
    let certificate = authority.certificate(&LOCAL);
    let mut providers = BTreeMap::new();
    let mut names = Vec::new();
    let mut rendered = Vec::new();
    for row in EXCHANGES {
        let provider = Provider::start(&certificate, |_| Reply::token("t"));
        for mut object in objects(row.file) {
            at_provider(&mut object, &authority, |url| {
                let (_, rest) = url.split_once("://").unwrap();
                let path = &rest[rest.find('/').unwrap()..];
                assert_eq!(path, row.target, "{}", row.file);
                provider.url(path)
            });
            place.apply(&object);
            if is_credential(&object) {
                names.push(object["metadata"]["name"].as_str().unwrap().to_owned());
                rendered.extend(
                    object["spec"]["target"]["data"]
                        .is_object()
                        .then_some(object),
                );
            }
        }
        providers.insert(row.file, provider);
    }
    place.reinstall("serviceAccountTokens=true");
    let _operator = place.operator_with(&["--service-account-tokens"], &[]);
    for name in &names {
        place.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    }
    for object in &rendered {
        place.assert_rendered(object);
    }
    for row in EXCHANGES {
        let mut requests = providers[row.file].requests();
        // The token was tried at the stand-in too.
        requests.retain(|request| request.method == "POST");
        assert_eq!(requests.len(), 1, "{}", row.file);
        row.assert_sent(&requests[0]);
    }
}

impl Place {
    /// `tests/pages` compares the values of each key.
    fn assert_rendered(&self, object: &Value) {
        let spec = &object["spec"]["target"];
        let name = format!("{}-token", object["metadata"]["name"].as_str().unwrap());
        let secret = self.get("secret", spec["name"].as_str().unwrap_or(&name));
        let secret = secret.unwrap_or_else(|| panic!("there is no {name}"));
        let keys = |data: &Value| {
            let keys = data.as_object().unwrap().keys();
            keys.cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(keys(&secret["data"]), keys(&spec["data"]), "{name}");
        let r#type = spec["type"].as_str().unwrap_or("Opaque");
        assert_eq!(secret["type"], r#type, "{name}");
        for (label, value) in spec["labels"].as_object().into_iter().flatten() {
            assert_eq!(&secret["metadata"]["labels"][label], value, "{name}");
        }
    }
}

impl Exchange {
    fn assert_sent(&self, request: &Request) {
        assert_eq!(request.target, self.target, "{}", self.file);
        let mut form: BTreeMap<_, _> =
            url::form_urlencoded::parse(request.body.as_bytes()).collect();
        let mut headers = request.headers.iter();
        let basic = headers.any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let proof = match self.authentication {
            Assertion | AccountToken => {
                assert!(form.remove("client_assertion_type").is_some());
                // It is another one each time.
                let assertion = form.remove("client_assertion");
                assertion.filter(|token| token.split('.').count() == 3)
            }
            Bearer => form.remove("assertion"),
            // The handshake proves the client.
            Certificate => Some("".into()),
            Body | Basic => form.remove("client_secret"),
        };
        let id = form.remove("client_id");
        if matches!(self.authentication, AccountToken | Bearer) {
            // The token or the assertion names the client.
            assert_eq!((basic, id, proof.is_some()), (false, None, true));
            return self.assert_form(&form);
        }
        let in_body = [id, proof];
        let expected = match self.authentication {
            Body | Assertion | Certificate => (false, true),
            Basic | AccountToken | Bearer => (true, false),
        };
        let found = (basic, in_body.iter().all(Option::is_some));
        assert_eq!(found, expected, "{}", self.file);
        self.assert_form(&form);
    }

    /// The other fields of the form are these.
    fn assert_form(&self, form: &BTreeMap<Cow<'_, str>, Cow<'_, str>>) {
        let form = form.iter().map(|(name, value)| match &**name {
            "subject_token" if value.split('.').count() == 3 => (&**name, A_JWT),
            name => (name, &**value),
        });
        let expected: BTreeMap<_, _> = self.form.iter().copied().collect();
        assert_eq!(form.collect::<BTreeMap<_, _>>(), expected, "{}", self.file);
    }
}

#[test]
fn prometheus_understands_the_example_for_it() {
    let objects = objects("prometheus.yaml");
    let config = objects[0]["data"]["prometheus.yml"].as_str().unwrap();
    let path = directory("example").join("prometheus.yml");
    fs::write(&path, config).unwrap();
    let mut promtool = tool("promtool");
    promtool.args(["check", "config", "--syntax-only", path.to_str().unwrap()]);
    crate::environment::output(&mut promtool);
}

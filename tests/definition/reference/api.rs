//! `api.md`, from the definition that the API server has.

use std::collections::{BTreeMap, BTreeSet};

use cube_operator::api::{
    ClusterCubeProvider, CubeCredential, CubeCredentialSpec, CubeCredentialStatus, CubeProvider,
    ProviderStatus,
};
use kube::CustomResourceExt;
use serde_json::{Map, Value};
use syn::{Fields, Item};

use super::{Table, check, code, names, prose, read};

/// The documentation of the values of enums, by the list of values and the value. The definition has no place for it.
type Meanings = BTreeMap<(BTreeSet<String>, String), String>;

fn meanings() -> Meanings {
    let mut meanings = Meanings::new();
    for schema in [
        schemars::schema_for!(CubeCredentialSpec),
        schemars::schema_for!(CubeCredentialStatus),
        schemars::schema_for!(ProviderStatus),
    ] {
        for part in schema.as_value()["$defs"].as_object().unwrap().values() {
            let Some(variants) = part["oneOf"].as_array() else {
                continue;
            };
            let name = |variant: &Value| variant["const"].as_str().unwrap().to_owned();
            let all: BTreeSet<_> = variants.iter().map(name).collect();
            for variant in variants {
                let text = variant["description"].as_str().unwrap_or_default();
                meanings.insert((all.clone(), name(variant)), text.to_owned());
            }
        }
    }
    meanings
}

/// The fields of each struct, in their order there.
fn structs() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for path in [
        "src/api/spec.rs",
        "src/api/spec/assertion.rs",
        "src/api/spec/ca_bundle.rs",
        "src/api/spec/client.rs",
        "src/api/spec/consumers.rs",
        "src/api/spec/jwt_bearer.rs",
        "src/api/spec/probe.rs",
        "src/api/spec/provider_ref.rs",
        "src/api/provider.rs",
        "src/api/provider/bundle.rs",
        "src/api/provider/status.rs",
        "src/api/spec/target.rs",
        "src/api/spec/token_exchange.rs",
        "src/api/status.rs",
        "src/api/condition.rs",
    ] {
        for item in syn::parse_file(&read(path)).unwrap().items {
            if let Item::Struct(item) = item
                && let Fields::Named(fields) = item.fields
            {
                found.push(fields.named.iter().map(json_name).collect());
            }
        }
    }
    found
}

fn json_name(field: &syn::Field) -> String {
    let mut name = None;
    for attribute in &field.attrs {
        if attribute.path().is_ident("serde") {
            // Other settings of serde are passed over.
            let _ = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") {
                    name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
                } else if let Ok(value) = meta.value() {
                    value.parse::<syn::LitStr>()?;
                }
                Ok(())
            });
        }
    }
    name.unwrap_or_else(|| {
        let ident = field.ident.as_ref().unwrap().to_string();
        let mut words = ident.trim_start_matches("r#").split('_');
        let first = words.next().unwrap().to_owned();
        words.fold(first, |name, word| {
            name + &word[..1].to_uppercase() + &word[1..]
        })
    })
}

struct Reference {
    meanings: Meanings,
    structs: Vec<Vec<String>>,
}

impl Reference {
    /// The fields of an object in the order of the sources.
    fn fields<'a>(&self, object: &'a Value) -> Vec<(&'a String, &'a Value)> {
        let properties = object["properties"].as_object().unwrap();
        let same = |fields: &&Vec<String>| {
            fields.len() == properties.len()
                && fields.iter().all(|name| properties.contains_key(name))
        };
        let order = self.structs.iter().find(same);
        let order =
            order.unwrap_or_else(|| panic!("no struct has the fields {:?}", keys(properties)));
        let of = |name| properties.get_key_value(name).unwrap();
        order.iter().map(of).collect()
    }

    /// One row for each field of an object, and of the objects in it.
    fn rows(&self, table: &mut Table, path: &str, object: &Value) {
        let required = object["required"].as_array();
        for (name, field) in self.fields(object) {
            let is_required = required.is_some_and(|names| names.iter().any(|other| other == name));
            let path = format!("{path}.{name}");
            let default = match default(field) {
                _ if is_required => "required".to_owned(),
                default => default,
            };
            table.row([code(&path), kind(field), default, self.description(field)]);
            if let Some(inner) = inner_object(field) {
                self.rows(table, &path, inner);
            }
        }
    }

    /// What the field means, its allowed values, its bounds and its rules.
    fn description(&self, field: &Value) -> String {
        let mut parts = vec![prose(field["description"].as_str().unwrap_or_default())];
        if let Some(allowed) = field["enum"].as_array() {
            let allowed: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
            let all: BTreeSet<_> = allowed.iter().map(|value| (*value).to_owned()).collect();
            for value in allowed {
                let meaning = self.meanings.get(&(all.clone(), value.to_owned()));
                let meaning = meaning
                    .map(|text| prose(text))
                    .filter(|text| !text.is_empty());
                let meaning = meaning.map(|text| format!(": {text}")).unwrap_or_default();
                parts.push(format!("• `{value}`{meaning}"));
            }
        }
        let bounds = bounds(field);
        if !bounds.is_empty() {
            parts.push(format!("*{}.*", bounds.join("; ")));
        }
        for rule in messages(field) {
            parts.push(format!("*Rule:* {}.", prose(rule)));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("<br>")
    }
}

fn keys(map: &Map<String, Value>) -> Vec<&String> {
    map.keys().collect()
}

fn inner_object(field: &Value) -> Option<&Value> {
    [field, &field["items"]]
        .into_iter()
        .find(|part| part["properties"].is_object())
}

fn default(field: &Value) -> String {
    match &field["default"] {
        Value::Null => String::new(),
        Value::String(text) => code(text),
        Value::Object(map) if field["properties"].is_object() && !map.is_empty() => String::new(),
        other => code(&other.to_string()),
    }
}

fn kind(field: &Value) -> String {
    let element = |part: &Value| kind(part);
    match field["type"].as_str().unwrap_or_default() {
        "string" if field["format"] == "date-time" => "time".into(),
        "string" if field["enum"].is_array() => "one of".into(),
        "array" if field["x-kubernetes-list-type"] == "set" => {
            format!("set of {}s", element(&field["items"]))
        }
        "array" => format!("list of {}s", element(&field["items"])),
        "object" if field["additionalProperties"].is_object() => {
            format!("map of {}s", element(&field["additionalProperties"]))
        }
        other => other.to_owned(),
    }
}

fn bounds(field: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (part, unit) in [
        (field, ""),
        (&field["items"], "each "),
        (&field["additionalProperties"], "each "),
    ] {
        let number = |name: &str| part[name].as_u64();
        let most = |name: &str, what: &str| {
            number(name).map(|most| format!("{unit}at most {most} {what}"))
        };
        found.extend(most("maxLength", "characters"));
        found.extend(most("maxItems", "entries"));
        found.extend(most("maxProperties", "entries"));
        if let Some(pattern) = part["pattern"].as_str() {
            found.push(format!("{unit}matches `{pattern}`"));
        }
    }
    found
}

fn messages(part: &Value) -> Vec<&str> {
    let rules = part["x-kubernetes-validations"].as_array();
    let rules = rules.into_iter().flatten();
    rules
        .map(|rule| rule["message"].as_str().unwrap())
        .collect()
}

#[test]
fn fields_are_listed_with_types_defaults_and_rules() {
    let definition = serde_json::to_value(CubeCredential::crd()).unwrap();
    let root = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let (spec, status) = (&root["properties"]["spec"], &root["properties"]["status"]);
    let reference = Reference {
        meanings: meanings(),
        structs: structs(),
    };
    let mut page = String::from(
        "# CubeCredential, field by field\n\n\
         Group `cube-operator.dev`, version `v1alpha1`, kind `CubeCredential`, in `kubectl` also `cubecredentials`, `cubecred` and (with \
         everything else of this operator) `cube`. `kubectl explain cubecredential.spec` shows the same fields.\n\n\
         The API server checks every rule at `kubectl apply`, and its error has the text of the rule. All references are to objects \
         in the namespace of the CubeCredential. A time is RFC 3339, in UTC and whole seconds. A duration has hours, minutes and \
         seconds, such as `90s`, `5m` or `1h30m`.\n\n\
         ## Spec\n\n",
    );
    let mut table = Table::new(&["field", "type", "default", "meaning"]);
    reference.rows(&mut table, "spec", spec);
    page += &table.0;
    page += "\nRules that are about several fields:\n\n";
    for message in messages(spec).into_iter().chain(messages(root)) {
        page += &format!("- {}.\n", prose(message));
    }
    page += "\nA new exchange follows immediately from a change of anything that the token depends on: token endpoint, grant, client id, \
             client secret, client authentication, parameters, scopes (with `RefreshToken`: `refreshScopes`) and the initial refresh \
             token. No other change causes one.\n\n\
             ## Status\n\n\
             The operator writes it and people read it. A status that is wiped, restored or edited causes no exchange and hides nothing: \
             the Secrets decide. [What the conditions mean](conditions.md).\n\n";
    let mut table = Table::new(&["field", "type", "default", "meaning"]);
    reference.rows(&mut table, "status", status);
    page += &table.0;
    page += &format!(
        "\n## Labels\n\n{}\n## Annotations\n\n{}",
        names::table("label"),
        names::table("annotation")
    );
    check("api.md", "src/api", &page);
}

/// The spec of a kind, or its status.
fn part_of<K: CustomResourceExt>(part: &str) -> Value {
    let definition = serde_json::to_value(K::crd()).unwrap();
    let root = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    root["properties"][part].clone()
}

fn spec_of<K: CustomResourceExt>() -> Value {
    part_of::<K>("spec")
}

#[test]
fn fields_of_provider_objects_are_listed_too() {
    let reference = Reference {
        meanings: meanings(),
        structs: structs(),
    };
    let mut page = String::from(
        "# Provider objects, field by field\n\n\
         Group `cube-operator.dev`, version `v1alpha1`. A CubeCredential names one in `spec.providerRef`: [how](../provider-objects.md).\n\n\
         ## CubeProvider\n\n\
         Namespaced, in `kubectl` also `cubeprov`. It serves the CubeCredentials of its namespace.\n\n",
    );
    let mut table = Table::new(&["field", "type", "default", "meaning"]);
    reference.rows(&mut table, "spec", &spec_of::<CubeProvider>());
    page += &table.0;
    page += "\n## ClusterCubeProvider\n\n\
             Cluster-scoped, in `kubectl` also `ccubeprov`. It has the fields of a CubeProvider, and this one:\n\n";
    let spec = spec_of::<ClusterCubeProvider>();
    let mut table = Table::new(&["field", "type", "default", "meaning"]);
    let mut others = spec_of::<CubeProvider>()["properties"]
        .as_object()
        .unwrap()
        .clone();
    others.retain(|name, _| spec["properties"][name].is_null());
    assert!(others.is_empty(), "{others:?}");
    let field = &spec["properties"]["namespaces"];
    let meaning = reference.description(field);
    table.row([
        code("spec.namespaces"),
        kind(field),
        "required".into(),
        meaning,
    ]);
    page += &table.0;
    page += "\n## Status\n\n\
             Both kinds have the same status. The operator writes it and people read it.\n\n";
    let mut table = Table::new(&["field", "type", "default", "meaning"]);
    let status = part_of::<CubeProvider>("status");
    assert_eq!(status, part_of::<ClusterCubeProvider>("status"));
    reference.rows(&mut table, "status", &status);
    page += &table.0;
    check("providers.md", "src/api/provider.rs", &page);
}

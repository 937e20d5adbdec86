//! Compares two schemas by the fields and values that they allow. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

/// The fields, and the values of fields, that only one of two schemas has.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Differences {
    /// Those that only our own schema has.
    pub(super) missing: Vec<String>,
    /// Those that only the published schema has.
    pub(super) unknown: Vec<String>,
}

/// The differences between our own schema and the published one.
pub(super) fn differences(own: &Value, published: &Value) -> Differences {
    let (own, published) = (fields(own), fields(published));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
    Differences {
        missing: only(&own, &published),
        unknown: only(&published, &own),
    }
}

/// The schema of a kind in an `OpenAPI` document.
pub(super) fn of_kind(document: &Value, kind: &str) -> Option<Value> {
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    let is_kind = |schema: &&Value| {
        let kinds = schema["x-kubernetes-group-version-kind"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|found| found["kind"] == kind))
    };
    schemas.values().find(is_kind).cloned()
}

/// Every path below spec and status, and every value that a field is limited to.
fn fields(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in ["spec", "status"] {
        add(&schema["properties"][part], part, &mut found);
    }
    found
}

fn add(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    for value in schema["enum"].as_array().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            found.insert(format!("{path}={value}"));
        }
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        add(inner, &path, found);
        found.insert(path);
    }
    if schema["items"].is_object() {
        add(&schema["items"], path, found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(spec: &Value) -> Value {
        json!({"properties": {"spec": {"properties": spec}}})
    }

    #[test]
    fn a_missing_field_a_missing_value_and_an_unknown_field_are_named() {
        let own = schema(&json!({
            "grant": {"enum": ["A", "B"]},
            "authorizationURL": {},
            "list": {"items": {"properties": {"name": {}}}},
        }));
        let published = schema(&json!({
            "grant": {"enum": ["A"]},
            "list": {"items": {"properties": {"name": {}, "key": {}}}},
        }));
        assert_eq!(
            differences(&own, &published),
            Differences {
                missing: vec!["spec.authorizationURL".into(), "spec.grant=B".into()],
                unknown: vec!["spec.list.key".into()],
            }
        );
        assert_eq!(differences(&own, &own), Differences::default());
    }

    #[test]
    fn the_schema_of_a_kind_is_found_by_its_mark() {
        let own = json!({"x-kubernetes-group-version-kind": [{"kind": "CubeCredential"}], "a": 1});
        let document = json!({"components": {"schemas": {"x": {}, "y": own}}});
        assert_eq!(of_kind(&document, "CubeCredential").unwrap()["a"], 1);
        assert_eq!(of_kind(&document, "Other"), None);
    }
}

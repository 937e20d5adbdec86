//! Templates as people write them, and as nobody should.

mod bounds;
mod errors;
mod secret_types;
mod syntax;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::*;
use crate::oauth::response::Scalar;

const TOKEN: &str = "secret-token/+=";

fn texts(template: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("key".to_owned(), template.to_owned())])
}

fn compiled(template: &str) -> Templates {
    Templates::compile(&texts(template)).unwrap_or_else(|error| panic!("{template:?}: {error}"))
}

fn response() -> BTreeMap<String, Scalar> {
    let fields = json!({
        "instance_url": "https://example.my.salesforce.com",
        "company_id": 1234,
        "share": 0.5,
        "is_sandbox": false,
        "id_token": "secret-id-token",
        "a b": "with a blank",
    });
    serde_json::from_value(fields).unwrap()
}

fn with_values<T>(
    response: Option<&BTreeMap<String, Scalar>>,
    then: impl FnOnce(&Values<'_>) -> T,
) -> T {
    then(&Values {
        access_token: &TOKEN.into(),
        token_type: "Bearer",
        issued_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        expires_at: "2026-11-21T11:00:00Z".parse().unwrap(),
        scopes: &["read".to_owned(), "write".to_owned()],
        client_id: "the-client",
        namespace: "treasury",
        name: "cubewire",
        response,
    })
}

fn outcome(templates: &Templates) -> Result<String, TemplateError> {
    let rendered = with_values(Some(&response()), |values| templates.render(values))?;
    Ok(rendered["key"].expose_secret().to_owned())
}

fn rendered(template: &str) -> String {
    outcome(&compiled(template)).unwrap_or_else(|error| panic!("{template:?}: {error}"))
}

fn rendered_before_a_response(template: &str) -> String {
    let rendered = with_values(None, |values| compiled(template).render(values)).unwrap();
    rendered["key"].expose_secret().to_owned()
}

/// The error of a template, wherever it shows.
fn error(template: &str) -> TemplateError {
    match Templates::compile(&texts(template)) {
        Err(error) => error,
        Ok(templates) => outcome(&templates).expect_err(template),
    }
}

#[test]
fn debug_output_has_no_text_and_no_value() {
    let templates = compiled("secret-token {{ access_token }}");
    assert_eq!(format!("{templates:?}"), r#"["key"]"#);
    let shown = format!("{:?}", response());
    assert!(
        !shown.contains("secret") && !shown.contains("1234"),
        "{shown}"
    );
}

#[test]
fn templates_say_what_they_use() {
    let plain = compiled("{{ access_token }} {{ name }}");
    assert!(!plain.names_client_id() && !plain.names_response() && !plain.names_id_token());
    assert!(compiled("{{ client_id|b64encode }}").names_client_id());
    let response = compiled("{% if response.company_id is defined %}x{% endif %}");
    assert!(response.names_response() && !response.names_id_token());
    for text in [
        "{{ response.id_token }}",
        "{{ response['id_token']|default('') }}",
    ] {
        assert!(compiled(text).names_id_token(), "{text}");
    }
}

#[test]
fn each_key_is_rendered_from_its_own_template() {
    let texts = BTreeMap::from([
        ("a".to_owned(), "1{{ name }}".to_owned()),
        (".b".to_owned(), "2{{ access_token }}".to_owned()),
    ]);
    let templates = Templates::compile(&texts).unwrap();
    assert_eq!(templates.keys().collect::<Vec<_>>(), [".b", "a"]);
    let rendered = with_values(None, |values| templates.render(values)).unwrap();
    let rendered: Vec<_> = rendered
        .iter()
        .map(|(key, text)| (key.as_str(), text.expose_secret()))
        .collect();
    assert_eq!(rendered, [(".b", "2secret-token/+="), ("a", "1cubewire")]);
}

//! The words of errors, which have no value in them.

use super::*;
use crate::oauth::response::Scalar;

#[test]
fn an_error_names_the_key_the_line_and_what_is_wrong_there() {
    for (template, expected) in [
        (
            "a\n{{ access_tokn }}",
            r#"template "key", line 2: "access_tokn" is undefined; use access_token, client_id, expires_at, expires_at_unix, issued_at, name, namespace, scopes, token_type or response.FIELD"#,
        ),
        (
            "\n\n{{ response.companyid }}",
            r#"template "key", line 3: the response has no field "companyid"; it has company_id, id_token, instance_url, is_sandbox, share"#,
        ),
        (
            "{% for x in scopes %}{% endfor %}",
            r#"template "key", line 1: for cannot be used in a template"#,
        ),
        (
            "{{ name",
            r#"template "key", line 1: unexpected end of input, expected end of variable block"#,
        ),
        (
            "{{ name|rot13 }}",
            r#"template "key", line 1: no filter "rot13"; there are b64encode, default, lower, tojson, trim, upper and urlencode"#,
        ),
        (
            "{{ name is odd }}",
            r#"template "key", line 1: no test "odd"; there are defined and undefined"#,
        ),
        (
            "{{ name|default }}",
            r#"template "key", line 1: filter "default" has one argument"#,
        ),
        (
            "{{ response.refresh_token }}",
            r#"template "key", line 1: response.refresh_token is never published"#,
        ),
    ] {
        assert_eq!(error(template).to_string(), expected, "{template}");
    }
}

#[test]
fn the_field_that_is_missing_is_named_and_not_one_that_may_be() {
    for template in [
        "{{ response.b }}",
        "{{ response['b'] }}",
        "{{ response.a|default('') }}{{ response.b }}",
        "{{ response.b ~ response.a|default('') }}",
        "{% if response.a is defined %}{{ response.a }}{% endif %}{{ response.b|upper }}",
        "{% if response.b %}{% endif %}",
        "{% if response.b == 'x' %}{% endif %}",
        "{% if response.b and name %}{% endif %}",
        "{{ response.a|default(response.b)|upper }}",
    ] {
        match error(template).kind {
            TemplateErrorKind::Field { name, .. } => assert_eq!(name, "b", "{template}"),
            other => panic!("{template}: {other}"),
        }
    }
}

#[test]
fn of_a_response_only_names_are_shown_and_no_odd_ones() {
    let fields: BTreeMap<String, Scalar> = (0..20)
        .map(|number| format!("field-{number:02}"))
        .chain([
            "a b".to_owned(),
            "<x>".to_owned(),
            "a".repeat(41),
            String::new(),
        ])
        .map(|name| (name, Scalar::Boolean(true)))
        .collect();
    let error = with_values(Some(&fields), |values| {
        compiled("{{ response.absent }}")
            .render(values)
            .unwrap_err()
    });
    let expected = r#"template "key", line 1: the response has no field "absent"; it has field-00, field-01, field-02, field-03, field-04, field-05, field-06, field-07 and 2 more"#;
    assert_eq!(error.to_string(), expected);
}

#[test]
fn no_error_has_a_value() {
    for template in [
        "{{ response.absent ~ access_token }}",
        "{{ access_token ~ response.absent }}",
        "{% if access_token > response.absent %}{% endif %}",
        "{{ access_token|upper ~ response.id_token|b64encode ~ response.absent|lower }}",
    ] {
        let shown = format!("{0} {0:?}", error(template));
        assert!(
            !shown.to_lowercase().contains("secret"),
            "{template}: {shown}"
        );
    }
    // The author may have written a secret where it does not belong.
    for template in [
        "{{ 'secret' 1 }}",
        "{{ name, 'secret' }}",
        "secret {% if %}",
        "{{ 'secret",
    ] {
        let shown = format!("{0} {0:?}", error(template));
        assert!(!shown.contains("secret"), "{template}: {shown}");
    }
}

#[test]
fn names_of_any_length_leave_a_message_short() {
    let name = "x".repeat(4000);
    for template in [
        format!("{{{{ {name} }}}}"),
        format!("{{{{ name|{name} }}}}"),
        format!("{{{{ name is {name} }}}}"),
        format!("{{{{ response.{name} }}}}"),
        format!("{{{{ {name}.x }}}}"),
        format!("{{% {name} %}}"),
    ] {
        let shown = error(&template).to_string();
        assert!(shown.len() <= 200, "{} {shown}", shown.len());
    }
}

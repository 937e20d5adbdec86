//! The syntax that there is, and the syntax that there is not.

use super::*;

#[test]
fn every_value_can_be_used() {
    for (template, expected) in [
        ("Bearer {{ access_token }}", "Bearer secret-token/+="),
        ("{{ token_type }}", "Bearer"),
        ("{{ issued_at }}", "2026-11-21T10:00:00Z"),
        ("{{ expires_at }}", "2026-11-21T11:00:00Z"),
        ("{{ expires_at_unix }}", "1795258800"),
        ("{{ scopes }}", "read write"),
        ("{{ client_id }}", "the-client"),
        ("{{ namespace }}/{{ name }}", "treasury/cubewire"),
        ("{{ response.company_id }}", "1234"),
        ("{{ response.share }}", "0.5"),
        (
            "{{ response.is_sandbox }} {{ response.is_sandbox|lower }}",
            "False false",
        ),
        ("{{ response['a b'] }}", "with a blank"),
        (
            "{{ response.instance_url }}",
            "https://example.my.salesforce.com",
        ),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn every_filter_can_be_used() {
    for (template, expected) in [
        (
            "{{ (client_id ~ ':' ~ access_token)|b64encode }}",
            "dGhlLWNsaWVudDpzZWNyZXQtdG9rZW4vKz0=",
        ),
        ("{{ access_token|urlencode }}", "secret-token%2F%2B%3D"),
        ("{{ 'a b~c*ü'|urlencode }}", "a%20b~c%2A%C3%BC"),
        ("{{ 'say \"<a>\"\n'|tojson }}", r#""say \"<a>\"\n""#),
        (
            "{{ response.company_id|tojson }}, {{ response.is_sandbox|tojson }}",
            "1234, false",
        ),
        ("{{ name|upper }} {{ token_type|lower }}", "CUBEWIRE bearer"),
        ("[{{ ' x '|trim }}]", "[x]"),
        ("{{ response.absent|default('none') }}", "none"),
        ("{{ response['absent']|default(name)|upper }}", "CUBEWIRE"),
        ("{{ response.company_id|default(1)|b64encode }}", "MTIzNA=="),
        ("{{ '<&>' }}", "<&>"),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn parts_can_depend_on_values() {
    let template = "{% if response.company_id == 1234 and not response.is_sandbox %}a\
                    {% elif response.absent is defined or name < 'a' %}b{% else %}c{% endif %}";
    assert_eq!(rendered(template), "a");
    assert_eq!(rendered(&template.replace("1234", "1")), "c");
    assert_eq!(
        rendered("{% if 1 < expires_at_unix < 2000000000 %}x{% endif %}"),
        "x"
    );
    assert_eq!(
        rendered("{% if response.absent is undefined %}x{% endif %}"),
        "x"
    );
    assert_eq!(
        rendered("{% if response.absent is not defined %}x{% endif %}"),
        "x"
    );
}

#[test]
fn text_is_kept_as_it_is_written() {
    for text in [
        "",
        "\n",
        "a\n",
        "a\r\n\r\n",
        "{ % } }} 100% #",
        "\u{0}ü\u{1f600}",
    ] {
        assert_eq!(rendered(text), text, "{text:?}");
    }
    assert_eq!(rendered("{% raw %}{{ x }}{% endraw %}{# no #}"), "{{ x }}");
    assert_eq!(rendered("a\n{%- if name %}\nb{% endif -%}\n c"), "a\nbc");
}

#[test]
fn before_the_first_response_each_field_has_a_placeholder() {
    for (template, expected) in [
        ("{{ response.any }}", "before-the-first-response"),
        (
            "{{ response.any|default('x')|upper }}",
            "BEFORE-THE-FIRST-RESPONSE",
        ),
        ("{% if response.any is defined %}x{% endif %}", "x"),
        ("{% if response.any == 5 %}x{% else %}y{% endif %}", "y"),
    ] {
        assert_eq!(rendered_before_a_response(template), expected, "{template}");
    }
}

#[test]
fn nothing_else_of_the_engine_is_there() {
    for template in [
        "{% for x in scopes %}{{ x }}{% endfor %}",
        "{% set x = name %}",
        "{% set x %}a{% endset %}",
        "{% with x = name %}{% endwith %}",
        "{% filter upper %}a{% endfilter %}",
        "{% autoescape true %}{% endautoescape %}",
        "{% do range(3) %}",
        "{% macro x() %}{% endmacro %}",
        "{% call x() %}{% endcall %}",
        "{% block x %}{% endblock %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{{ range(1000000) }}",
        "{{ name.upper() }}",
        "{{ [name] }}",
        "{{ (name, name) }}",
        "{{ {'a': name} }}",
        "{{ name[0] }}",
        "{{ name[1:] }}",
        "{{ name.x }}",
        "{{ response }}",
        "{{ response[name] }}",
        "{{ response.company_id.x }}",
        "{{ response|tojson }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 2 ** 64 }}",
        "{{ 1 + 1 }}",
        "{{ -expires_at_unix }}",
        "{{ name in scopes }}",
        "{{ 'a' < 'b' in scopes }}",
        "{{ name if name else 'x' }}",
        "{{ none }}",
        "{{ response.absent|default(none) }}",
        "{{ self }}",
        "{{ loop.index }}",
        "{{ name|replace('a', 'b') }}",
        "{{ name|upper(1) }}",
        "{{ name|default }}",
        "{{ name|default('a', true) }}",
        "{{ name|default(*scopes) }}",
        "{{ name|default(value='a') }}",
        "{{ name is startingwith('a') }}",
        "{{ name is defined('a') }}",
        "{{ namespace is safe }}",
        "{{ name",
        "{% if name %}",
        "{{ }}",
        "{{ 'a }}",
    ] {
        let found = Templates::compile(&texts(template)).map(|_| ());
        assert!(found.is_err(), "{template}");
    }
}

#[test]
fn a_refresh_token_cannot_be_published() {
    for name in [
        "refresh_token",
        "refreshToken",
        "Refresh-Token",
        "REFRESH_TOKEN",
    ] {
        for template in [
            format!("{{{{ response['{name}'] }}}}"),
            format!("{{{{ response['{name}']|default('') }}}}"),
            format!("{{% if response['{name}'] is defined %}}{{% endif %}}"),
        ] {
            let found = error(&template).kind;
            assert_eq!(
                found,
                TemplateErrorKind::Withheld(name.to_owned()),
                "{template}"
            );
        }
    }
    assert!(compiled("{{ response.refresh_token_expires_in }}").names_response());
}

#[test]
fn no_condition_depends_on_the_token_or_on_the_order_of_a_field() {
    for template in [
        "{% if access_token %}a{% endif %}",
        "{% if access_token == 'a' %}a{% endif %}",
        "{% if name == 'a' or access_token|lower < 'k' %}a{% endif %}",
        "{% if not (access_token ~ name) == 'a' %}a{% endif %}",
        "{{ access_token and response.absent }}",
        "{{ 'a' < access_token < 'b' }}",
        "{% if response.id_token < 'k' %}a{% endif %}",
        "{% if response.id_token|upper >= 'k' %}a{% endif %}",
    ] {
        let error = Templates::compile(&texts(template)).unwrap_err();
        let what = matches!(error.kind, TemplateErrorKind::NotAllowed(_));
        assert!(what, "{template}: {error}");
    }
}

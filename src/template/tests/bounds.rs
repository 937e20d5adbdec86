//! The bounds of a template, each met from both sides.

use super::{
    super::{size, work},
    *,
};

fn with_token(template: &str, token: &str) -> Result<usize, TemplateErrorKind> {
    let rendered = with_values(None, |values| {
        compiled(template).render(&Values {
            access_token: &token.into(),
            ..*values
        })
    });
    match rendered {
        Ok(rendered) => Ok(rendered["key"].expose_secret().len()),
        Err(error) => Err(error.kind),
    }
}

fn many(number: usize) -> BTreeMap<String, String> {
    (0..number)
        .map(|number| (format!("key-{number}"), "{{ access_token }}".to_owned()))
        .collect()
}

#[test]
fn a_template_has_at_most_8_kib() {
    assert_eq!(rendered(&"x".repeat(size::LONGEST)).len(), size::LONGEST);
    let kind = error(&"x".repeat(size::LONGEST + 1)).kind;
    assert_eq!(kind, TemplateErrorKind::Length(8192));
}

#[test]
fn a_target_has_1_to_32_keys() {
    assert!(Templates::compile(&many(32)).is_ok());
    for texts in [many(0), many(33)] {
        let error = Templates::compile(&texts).unwrap_err();
        assert_eq!(error.kind, TemplateErrorKind::KeyCount(32));
    }
}

#[test]
fn a_key_is_one_that_a_secret_may_have() {
    let is_key = |key: &str| {
        let texts = BTreeMap::from([(key.to_owned(), String::new())]);
        let error = Templates::compile(&texts).err();
        assert!(
            error
                .iter()
                .all(|error| error.kind == TemplateErrorKind::Key)
        );
        error.is_none()
    };
    for key in [
        ".dockerconfigjson",
        "tls.crt",
        "a_B-1",
        &"x".repeat(253),
        ".a",
    ] {
        assert!(is_key(key), "{key}");
    }
    for key in ["", ".", "..", "..a", "a/b", "a b", "ü", &"x".repeat(254)] {
        assert!(!is_key(key), "{key}");
    }
}

#[test]
fn the_output_of_all_keys_is_bounded_together() {
    let render = |keys: usize, length: usize| {
        let token = SecretString::from("x".repeat(length));
        let templates = Templates::compile(&many(keys)).unwrap();
        let rendered = with_values(None, |values| {
            templates.render(&Values {
                access_token: &token,
                ..*values
            })
        });
        rendered.map_err(|error| error.kind).map(|_| ())
    };
    assert_eq!(render(32, LARGEST_OUTPUT / 32), Ok(()));
    let kind = TemplateErrorKind::Output(LARGEST_OUTPUT);
    assert_eq!(render(32, LARGEST_OUTPUT / 32 + 1), Err(kind.clone()));
    assert_eq!(render(1, LARGEST_OUTPUT + 1), Err(kind));
}

#[test]
fn the_work_of_a_target_is_bounded_whether_or_not_it_is_printed() {
    let token = "x".repeat(64 << 10);
    let most = work::MOST / token.len();
    let compared =
        |times: usize| with_token(&"{{ access_token is defined }}".repeat(times), &token);
    assert_eq!(compared(most), Ok(most * "true".len()));
    assert_eq!(compared(most + 1), Err(TemplateErrorKind::Work));
    // Each filter writes as much as it reads.
    let filtered = |times: usize| {
        let one = "{{ access_token|upper is defined }}";
        with_token(&one.repeat(times), &token)
    };
    assert_eq!(filtered(most / 2), Ok(most / 2 * "true".len()));
    assert_eq!(filtered(most / 2 + 1), Err(TemplateErrorKind::Work));
    let nested = format!("{{{{ access_token{} }}}}", "|b64encode".repeat(20));
    assert_eq!(with_token(&nested, "xxxx"), Ok(2616));
    assert_eq!(with_token(&nested, &token), Err(TemplateErrorKind::Work));
}

#[test]
fn the_keys_of_a_target_share_its_work() {
    let texts = (10..42).map(|key| {
        let text = "{{ access_token is defined }}{{ access_token is defined }}".to_owned();
        (key.to_string(), text)
    });
    let templates = Templates::compile(&texts.collect()).unwrap();
    let render = |length: usize| {
        let token = SecretString::from("x".repeat(length));
        let rendered = with_values(None, |values| {
            templates.render(&Values {
                access_token: &token,
                ..*values
            })
        });
        rendered.map(|_| ())
    };
    assert_eq!(render(work::MOST / 64), Ok(()));
    let error = render(work::MOST / 64 + 1).unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::Work);
    assert_eq!(error.key, "41");
}

#[test]
fn the_parts_of_a_template_are_counted() {
    let kind = |template: &str| Templates::compile(&texts(template)).err().map(|it| it.kind);
    let joined = |number: usize| format!("{{{{ name{} }}}}", "~name".repeat(number));
    let apart = |number: usize| "{{ name~name }}".repeat(number);
    let conditions = |number: usize| "{% if name %}{% endif %}".repeat(number / 2);
    let too_much = |most, what| Some(TemplateErrorKind::Complexity { most, what });
    assert_eq!(kind(&joined(31)), None);
    assert_eq!(kind(&joined(32)), too_much(64, "words and signs in a tag"));
    assert_eq!(kind(&apart(size::MOST_JOINS)), None);
    assert_eq!(kind(&apart(size::MOST_JOINS + 1)), too_much(32, "~"));
    assert_eq!(kind(&conditions(size::MOST_STATEMENTS)), None);
    assert_eq!(
        kind(&conditions(size::MOST_STATEMENTS + 2)),
        too_much(64, "{% ... %}")
    );
}

/// The parser has no bound of its own for some of these: it would end the process. A test has a quarter of the stack that the
/// operator has.
#[test]
fn what_is_nested_without_end_is_refused_before_it_fills_the_stack() {
    let nested = |open: &str, middle: &str, close: &str| {
        let times = (size::LONGEST - middle.len() - 8) / (open.len() + close.len());
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    let templates = [
        format!("{{{{ {} }}}}", nested("-", "1", "")),
        format!("{{{{ {} }}}}", nested("not ", "name", "")),
        format!("{{{{ {} }}}}", nested("(", "name", ")")),
        format!("{{{{ {} }}}}", nested("[", "", "]")),
        format!("{{{{ {} }}}}", nested("{1:", "1", "}")),
        format!("{{{{ a{} }}}}", nested(".a", "", "")),
        format!("{{{{ a{} }}}}", nested("|a", "", "")),
        format!("{{{{ a{} }}}}", nested("~a", "", "")),
        format!("{{{{ a{} }}}}", nested("[a", "", "]")),
        format!("{{{{ a{} }}}}", nested(" is a", "", "")),
        format!("{{{{ a{} }}}}", nested(" if a else a", "", "")),
        format!("{{% if a %}}{}", nested("{%elif a%}", "", "")),
        nested("{%if a%}", "", "{%endif%}"),
        nested("{%if a%}", "", ""),
        nested("{%for a in a%}", "", ""),
        nested("{{", "", ""),
        nested("{#", "", ""),
    ];
    for template in templates {
        assert!(Templates::compile(&texts(&template)).is_err(), "{template}");
    }
}

#[test]
fn the_deepest_allowed_template_fits_on_the_stack() {
    let statements = size::MOST_STATEMENTS / 2;
    let deep = format!("{}name{}", "(".repeat(30), ")".repeat(30));
    let template = format!(
        "{}{{{{ {deep} }}}}{}",
        format!("{{% if {deep} %}}").repeat(statements),
        "{% endif %}".repeat(statements),
    );
    assert_eq!(rendered(&template), "cubewire");
}

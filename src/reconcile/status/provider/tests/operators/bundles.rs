//! Each operator reads the ConfigMap of its own namespace.

use super::*;

fn place(namespace: &str) -> ConfigMapPlace {
    ConfigMapPlace {
        namespace: namespace.into(),
        name: "roots".into(),
    }
}

fn with_url() -> Value {
    json!({"tokenURL": "https://login.example.com/token"})
}

fn with_issuer() -> Value {
    json!({"issuer": ISSUER})
}

/// The object for the operator of this namespace, which has read its ConfigMap.
fn has(namespace: &str, spec: Value) -> ShownProvider {
    ShownProvider {
        bundle: Some(place(namespace)),
        ..shown(spec)
    }
}

fn lacks(namespace: &str, flaw: BundleFlaw) -> ShownProvider {
    ShownProvider {
        object: Err(flaw.into()),
        ..has(namespace, with_url())
    }
}

fn absent(namespace: &str) -> ShownProvider {
    lacks(namespace, BundleFlaw::Absent(place(namespace)))
}

fn no_key(namespace: &str) -> ShownProvider {
    let key = "ca.crt".into();
    let place = place(namespace);
    lacks(namespace, BundleFlaw::NoKey { place, key })
}

fn homeless() -> ShownProvider {
    let name = "roots".into();
    lacks("", BundleFlaw::NoNamespace { name })
}

/// The view of an operator, and the number of credentials that need it there.
type View = (ShownProvider, usize);

/// The reasons that these operators write one after the other after their start, and the message that stays.
fn stays(views: &[View], status: &mut ProviderStatus) -> (Vec<String>, String) {
    let operators = views.iter();
    let operators = operators.map(|(_, number)| (Lookup::default(), counted(*number)));
    let views: Vec<_> = views.iter().map(|(view, _)| view.clone()).collect();
    let reasons = written_with(&views, status, &mut operators.collect::<Vec<_>>());
    (reasons, ready_of(status).2.to_owned())
}

#[test]
fn operators_with_other_bundles_do_not_write_one_after_the_other() {
    let of = |namespace| has(namespace, with_url());
    for (views, expected) in [
        // No credential uses the operator that lacks the bundle. Its message does not outlast the other's, in either order.
        ([(of("a"), 1), (absent("b"), 0)], &["Usable"][..]),
        ([(absent("b"), 0), (of("a"), 1)], &["Unusable", "Usable"]),
        // Both need it: each says once what it knows.
        ([(of("a"), 1), (absent("b"), 1)], &["Usable", "Unusable"]),
        (
            [(absent("a"), 1), (absent("b"), 1)],
            &["Unusable", "Unusable"],
        ),
    ] {
        let (reasons, _) = stays(&views, &mut ProviderStatus::default());
        assert_eq!(reasons, expected);
    }
}

#[test]
fn the_operator_that_has_credentials_of_it_says_why_it_cannot_be_used_whoever_begins() {
    let message = "this object cannot be used: ConfigMap a/roots of its caBundleRef has no key \"ca.crt\": add the key, or correct \
                   spec.caBundleRef.key";
    for other in [
        absent("b"),
        no_key("b"),
        no_key("aa"),
        has("b", with_url()),
        // It would say that nobody has named it.
        has("b", with_issuer()),
        homeless(),
    ] {
        let (needs, needs_not) = ((no_key("a"), 1), (other, 0));
        let mut status = ProviderStatus::default();
        let (reasons, stayed) = stays(&[needs.clone(), needs_not.clone()], &mut status);
        assert_eq!((reasons.len(), stayed.as_str()), (1, message));
        // Both start again.
        let (reasons, stayed) = stays(&[needs_not.clone(), needs.clone()], &mut status);
        assert_eq!((reasons.len(), stayed.as_str()), (0, message));
        // The other one begins, also with the next generation.
        let next = |(view, named): View, generation| {
            let view = ShownProvider { generation, ..view };
            (view, named)
        };
        for generation in 4..6 {
            let views = [needs_not.clone(), needs.clone()].map(|view| next(view, generation));
            let (reasons, stayed) = stays(&views, &mut status);
            assert_eq!((reasons.len(), stayed.as_str()), (2, message));
        }
    }
}

#[test]
fn what_an_operator_with_the_bundle_says_of_the_issuer_is_not_replaced_by_one_that_lacks_it() {
    let reads = || has("a", with_issuer());
    let lookups = [
        (Lookup::default(), "Discovering"),
        (failed(&reads(), refused(), 10), "DiscoveryFailed"),
    ];
    for (lookup, expected) in lookups {
        let mut operators = [(lookup, counted(1)), (Lookup::default(), counted(0))];
        let mut status = ProviderStatus::default();
        let reasons = written_with(&[reads(), absent("b")], &mut status, &mut operators);
        assert_eq!(reasons, [expected]);
    }
}

#[test]
fn the_first_credential_of_an_operator_replaces_the_condition_of_one_that_is_gone() {
    let mut operators = [0, 1].map(|number| (Lookup::default(), counted(number)));
    let mut status = ProviderStatus::default();
    let views = [has("a", with_url()), absent("b")];
    let reasons = written_with(&views, &mut status, &mut operators);
    assert_eq!(reasons, ["Usable", "Unusable"]);
    operators[0].1 = counted(1);
    let reasons = written_with(&views[..1], &mut status, &mut operators[..1]);
    assert_eq!(reasons, ["Usable"]);
    // Both have credentials, and neither writes again.
    let reasons = written_with(&views, &mut status, &mut operators);
    assert_eq!(reasons, [""; 0]);
}

#[test]
fn one_operator_alone_follows_its_config_map_also_while_nobody_names_the_object_and_after_a_restart()
 {
    let none = ProviderReason::Unusable;
    let steps = [
        (homeless(), none, "does not know its own namespace"),
        (absent("a"), none, "a/roots of its caBundleRef does not"),
        (no_key("a"), none, "a/roots of its caBundleRef has no key"),
        (absent("a"), none, "a/roots of its caBundleRef does not"),
        (has("a", with_url()), ProviderReason::Usable, "tokens come"),
    ];
    for restarts in [false, true] {
        let (mut lookup, mut status) = (Lookup::default(), ProviderStatus::default());
        for (view, reason, message) in steps.clone() {
            if restarts {
                lookup = Lookup::default();
            }
            let view = ShownProvider { status, ..view };
            status = of(&view, &lookup, counted(0));
            lookup.reported(&view, &status, false);
            let (_, found, text) = ready_of(&status);
            assert_eq!(found, reason.name());
            assert!(text.contains(message), "{text}");
        }
        // If another process has written it, that one may have the ConfigMap.
        let gone = ShownProvider {
            status,
            ..absent("a")
        };
        for (lookup, reason) in [(lookup, "Unusable"), (Lookup::default(), "Usable")] {
            assert_eq!(ready_of(&of(&gone, &lookup, counted(0))).1, reason);
        }
    }
}

/// Such as one that an older version of the operator could not read.
#[test]
fn a_condition_about_a_field_is_replaced_although_nobody_names_the_object() {
    let unread = ShownProvider {
        object: Err(Unusable::Unreadable("unknown field".into())),
        ..shown(with_url())
    };
    for (view, expected) in [
        (absent("a"), "Unusable"),
        (has("a", with_url()), "Usable"),
        (has("a", with_issuer()), "NotNamed"),
    ] {
        let mut status = ProviderStatus::default();
        stays(&[(unread.clone(), 0)], &mut status);
        let (reasons, _) = stays(&[(view, 0)], &mut status);
        assert_eq!(reasons, [expected]);
    }
}

#[test]
fn an_object_that_is_deleted_and_created_again_is_judged_anew() {
    let views = [absent("a"), absent("b")];
    let mut operators = [1, 0].map(|number| (Lookup::default(), counted(number)));
    written_with(&views, &mut ProviderStatus::default(), &mut operators);
    // It has the same generation, and the other operator writes first.
    let views = views.map(|view| ShownProvider {
        uid: "next".into(),
        ..view
    });
    let mut status = ProviderStatus::default();
    written_with(&views[1..], &mut status, &mut operators[1..]);
    assert!(ready_of(&status).2.contains("b/roots"));
    written_with(&views, &mut status, &mut operators);
    assert!(ready_of(&status).2.contains("a/roots"));
}

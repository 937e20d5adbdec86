//! Several operators that serve one object: none writes without end.

mod bundles;

use super::*;

#[test]
fn two_operators_that_fail_in_two_ways_do_not_write_one_after_the_other() {
    let spec = json!({"issuer": ISSUER});
    let provider = shown(spec.clone());
    let mut lookup = failed(&provider, refused(), 10);
    let first = of(&provider, &lookup, TWO);
    lookup.reported(&provider, &first, true);
    let other = shown(spec.clone());
    let mine = failed(&other, DiscoveryFailure::Hidden, 11);
    let after = with_status(spec, first.clone());
    let second = of(&after, &mine, TWO);
    assert_ne!(second, first, "each says once what it found");
    let after = ShownProvider {
        status: second.clone(),
        ..after
    };
    assert_eq!(of(&after, &lookup, TWO), second);
}

/// So many credentials name a `ClusterCubeProvider`.
fn counted(credentials: usize) -> Named {
    Named {
        credentials,
        is_shown: false,
    }
}

/// The reasons that operators write in turn, until none has anything to write. Each writes what it knows, and sees what is there.
fn written(first: &ShownProvider, operators: &mut [(Lookup, Named)]) -> Vec<String> {
    let views: Vec<_> = operators.iter().map(|_| first.clone()).collect();
    written_with(&views, &mut first.status.clone(), operators)
}

/// The same, where each of them has its own view of the object.
fn written_with(
    views: &[ShownProvider],
    status: &mut ProviderStatus,
    operators: &mut [(Lookup, Named)],
) -> Vec<String> {
    let mut reasons = Vec::new();
    for _ in 0..10 {
        let before = reasons.len();
        for (view, (lookup, named)) in views.iter().zip(operators.iter_mut()) {
            let view = ShownProvider {
                status: status.clone(),
                ..view.clone()
            };
            let new = of(&view, lookup, *named);
            lookup.reported(&view, &new, named.credentials > 0);
            if new != *status {
                reasons.push(ready_of(&new).1.to_owned());
                *status = new;
            }
        }
        if reasons.len() == before {
            return reasons;
        }
    }
    panic!("they write one after the other: {reasons:?}")
}

#[test]
fn an_operator_without_credentials_leaves_what_another_one_says_of_a_cluster_provider() {
    let provider = shown(json!({"issuer": ISSUER}));
    let fails = || failed(&provider, refused(), 10);
    let of_none = || (Lookup::default(), counted(0));
    let reading = || (Lookup::default(), counted(1));
    assert_eq!(written(&provider, &mut [of_none()]), ["NotNamed"]);
    for (mut operators, expected) in [
        (
            [of_none(), (fails(), counted(1))],
            &["NotNamed", "DiscoveryFailed"][..],
        ),
        ([of_none(), reading()], &["NotNamed", "Discovering"]),
        ([reading(), of_none()], &["Discovering"]),
        (
            [reading(), (fails(), counted(1))],
            &["Discovering", "DiscoveryFailed"],
        ),
        // Its last credential is gone: what it knows is no reason to write.
        (
            [(fails(), counted(1)), (fails(), counted(0))],
            &["DiscoveryFailed"],
        ),
    ] {
        assert_eq!(written(&provider, &mut operators), expected);
    }
    // The condition of an older spec does not count.
    let mut lookup = fails();
    let old = of(&provider, &lookup, counted(1));
    lookup.reported(&provider, &old, true);
    let mut next = with_status(json!({"issuer": ISSUER}), old);
    next.generation = 4;
    assert_eq!(written(&next, &mut [of_none()]), ["NotNamed"]);
}

//! In which order.

use proptest::prelude::*;

use super::*;

#[test]
fn whoever_came_first_is_first() {
    let mut budget = started();
    assert_eq!(ask(&mut budget, "first", false, 0), None);
    for (place, uid) in (1..).zip(["a", "b", "c"]) {
        assert_eq!(ask(&mut budget, uid, false, 0), Some(12 * place));
    }
    // One that was not there before does not go first, however late the others come.
    assert_eq!(ask(&mut budget, "new", false, 30), Some(48));
    assert_eq!(ask(&mut budget, "b", false, 30), None);
    assert_eq!(ask(&mut budget, "a", false, 30), None);
    assert_eq!(ask(&mut budget, "c", false, 36), None);
    assert_eq!(ask(&mut budget, "new", false, 47), Some(48));
    assert_eq!(ask(&mut budget, "new", false, 48), None);
}

#[test]
fn whoever_leaves_or_does_not_come_stands_in_nobodys_way() {
    let mut budget = started();
    ask(&mut budget, "first", false, 0);
    for uid in ["deleted", "silent", "c"] {
        ask(&mut budget, uid, false, 0);
    }
    budget.leave("deleted".into());
    assert_eq!(ask(&mut budget, "c", false, 0), Some(24));
    assert_eq!(ask(&mut budget, "c", false, 200), None);
    for _ in 0..2 {
        assert_eq!(
            ask(&mut budget, "d", false, 200),
            None,
            "silent has lost its place"
        );
    }
}

/// Everybody asks each second, until all are served. The result is who was served when.
fn serve_all(budget: &mut Budget, mut waiting: Vec<PermitRequest>) -> Vec<(i64, PermitRequest)> {
    let mut served = Vec::new();
    for second in 0.. {
        let mut next = Vec::new();
        for request in waiting {
            match take(budget, &request, second) {
                None => served.push((second, request)),
                Some(_) => next.push(request),
            }
        }
        waiting = next;
        if waiting.is_empty() {
            break;
        }
    }
    served
}

#[test]
fn a_token_that_ends_is_refreshed_before_those_that_others_do_not_have_yet() {
    let mut budget = started();
    let mut requests: Vec<_> = (0..100)
        .map(|number| request(&format!("new-{number}")))
        .collect();
    requests.push(PermitRequest {
        expires_at: Some(at(60)),
        ..request("refresh")
    });
    for request in &requests {
        take(&mut budget, request, 0);
    }
    let served = serve_all(&mut budget, requests);
    let (second, _) = served
        .iter()
        .find(|(_, it)| it.uid == "refresh".into())
        .unwrap();
    assert!(*second <= 24, "{second}");
}

#[test]
fn namespaces_take_turns_however_many_credentials_each_has() {
    let mut budget = started();
    ask(&mut budget, "first", false, 0);
    let of = |namespace: &str, number: usize| PermitRequest {
        namespace: namespace.into(),
        ..request(&format!("{namespace}-{number}"))
    };
    let many = (0..50).map(|number| of("many", number));
    let few = (0..3).map(|number| of("few", number));
    let requests: Vec<_> = many.chain(few).collect();
    for request in &requests {
        take(&mut budget, request, 0);
    }
    let served = serve_all(&mut budget, requests);
    let few = served.iter().filter(|(_, it)| it.namespace == "few");
    let last = few.map(|(second, _)| *second).max().unwrap();
    assert!(last <= 6 * 12, "{last}");
}

#[test]
fn a_namespace_that_asks_again_and_again_gets_no_more_than_one_that_waits() {
    let mut budget = started();
    let many: Vec<_> = (0..20).map(|number| request(&number.to_string())).collect();
    for request in &many {
        take(&mut budget, request, 0);
    }
    let (mut patient, mut other) = (0, 0);
    let mut waiting = many;
    for second in 0..240 {
        let hasty = PermitRequest {
            namespace: "hasty".into(),
            ..request(&format!("hasty-{other}"))
        };
        other += usize::from(take(&mut budget, &hasty, second).is_none());
        waiting.retain(|request| take(&mut budget, request, second).is_some());
        patient = 20 - waiting.len();
    }
    assert!(patient.abs_diff(other) <= 2, "{patient} {other}");
}

#[test]
fn ten_thousand_credentials_of_one_client_wait_without_a_walk_over_all_of_them() {
    let mut budget = started();
    let requests: Vec<_> = (0..10_000)
        .map(|number| PermitRequest {
            namespace: (number % 100).to_string(),
            ..request(&number.to_string())
        })
        .collect();
    for request in &requests {
        take(&mut budget, request, 0);
    }
    let walked = take(&mut budget, &requests[9_999], 0).unwrap();
    assert!((12 * 9_000..=12 * 10_000).contains(&walked), "{walked}");
}

proptest! {
    #[test]
    fn tokens_of_a_namespace_are_refreshed_in_the_order_in_which_they_end(
        ends in prop::collection::vec(1000..2000_i64, 2..12),
    ) {
        let mut budget = started();
        ask(&mut budget, "first", false, 0);
        let requests: Vec<_> = ends.iter().enumerate().map(|(number, end)| PermitRequest {
            expires_at: Some(at(*end)),
            ..request(&number.to_string())
        }).collect();
        for request in &requests {
            take(&mut budget, request, 0);
        }
        // The first permit of this namespace is consumed, and every fourth goes to the request that has waited longest.
        let served = serve_all(&mut budget, requests);
        let in_order = served.iter().enumerate().filter(|(place, _)| place % 4 != 2);
        let ends: Vec<_> = in_order.map(|(_, (_, request))| request.expires_at).collect();
        prop_assert!(ends.is_sorted(), "{ends:?}");
        for ((place, (second, _)), due) in served.iter().enumerate().zip((1..).map(|turn| turn * 12)) {
            prop_assert_eq!(*second, due, "place {}", place);
        }
    }
}

//! A client's budget by itself: how many requests, and in which order.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Budget, ClientKey, Permit, PermitRequest};
use crate::oauth::endpoint::Endpoint;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn client(url: &str, id: &str) -> ClientKey {
    ClientKey::new(&Endpoint::parse(url).unwrap(), id)
}

fn one() -> ClientKey {
    client("https://example.com/token", "one")
}

/// Asks at this second: `None`, or when to ask again.
fn ask(budget: &mut Budget, uid: &str, priority: bool, second: i64) -> Option<i64> {
    let request = PermitRequest {
        client: one(),
        uid: uid.into(),
        priority,
        peek: false,
    };
    match budget.take(&request, at(second)) {
        Permit::Now { .. } => None,
        Permit::Later { at: time, .. } => Some(time.duration_since(at(0)).as_secs()),
    }
}

fn started() -> Budget {
    Budget::new(SignedDuration::from_secs(12), at(0))
}

#[test]
fn a_process_starts_with_one_request_and_gains_one_each_interval_up_to_three() {
    let mut budget = started();
    assert_eq!(ask(&mut budget, "a", false, 0), None);
    assert_eq!(ask(&mut budget, "b", false, 0), Some(12));
    assert_eq!(ask(&mut budget, "b", false, 11), Some(12));
    assert_eq!(ask(&mut budget, "b", false, 12), None);

    // Also a client that is first seen later.
    let mut budget = started();
    for uid in ["a", "b", "c"] {
        assert_eq!(ask(&mut budget, uid, false, 1000), None);
    }
    assert_eq!(ask(&mut budget, "d", false, 1000), Some(1012));
}

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
    budget.leave("deleted");
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

#[test]
fn a_turn_that_was_not_used_goes_to_others() {
    let now = Permit::Now { until: at(5) };
    let mut budget = started();
    let request = PermitRequest {
        client: one(),
        uid: "a".into(),
        priority: false,
        peek: false,
    };
    assert_eq!(budget.take(&request, at(0)), now);
    budget.give_back(&request);
    assert_eq!(ask(&mut budget, "b", false, 0), None);
    assert_eq!(ask(&mut budget, "c", false, 0), Some(12));
}

#[test]
fn turns_that_were_not_used_in_time_are_lost_and_cannot_be_used_all_at_once() {
    let mut budget = started();
    let late: Vec<_> = (0..10_u8)
        .map(|number| {
            let request = PermitRequest {
                client: one(),
                uid: number.to_string(),
                priority: false,
                peek: false,
            };
            let permit = budget.take(&request, at(12 * i64::from(number)));
            (request, permit)
        })
        .collect();
    for (request, permit) in late {
        budget.end(
            &request.uid,
            Some(&(request.clone(), permit)),
            true,
            at(114),
        );
    }
    assert_eq!(ask(&mut budget, "a", false, 114), Some(120));
}

#[test]
fn asking_costs_nothing() {
    let now = Permit::Now { until: at(5) };
    let mut budget = started();
    let asks = PermitRequest {
        client: one(),
        uid: "a".into(),
        priority: false,
        peek: true,
    };
    for _ in 0..5 {
        assert_eq!(budget.take(&asks, at(0)), now);
        budget.give_back(&asks);
    }
    assert_eq!(ask(&mut budget, "a", false, 0), None);
    assert_eq!(ask(&mut budget, "a", false, 0), Some(12));
}

#[test]
fn a_refresh_that_may_have_arrived_overdraws_by_three() {
    let mut budget = started();
    assert_eq!(ask(&mut budget, "a", false, 0), None);
    assert_eq!(ask(&mut budget, "waits", false, 0), Some(12));
    for _ in 0..3 {
        assert_eq!(ask(&mut budget, "refresh", true, 0), None);
    }
    assert_eq!(ask(&mut budget, "refresh", true, 0), Some(12));
    assert_eq!(ask(&mut budget, "refresh", true, 11), Some(12));
    assert_eq!(ask(&mut budget, "refresh", true, 12), None);
    assert_eq!(
        ask(&mut budget, "waits", false, 12),
        Some(60),
        "it is paid for later"
    );
}

#[test]
fn a_pause_holds_for_everybody_and_ends_with_one_request() {
    let mut budget = Budget::new(SignedDuration::from_secs(12), at(-1000));
    budget.pause(&one(), at(300), at(0));
    assert_eq!(ask(&mut budget, "a", false, 0), Some(300));
    assert_eq!(ask(&mut budget, "b", true, 0), Some(300));
    assert_eq!(ask(&mut budget, "a", false, 299), Some(300));
    budget.pause(&one(), at(100), at(299));
    assert_eq!(
        ask(&mut budget, "a", false, 300),
        None,
        "a shorter pause takes nothing away"
    );
    assert_eq!(ask(&mut budget, "c", false, 300), Some(324));
}

#[test]
fn clients_and_endpoints_have_budgets_of_their_own_and_a_query_does_not_make_another_one() {
    let now = Permit::Now { until: at(5) };
    let one = one();
    assert_eq!(one, client("https://example.com/token?tenant=a", "one"));
    for other in [
        client("https://example.com/token", "two"),
        client("https://example.com/token/", "one"),
        client("https://example.com:8443/token", "one"),
        client("https://example.org/token", "one"),
    ] {
        assert_ne!(one, other);
        let mut budget = started();
        budget.pause(&one, at(300), at(0));
        let request = PermitRequest {
            client: other,
            uid: "a".into(),
            priority: false,
            peek: false,
        };
        assert_eq!(budget.take(&request, at(0)), now);
    }
}

#[test]
fn a_clock_that_is_set_back_stops_nobody_for_long() {
    let mut budget = started();
    for _ in 0..3 {
        ask(&mut budget, "a", false, 100_000);
    }
    let again = ask(&mut budget, "a", false, 1000).unwrap();
    assert!(again <= 1000 + 6 * 12, "{again}");
    budget.pause(&one(), at(100_000), at(99_000));
    let again = ask(&mut budget, "a", false, 2000).unwrap();
    assert!(again <= 2000 + 3610 + 6 * 12, "{again}");
}

proptest! {
    #[test]
    fn no_minute_has_more_than_eight_requests_and_everybody_is_served_in_order(
        arrivals in prop::collection::vec(0..900_i64, 1..120),
    ) {
        let mut budget = Budget::new(SignedDuration::from_secs(12), at(-1000));
        let (mut served, mut sent) = (Vec::new(), Vec::new());
        let mut arrivals: Vec<_> = arrivals.into_iter().enumerate().collect();
        arrivals.sort_by_key(|(uid, second)| (*second, *uid));
        let mut waiting: Vec<(i64, usize)> = Vec::new();
        let order: Vec<usize> = arrivals.iter().map(|(uid, _)| *uid).collect();
        let mut coming: VecDeque<_> = arrivals.into();
        for second in 0..4000 {
            waiting.sort_unstable();
            let mut due: Vec<usize> = Vec::new();
            waiting.retain(|(at, uid)| {
                let waits = *at > second;
                if !waits { due.push(*uid); }
                waits
            });
            while let Some((uid, _)) = coming.pop_front_if(|(_, at)| *at == second) {
                due.push(uid);
            }
            for uid in due {
                match ask(&mut budget, &uid.to_string(), false, second) {
                    None => { served.push(uid); sent.push(second); }
                    Some(again) => waiting.push((again, uid)),
                }
            }
        }
        prop_assert_eq!(served, order);
        for (index, first) in sent.iter().enumerate() {
            let minute = sent[index..].iter().take_while(|at| **at <= first + 60).count();
            prop_assert!(minute <= 8, "{minute} in a minute: {sent:?}");
        }
    }
}

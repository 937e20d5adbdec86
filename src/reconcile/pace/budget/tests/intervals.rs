//! The intervals that provider objects set.

use proptest::prelude::*;

use super::*;
use crate::reconcile::provider::RequestInterval;

fn in_place(seconds: i64) -> RequestInterval {
    RequestInterval::InPlace(SignedDuration::from_secs(seconds))
}

fn besides(seconds: i64) -> RequestInterval {
    RequestInterval::Besides(SignedDuration::from_secs(seconds))
}

/// A request of the client `one` from this namespace, through a provider object that sets this interval.
fn through(interval: RequestInterval, namespace: &str, uid: &str) -> PermitRequest {
    PermitRequest {
        client: one().with_interval(Some(interval), namespace),
        namespace: namespace.into(),
        ..request(uid)
    }
}

/// A budget whose client has just been seen working through such an object.
fn started_with(interval: RequestInterval) -> Budget {
    let mut budget = started();
    let holder = through(interval, "home", "holder");
    learn(&mut budget, &holder, Lesson::Works, 0);
    budget
}

/// How many of these requests, each of another credential, are sent at this second.
fn sent(
    budget: &mut Budget,
    count: usize,
    second: i64,
    of: impl Fn(&str) -> PermitRequest,
) -> usize {
    let asked = (0..count).map(|number| of(&format!("{second}-{number}")));
    asked
        .filter(|request| take(budget, request, second).is_none())
        .count()
}

#[test]
fn an_administrators_interval_takes_the_place_of_the_operators() {
    for (interval, waits) in [(1, 1), (60, 60), (3600, 3600)] {
        let mut budget = started_with(in_place(interval));
        let ask = |budget: &mut Budget, uid, second| {
            take(budget, &through(in_place(interval), "home", uid), second)
        };
        assert_eq!(ask(&mut budget, "a", 0), None);
        assert_eq!(ask(&mut budget, "b", 0), Some(waits));
        assert_eq!(ask(&mut budget, "b", waits - 1), Some(waits));
        assert_eq!(ask(&mut budget, "b", waits), None);
    }
}

#[test]
fn an_administrators_interval_is_not_reached_by_those_who_may_not_use_the_object() {
    let mut budget = started_with(in_place(2));
    for number in 0..100 {
        take(&mut budget, &stranger(number, "elsewhere"), 100);
    }
    let served = sent(&mut budget, 5, 100, |uid| through(in_place(2), "home", uid));
    assert_eq!(served, 3);
    // Nor does a slow one delay those who do not use it.
    let holder = through(in_place(3600), "home", "holder");
    learn(&mut budget, &holder, Lesson::Works, 20_000);
    let served = sent(&mut budget, 5, 20_000, |uid| {
        through(in_place(3600), "home", uid)
    });
    assert_eq!(served, 3);
    assert_eq!(ask(&mut budget, "another", false, 20_000), None);
}

#[test]
fn a_namespaces_interval_delays_its_own_requests_only() {
    let mut budget = started_with(besides(600));
    let slow = |uid: &str| through(besides(600), "home", uid);
    assert_eq!(sent(&mut budget, 3, 2000, slow), 3);
    assert_eq!(take(&mut budget, &slow("next"), 2000), Some(2600));
    // The client's own budget was consumed as well, and is there again.
    assert_eq!(ask(&mut budget, "neighbour", false, 2000), Some(2012));
    assert_eq!(ask(&mut budget, "neighbour", false, 2012), None);
    let other = through(besides(600), "elsewhere", "other");
    assert_eq!(take(&mut budget, &other, 2024), None);
    assert_eq!(take(&mut budget, &slow("next"), 2500), Some(2600));
    assert_eq!(take(&mut budget, &slow("next"), 2600), None);
}

#[test]
fn further_intervals_of_a_namespace_allow_no_further_request() {
    let mut budget = started();
    let mut served = 0;
    for interval in 1..200 {
        let request = through(besides(interval), "home", &format!("{interval}"));
        served += usize::from(take(&mut budget, &request, 1000).is_none());
    }
    assert_eq!(served, 3);
}

#[test]
fn a_credential_that_names_many_clients_gets_no_more_with_an_interval_of_its_namespace() {
    let mut budget = started();
    let mut served = 0;
    for second in 0..60 {
        let other = client("https://example.com/token", &format!("{second}"), "any");
        let request = PermitRequest {
            client: other.with_interval(Some(besides(1)), "home"),
            ..request("edited")
        };
        served += usize::from(take(&mut budget, &request, second).is_none());
    }
    assert_eq!(served, 3 + 4);
}

#[test]
fn a_pause_holds_with_and_without_the_object() {
    let (plain, with) = (request("a"), |uid: &str| through(in_place(1), "home", uid));
    let slow = |uid: &str| through(besides(60), "home", uid);
    let paused = Lesson::Paused { until: at(500) };
    for (asked, others) in [
        (&plain, [with("b"), slow("c")]),
        (&with("b"), [plain.clone(), slow("c")]),
        (&slow("c"), [plain.clone(), with("b")]),
    ] {
        let mut budget = started();
        learn(&mut budget, asked, paused, 400);
        for other in [asked].into_iter().chain(&others) {
            assert_eq!(take(&mut budget, other, 401), Some(500));
        }
        // Nor for another interval of the administrator's.
        let changed = through(in_place(7), "home", "b");
        assert_eq!(take(&mut budget, &changed, 401), Some(500));
        assert_eq!(take(&mut budget, &changed, 500), None);
    }
}

#[test]
fn what_is_not_used_goes_back_to_all_that_would_have_paid() {
    for interval in [in_place(60), besides(60)] {
        let mut budget = started_with(interval);
        let first = through(interval, "home", "a");
        assert_eq!(take(&mut budget, &first, 0), None);
        budget.give_back(&first);
        assert_eq!(take(&mut budget, &first, 0), None);
        let second = through(interval, "home", "b");
        assert_eq!(take(&mut budget, &second, 0), Some(60));
        let peek = PermitRequest {
            peek: true,
            ..second
        };
        assert_eq!(take(&mut budget, &peek, 60), None);
        assert_eq!(
            ask(&mut budget, "neighbour", false, 61),
            None,
            "it costs nothing"
        );
    }
}

#[test]
fn one_that_waits_for_its_namespace_keeps_no_neighbour_waiting() {
    let mut budget = started();
    let slow = |uid: &str| through(besides(3600), "home", uid);
    assert_eq!(take(&mut budget, &slow("a"), 0), None);
    // Both wait for the client, and the first of them is served: the other one has to wait for its namespace then.
    assert_eq!(take(&mut budget, &slow("b"), 1), Some(3600));
    for (uid, second) in [("c", 12), ("d", 24), ("e", 36)] {
        assert_eq!(ask(&mut budget, uid, false, second), None);
    }
    assert_eq!(budget.queues.len(), 1);
    budget.forget("b");
    assert!(budget.queues.is_empty());
    let mut buckets = budget.clients.values();
    assert!(
        buckets.all(|bucket| bucket.is_idle(at(100_000))),
        "nobody stands anywhere"
    );
}

#[test]
fn one_whose_namespace_has_sent_another_in_the_meantime_keeps_no_neighbour_waiting() {
    let mut budget = started_at(-1000);
    let slow = |uid: &str| through(besides(3600), "home", uid);
    for (uid, second) in [("a", -20), ("b", 0), ("c", 0), ("d", 0)] {
        assert_eq!(ask(&mut budget, uid, false, second), None);
    }
    let urgent = PermitRequest {
        expires_at: Some(at(100)),
        ..slow("urgent")
    };
    assert_eq!(take(&mut budget, &slow("first"), 0), Some(12));
    assert_eq!(take(&mut budget, &urgent, 0), Some(12));
    assert_eq!(take(&mut budget, &urgent, 12), None);
    assert_eq!(take(&mut budget, &slow("first"), 13), Some(2600));
    assert_eq!(ask(&mut budget, "neighbour", false, 24), None);
}

#[test]
fn one_that_waits_for_the_client_keeps_its_place_in_its_namespace() {
    let mut budget = started_at(-1000);
    let slow = |uid: &str| through(besides(20), "home", uid);
    for uid in ["a", "b", "c"] {
        assert_eq!(ask(&mut budget, uid, false, 0), None);
    }
    assert_eq!(take(&mut budget, &slow("first"), 0), Some(12));
    assert_eq!(take(&mut budget, &slow("second"), 0), Some(24));
    assert_eq!(take(&mut budget, &slow("first"), 12), None);
    assert_eq!(take(&mut budget, &slow("second"), 24), None);
}

#[test]
fn another_interval_is_another_queue() {
    let mut budget = started();
    assert_eq!(
        take(&mut budget, &through(in_place(3600), "home", "a"), 0),
        None
    );
    assert_eq!(
        take(&mut budget, &through(in_place(3600), "home", "b"), 0),
        Some(3600)
    );
    assert_eq!(
        take(&mut budget, &through(in_place(5), "home", "b"), 1),
        None
    );
    assert!(budget.queues.is_empty());
}

#[test]
fn clients_with_long_intervals_do_not_keep_others_in_memory() {
    let mut budget = started();
    take(&mut budget, &through(besides(3600), "home", "slow"), 0);
    for number in 0..100 {
        let request = PermitRequest {
            client: client("https://example.com/token", &format!("{number}"), "right"),
            ..request(&format!("{number}"))
        };
        take(&mut budget, &request, 1);
    }
    ask(&mut budget, "later", false, 600);
    assert_eq!(
        budget.clients.len(),
        2,
        "the client and the limit of the slow one"
    );
    ask(&mut budget, "later", false, 100_000);
    assert_eq!(budget.clients.len(), 1);
}

#[derive(Clone, Debug)]
struct Arrival {
    second: i64,
    namespace: u8,
    works: bool,
    interval: i64,
}

prop_compose! {
    fn arrival()(
        second in 0..900_i64,
        namespace in 0..4_u8,
        works in any::<bool>(),
        interval in 1..90_i64,
    ) -> Arrival {
        Arrival { second, namespace, works, interval }
    }
}

proptest! {
    /// Whatever intervals namespaces set, the client sends no more than without them, and everybody is served.
    #[test]
    fn intervals_of_namespaces_break_no_limit(arrivals in prop::collection::vec(arrival(), 1..40)) {
        let mut budget = Budget::new(SignedDuration::from_secs(12), at(-1000));
        let mut sent = Vec::new();
        let requests = arrivals.iter().enumerate().map(|(number, arrival)| {
            let secret = if arrival.works { "right".to_owned() } else { format!("wrong-{number}") };
            let namespace = arrival.namespace.to_string();
            let client = with_secret(&secret).with_interval(Some(besides(arrival.interval)), &namespace);
            (arrival.second, PermitRequest { client, namespace, ..request(&number.to_string()) })
        });
        let mut waiting: Vec<_> = requests.collect();
        for second in 0..8000 {
            let mut later = Vec::new();
            for (due, request) in waiting {
                if due > second {
                    later.push((due, request));
                } else if let Some(again) = take(&mut budget, &request, second) {
                    prop_assert!(again > second);
                    later.push((again, request));
                } else {
                    sent.push(second);
                    let works = request.client.proof() == one().proof();
                    let lesson = if works { Lesson::Works } else { Lesson::Refused };
                    learn(&mut budget, &request, lesson, second);
                }
            }
            waiting = later;
        }
        prop_assert!(waiting.is_empty(), "{waiting:?}");
        for (index, first) in sent.iter().enumerate() {
            let minute = sent[index..].iter().take_while(|at| **at <= first + 60).count();
            prop_assert!(minute <= 8, "{minute} in a minute: {sent:?}");
        }
        prop_assert!(budget.queues.is_empty());
    }
}

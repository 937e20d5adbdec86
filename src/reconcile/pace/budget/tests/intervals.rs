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
        let mut budget = started();
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
    let mut budget = started();
    for number in 0..100 {
        take(&mut budget, &stranger(number, "elsewhere"), 100);
    }
    let served = sent(&mut budget, 5, 100, |uid| through(in_place(2), "home", uid));
    assert_eq!(served, 3);
    // Nor does a slow one delay those who do not use it.
    let served = sent(&mut budget, 5, 20_000, |uid| {
        through(in_place(3600), "home", uid)
    });
    assert_eq!(served, 3);
    assert_eq!(ask(&mut budget, "another", false, 20_000), None);
}

#[test]
fn a_namespaces_interval_delays_its_own_requests_only() {
    let mut budget = started();
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
fn after_a_pause_one_request_shows_whether_the_provider_takes_more() {
    for interval in [in_place(1), besides(60)] {
        let mut budget = started();
        let ask =
            |budget: &mut Budget, uid: &str| take(budget, &through(interval, "home", uid), 50_000);
        let paused = Lesson::Paused { until: at(50_000) };
        learn(&mut budget, &through(interval, "home", "a"), paused, 49_000);
        assert_eq!(ask(&mut budget, "b"), None);
        assert!(ask(&mut budget, "c").is_some());
    }
}

#[test]
fn after_a_pause_a_bucket_that_is_opened_later_has_one_permit_too() {
    let mut budget = started();
    let paused = Lesson::Paused { until: at(50_000) };
    learn(&mut budget, &request("a"), paused, 49_000);
    assert_eq!(ask(&mut budget, "a", false, 50_000), None);
    let with = |uid: &str| through(in_place(1), "home", uid);
    assert_eq!(sent(&mut budget, 3, 50_000, with), 1);
}

#[test]
fn a_credential_that_moves_to_a_short_interval_of_an_administrators_waits_no_longer_than_before() {
    let mut budget = started();
    assert_eq!(ask(&mut budget, "moves", false, 100), None);
    let moved = through(in_place(1), "home", "moves");
    assert_eq!(take(&mut budget, &moved, 100), None);
}

#[test]
fn what_is_not_used_goes_back_to_all_that_would_have_paid() {
    for interval in [in_place(60), besides(60)] {
        let mut budget = started();
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
    budget.forget("b".into());
    assert!(budget.queues.is_empty());
    assert_eq!(ask(&mut budget, "later", false, 100_000), None);
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
fn buckets_of_long_intervals_are_dropped_once_they_are_full_and_keep_no_other_client() {
    let mut budget = started();
    let buckets = |budget: &Budget| -> usize {
        let further = budget.clients.values().map(|client| client.further());
        further.sum()
    };
    take(&mut budget, &through(besides(3600), "home", "slow"), 0);
    // Nobody pays for these: they stand in the queue of the client, or give their permit back.
    for interval in 100..200 {
        let edited = through(besides(interval), "home", "edited");
        if take(&mut budget, &edited, 1).is_none() {
            budget.give_back(&edited);
        }
    }
    for number in 0..100 {
        let request = PermitRequest {
            client: client("https://example.com/token", &format!("{number}"), "right"),
            ..request(&format!("{number}"))
        };
        take(&mut budget, &request, 1);
    }
    assert!(buckets(&budget) > 50);
    ask(&mut budget, "later", false, 600);
    let kept = (budget.clients.len(), buckets(&budget));
    assert_eq!(
        kept,
        (1, 2),
        "of the slow one, and the last of the edited one"
    );
    budget.forget("edited".into());
    ask(&mut budget, "later", false, 3000);
    ask(&mut budget, "later", false, 12_000);
    assert_eq!((budget.clients.len(), buckets(&budget)), (1, 0));
}

#[test]
fn another_interval_of_an_administrators_is_no_reason_for_another_burst() {
    let mut budget = started();
    let asks = |budget: &mut Budget, interval, uid: &str| {
        take(budget, &through(in_place(interval), "home", uid), 100_000)
    };
    for uid in ["a", "b", "c"] {
        assert_eq!(asks(&mut budget, 3600, uid), None);
    }
    assert_eq!(asks(&mut budget, 60, "d"), None, "as at a start");
    assert_eq!(asks(&mut budget, 60, "e"), Some(100_060));
    assert_eq!(asks(&mut budget, 3600, "f"), Some(103_600));
}

#[test]
fn one_that_waits_for_long_keeps_its_places() {
    let mut budget = started_at(-1000);
    let slow = |uid: &str| through(besides(20), "home", uid);
    for number in 0..9 {
        take(&mut budget, &request(&format!("{number}")), 0);
    }
    assert_eq!(take(&mut budget, &slow("first"), 0), Some(84));
    assert_eq!(take(&mut budget, &slow("second"), 70), Some(96));
    let mut clients = budget.clients.values();
    assert_eq!(clients.next().unwrap().standing("first".into()), 2);
}

#[test]
fn a_short_interval_of_an_administrators_ends_no_debt_of_a_credential() {
    let mut budget = started();
    let mut served = 0;
    for number in 0..20 {
        let plain = PermitRequest {
            client: client("https://example.com/token", &format!("{number}"), "any"),
            ..request("edited")
        };
        served += usize::from(take(&mut budget, &plain, 0).is_none());
        let client = plain
            .client
            .clone()
            .with_interval(Some(in_place(1)), "home");
        take(&mut budget, &PermitRequest { client, ..plain }, 0);
    }
    assert_eq!(served, 3);
}

#[test]
fn a_clock_that_is_set_back_delays_a_long_interval_by_one_of_it() {
    let mut budget = started_at(86_400);
    let slow = |uid: &str| through(besides(3600), "home", uid);
    // The client's own bucket is from before that.
    assert_eq!(take(&mut budget, &slow("first"), 0), Some(12));
    assert_eq!(take(&mut budget, &slow("first"), 12), None);
    for number in 0..3 {
        let request = slow(&format!("{number}"));
        assert_eq!(take(&mut budget, &request, 200_000), None);
    }
    let again = take(&mut budget, &slow("last"), 20).unwrap();
    assert!(again <= 3620, "{again}");
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
        let requests = arrivals.iter().enumerate().map(|(number, arrival)| {
            let secret = if arrival.works { "right".to_owned() } else { format!("wrong-{number}") };
            let namespace = arrival.namespace.to_string();
            let client = with_secret(&secret).with_interval(Some(besides(arrival.interval)), &namespace);
            (arrival.second, PermitRequest { client, namespace, ..request(&number.to_string()) })
        });
        let works = |request: &PermitRequest| request.client.proof() == one().proof();
        let (sent, waiting) = serve(&mut budget, requests.collect(), 8000, works);
        prop_assert!(waiting.is_empty(), "{waiting:?}");
        assert_within_the_limit(&sent);
        prop_assert!(budget.queues.is_empty());
    }
}

//! How many requests.

use allocation_counter::measure;
use proptest::prelude::*;

use super::*;

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
fn a_turn_that_was_not_used_goes_to_others() {
    let now = Permit::Now { until: at(5) };
    let mut budget = started();
    let request = request("a");
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
            let request = request(&number.to_string());
            let permit = budget.take(&request, at(12 * i64::from(number)));
            (request, permit)
        })
        .collect();
    for (request, permit) in late {
        budget.end(request.uid, Some(&(request.clone(), permit)), true, at(114));
    }
    assert_eq!(ask(&mut budget, "a", false, 114), Some(120));
}

#[test]
fn asking_costs_nothing() {
    let now = Permit::Now { until: at(5) };
    let mut budget = started();
    let asks = PermitRequest {
        peek: true,
        ..request("a")
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
fn a_clock_that_is_set_back_stops_nobody_for_long() {
    let mut budget = started();
    for _ in 0..3 {
        ask(&mut budget, "a", false, 100_000);
    }
    let again = ask(&mut budget, "a", false, 1000).unwrap();
    assert!(again <= 1000 + 6 * 12, "{again}");
}

#[test]
fn clients_and_endpoints_have_budgets_of_their_own_and_neither_a_query_nor_a_secret_makes_another_one()
 {
    let one = one();
    let same = client("https://example.com/token?tenant=a", "one", "right");
    assert_eq!(one, same);
    let others = [
        client("https://example.com/token", "two", "right"),
        client("https://example.com/token/", "one", "right"),
        client("https://example.com:8443/token", "one", "right"),
        client("https://example.org/token", "one", "right"),
    ];
    for (client, wait) in [(with_secret("wrong"), Some(24))]
        .into_iter()
        .chain(others.map(|other| (other, None)))
    {
        assert_ne!(one, client);
        let mut budget = started();
        assert_eq!(ask(&mut budget, "a", false, 0), None);
        let request = PermitRequest {
            client,
            ..request("b")
        };
        assert_eq!(take(&mut budget, &request, 12), wait);
    }
}

#[test]
fn the_namespace_stands_in_for_the_secret_of_a_public_client() {
    let endpoint = Endpoint::parse("https://example.com/token").unwrap();
    let public = Authentication::None { id: "one".into() };
    let key = |namespace| ClientKey::new(&endpoint, &public, None, namespace);
    assert_eq!(key("home"), key("home"));
    assert_ne!(key("home"), key("away"));
    assert_ne!(key("right"), one());
}

#[test]
fn nothing_about_a_secret_is_printed() {
    let mut budget = started();
    ask(&mut budget, "a", false, 0);
    ask(&mut budget, "b", false, 0);
    budget.learn("b".into(), &one(), Lesson::Paused { until: at(9) }, at(0));
    let key = format!("{:?}", one());
    assert_eq!(key, "<redacted>");
    let printed = format!("{budget:?}");
    assert!(printed.contains("<redacted>") && !printed.contains("right"));
}

#[test]
fn what_is_remembered_of_a_client_goes_with_the_last_credential_that_used_it() {
    let mut budget = started();
    for number in 0..1000 {
        let uid = format!("{}", number % 10);
        let secret = with_secret(&number.to_string());
        budget.learn(uid.as_str().into(), &secret, Lesson::Refused, at(0));
    }
    assert_eq!(budget.tried.len(), 11);
    for uid in 0..10 {
        budget.forget(uid.to_string().as_str().into());
    }
    budget.forget("holder".into());
    assert!(budget.tried.is_empty());
    ask(&mut budget, "a", false, 1000);
    assert_eq!(budget.clients.len(), 1);
    ask(&mut budget, "a", false, 100_000);
    budget.forget("a".into());
    let other = client("https://example.com/token", "two", "right");
    take(
        &mut budget,
        &PermitRequest {
            client: other,
            ..request("b")
        },
        200_000,
    );
    assert_eq!(budget.clients.len(), 1, "only the one that is in use");
}

/// `docs/scale.md` has the figures.
#[test]
fn a_client_takes_little_memory_and_less_when_it_rests() {
    const CLIENTS: usize = 5_000;
    let mut budget = started_at(0);
    let each = |bytes: i64| bytes / i64::try_from(CLIENTS).unwrap();
    let used = measure(|| {
        for number in 0..CLIENTS {
            let request = PermitRequest {
                client: client("https://example.com/token", &format!("{number}"), "right"),
                ..request(&format!("0b5c7a80-1d3e-4f5a-9b6c-{number:012}"))
            };
            take(&mut budget, &request, 30);
            learn(&mut budget, &request, Lesson::Works, 30);
        }
    });
    let rested = measure(|| {
        ask(&mut budget, "a", false, 3600);
    });
    let (lately, later) = (
        each(used.bytes_current),
        each(used.bytes_current + rested.bytes_current),
    );
    assert!(
        lately <= 750 && later <= 290,
        "{lately} bytes lately, {later} at rest"
    );
}

#[test]
fn a_client_that_rests_keeps_only_what_is_known_of_its_secrets() {
    let mut budget = started_at(0);
    for number in 0..1000 {
        let other = client("https://example.com/token", &format!("{number}"), "right");
        let request = PermitRequest {
            client: other,
            ..request(&format!("{number}"))
        };
        take(&mut budget, &request, 30);
        // Half of them are deleted.
        learn(&mut budget, &request, Lesson::Works, 30);
        if number % 2 == 0 {
            budget.forget(request.uid);
        }
    }
    let clients = |budget: &Budget| {
        let lately = budget.lately.values().map(Vec::len).sum::<usize>();
        (budget.clients.len(), lately)
    };
    assert_eq!(clients(&budget), (1001, 1001));
    // The next question is asked much later.
    ask(&mut budget, "a", false, 3600);
    assert_eq!(clients(&budget), (501, 1));
    let used = budget.clients.values().filter(|bucket| bucket.used_lately);
    assert_eq!(used.count(), 1, "the others have no lines any more");
    assert!(ask(&mut budget, "a", false, 3600).is_none());
}

#[test]
fn a_client_that_rests_is_forgotten_with_its_last_credential_and_a_paused_one_after_its_pause() {
    let mut budget = started();
    let other = |second| {
        let client = client("https://example.com/token", "two", "right");
        (
            PermitRequest {
                client,
                ..request("b")
            },
            second,
        )
    };
    assert!(ask(&mut budget, "a", false, 3600).is_none());
    // Nobody has asked for two minutes, so the client rests.
    let (request_of_other, second) = other(3800);
    take(&mut budget, &request_of_other, second);
    budget.forget("holder".into());
    let (request_of_other, second) = other(7200);
    take(&mut budget, &request_of_other, second);
    assert_eq!(budget.clients.len(), 1);

    let paused = Lesson::Paused { until: at(9000) };
    learn(&mut budget, &stranger(0, "elsewhere"), paused, 7200);
    for (second, clients) in [(8900, 2), (9300, 1)] {
        let (request_of_other, second) = other(second);
        take(&mut budget, &request_of_other, second);
        assert_eq!(budget.clients.len(), clients, "{second}");
    }
}

#[derive(Clone, Debug)]
struct Arrival {
    second: i64,
    namespace: u8,
    secret: u8,
    lives: Option<i64>,
}

prop_compose! {
    fn arrival()(
        second in 0..900_i64,
        namespace in 0..4_u8,
        secret in 0..6_u8,
        lives in prop::option::of(1..600_i64),
    ) -> Arrival {
        Arrival { second, namespace, secret, lives }
    }
}

proptest! {
    /// Secrets 0 and 1 work, the provider refuses the others.
    #[test]
    fn no_minute_has_more_than_eight_requests_and_everybody_is_served(
        arrivals in prop::collection::vec(arrival(), 1..40),
    ) {
        let mut budget = Budget::new(SignedDuration::from_secs(12), at(-1000));
        let mut waiting: Vec<(i64, PermitRequest)> = Vec::new();
        for (number, arrival) in arrivals.iter().enumerate() {
            waiting.push((arrival.second, PermitRequest {
                client: with_secret(&arrival.secret.to_string()),
                namespace: arrival.namespace.to_string(),
                expires_at: arrival.lives.map(|lives| at(arrival.second + lives)),
                ..request(&number.to_string())
            }));
        }
        let known = [with_secret("0"), with_secret("1")];
        let works = |request: &PermitRequest| known.contains(&request.client);
        let (sent, waiting) = serve(&mut budget, waiting, 4000, works);
        prop_assert!(waiting.is_empty(), "{waiting:?}");
        assert_within_the_limit(&sent);
    }
}

#[test]
fn a_credential_whose_client_changes_again_and_again_sends_no_more_than_one_client_may() {
    let mut budget = started();
    let mut sent = 0;
    for second in 0..60 {
        let request = PermitRequest {
            client: client("https://example.com/token", &format!("{second}"), "any"),
            ..request("edited")
        };
        match budget.take(&request, at(second)) {
            Permit::Now { .. } => sent += 1,
            Permit::Later { at: time, wait } => {
                assert_eq!(wait, Wait::Edits);
                assert!(at(second) < time && time <= at(second + 12), "{time}");
            }
        }
        learn(&mut budget, &request, Lesson::Refused, second);
    }
    assert_eq!(sent, 3 + 4);
    assert_eq!(ask(&mut budget, "another", false, 60), None);
}

#[test]
fn what_a_credential_has_left_is_remembered_only_while_that_says_something() {
    let mut budget = started();
    for number in 0..10_000 {
        let request = PermitRequest {
            client: client("https://example.com/token", &format!("{number}"), "any"),
            ..request(&format!("{number}"))
        };
        assert_eq!(take(&mut budget, &request, 12 * number), None);
    }
    assert!(budget.own.len() <= 64);
}

//! Pauses that the provider asks for.

use super::*;

fn pause(budget: &mut Budget, secret: &str, until: i64, second: i64) {
    let lesson = Lesson::Paused { until: at(until) };
    budget.learn("paused".into(), &with_secret(secret), lesson, at(second));
}

#[test]
fn a_pause_holds_for_everybody_and_ends_with_one_request() {
    let mut budget = started_at(-1000);
    pause(&mut budget, "right", 300, 0);
    assert_eq!(ask(&mut budget, "a", false, 0), Some(300));
    assert_eq!(ask(&mut budget, "b", true, 0), Some(300));
    assert_eq!(ask(&mut budget, "a", false, 299), Some(300));
    pause(&mut budget, "right", 299, 298);
    assert_eq!(
        ask(&mut budget, "a", false, 299),
        Some(300),
        "a shorter pause takes nothing away"
    );
    assert_eq!(ask(&mut budget, "a", false, 300), None);
    assert_eq!(ask(&mut budget, "c", false, 300), Some(312));
}

#[test]
fn a_pause_that_a_stranger_provokes_is_the_strangers_alone() {
    let mut budget = started_at(-1000);
    pause(&mut budget, "wrong", 3000, 0);
    let stranger = PermitRequest {
        client: with_secret("wrong"),
        namespace: "other".into(),
        ..request("stranger")
    };
    assert_eq!(take(&mut budget, &stranger, 0), Some(3000));
    assert_eq!(ask(&mut budget, "a", false, 0), None);
    let innocent = PermitRequest {
        client: with_secret("second"),
        namespace: "third".into(),
        ..request("innocent")
    };
    assert_eq!(take(&mut budget, &innocent, 0), None);
}

#[test]
fn nothing_unproven_is_sent_while_the_provider_has_asked_the_rightful_client_to_pause() {
    let mut budget = started_at(-1000);
    pause(&mut budget, "right", 300, 0);
    let other = stranger(0, "other");
    assert_eq!(take(&mut budget, &other, 0), Some(300));
    let wait = budget.take(&other, at(0));
    assert!(matches!(
        wait,
        Permit::Later {
            wait: Wait::Pause,
            ..
        }
    ));
    assert_eq!(take(&mut budget, &other, 300), None);
}

#[test]
fn a_clock_that_is_set_back_makes_no_pause_longer_than_any_can_be() {
    let mut budget = started();
    pause(&mut budget, "right", 100_000, 99_000);
    for secret in ["right", "wrong"] {
        let request = PermitRequest {
            client: with_secret(secret),
            ..request(secret)
        };
        let again = take(&mut budget, &request, 2000).unwrap();
        assert!(again <= 2000 + 3610 + 6 * 12, "{again}");
    }
}

#[test]
fn a_failing_servers_pause_does_not_hold_a_refresh_whose_outcome_is_unknown_and_a_rate_limit_does()
{
    let mut budget = started_at(-1000);
    let unavailable = Lesson::Unavailable { until: at(300) };
    budget.learn("paused".into(), &one(), unavailable, at(0));
    let refresh = PermitRequest {
        priority: true,
        ..request("refresh")
    };
    assert_eq!(ask(&mut budget, "a", false, 30), Some(300));
    assert_eq!(take(&mut budget, &refresh, 30), None);
    pause(&mut budget, "right", 200, 31);
    assert_eq!(take(&mut budget, &refresh, 60), Some(200));
    assert_eq!(take(&mut budget, &refresh, 200), None);
    assert_eq!(ask(&mut budget, "a", false, 200), Some(300));
    assert_eq!(ask(&mut budget, "a", false, 300), None);
}

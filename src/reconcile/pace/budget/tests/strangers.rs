//! Strangers who know a client id, and not its secret.

use proptest::prelude::*;

use super::*;

/// Strangers of some namespaces, with three credentials each, who send another wrong secret whenever they may, without end.
struct Attack {
    namespaces: usize,
    sent: Vec<i64>,
}

impl Attack {
    fn of(namespaces: usize) -> Self {
        Self {
            namespaces,
            sent: Vec::new(),
        }
    }

    fn goes_on(&mut self, budget: &mut Budget, second: i64) {
        for namespace in 0..self.namespaces {
            for number in 0..3 {
                let secret = with_secret(&format!("wrong-{}", self.sent.len()));
                let stranger = PermitRequest {
                    client: secret,
                    ..stranger(number, &format!("evil-{namespace}"))
                };
                if take(budget, &stranger, second).is_none() {
                    self.sent.push(second);
                    learn(budget, &stranger, Lesson::Refused, second);
                }
            }
        }
    }
}

fn innocent(number: i64) -> PermitRequest {
    let name = format!("innocent-{number}");
    PermitRequest {
        client: with_secret(&name),
        namespace: name.clone(),
        ..request(&name)
    }
}

#[test]
fn strangers_with_wrong_secrets_delay_neither_a_refresh_nor_a_new_client_of_another_namespace() {
    let mut budget = started_at(-1000);
    let mut attack = Attack::of(1);
    for second in 0..3600 {
        attack.goes_on(&mut budget, second);
        if second % 100 == 50 {
            assert_eq!(ask(&mut budget, "refresh", false, second), None, "{second}");
        }
        if second % 500 == 77 {
            let new = innocent(second);
            assert_eq!(take(&mut budget, &new, second), None, "{second}");
            learn(&mut budget, &new, Lesson::Works, second);
        }
    }
    assert!(attack.sent.len() > 200, "they are served too");
}

#[test]
fn strangers_of_many_namespaces_delay_no_refresh_and_a_new_client_by_one_interval_at_most() {
    let mut budget = started_at(-1000);
    let mut attack = Attack::of(5);
    let mut waits: Option<(i64, PermitRequest)> = None;
    for second in 0..1800 {
        if second % 100 == 50 {
            assert_eq!(ask(&mut budget, "refresh", false, second), None, "{second}");
        }
        if second > 300 && second % 500 == 77 {
            waits = Some((second, innocent(second)));
        }
        attack.goes_on(&mut budget, second);
        if let Some((since, new)) = &waits {
            let done = take(&mut budget, new, second).is_none();
            assert!(second <= since + 12, "{since}");
            waits.take_if(|_| done);
        }
    }
}

#[test]
fn a_new_process_serves_the_rightful_client_among_its_first_two() {
    let mut budget = Budget::new(SignedDuration::from_secs(12), at(0));
    let mut attack = Attack::of(1);
    attack.goes_on(&mut budget, 0);
    assert_eq!(ask(&mut budget, "refresh", false, 0), Some(12));
    for second in 1..12 {
        attack.goes_on(&mut budget, second);
    }
    attack.goes_on(&mut budget, 12);
    assert_eq!(ask(&mut budget, "refresh", false, 12), None);
}

#[test]
fn whoever_shares_a_secret_that_has_worked_need_not_prove_it_again() {
    let mut budget = Budget::new(SignedDuration::from_secs(12), at(0));
    assert_eq!(ask(&mut budget, "a", false, 0), None);
    let wait = budget.take(&request("b"), at(0));
    let expected = Permit::Later {
        at: at(12),
        wait: Wait::Turn,
    };
    assert_eq!(wait, expected);
    learn(&mut budget, &request("a"), Lesson::Works, 1);
    assert_eq!(ask(&mut budget, "b", false, 12), None);
    let wait = budget.take(&request("c"), at(12));
    let expected = Permit::Later {
        at: at(24),
        wait: Wait::Turn,
    };
    assert_eq!(wait, expected);
}

#[test]
fn the_time_that_was_answered_stays_while_a_secret_turns_out_to_work() {
    let mut budget = Budget::new(SignedDuration::from_secs(12), at(0));
    assert_eq!(ask(&mut budget, "first", false, 0), None);
    let uids = ["a", "b", "c", "d"];
    let answers = uids.map(|uid| ask(&mut budget, uid, false, 0));
    assert_eq!(answers, [Some(12), Some(24), Some(36), Some(48)]);
    learn(&mut budget, &request("first"), Lesson::Works, 1);
    for (uid, answer) in uids.into_iter().zip(answers).rev() {
        assert_eq!(ask(&mut budget, uid, false, 2), answer);
    }
}

#[test]
fn a_secret_that_is_refused_does_not_count_as_working_any_more() {
    let mut budget = started_at(-1000);
    learn(&mut budget, &request("holder"), Lesson::Refused, 0);
    assert_eq!(ask(&mut budget, "a", false, 0), None);
    let wait = [(); 2].map(|()| budget.take(&request("b"), at(0)));
    assert!(matches!(wait[0], Permit::Now { .. }));
    assert!(matches!(
        wait[1],
        Permit::Later {
            wait: Wait::Refused,
            ..
        }
    ));
}

#[test]
fn three_credentials_of_a_new_client_have_their_tokens_within_seconds() {
    let mut budget = Budget::new(SignedDuration::from_secs(12), at(-1000));
    let answers = ["a", "b", "c"].map(|uid| ask(&mut budget, uid, false, 0));
    assert_eq!(answers, [None, None, Some(2)]);
    learn(&mut budget, &request("a"), Lesson::Works, 1);
    assert_eq!(ask(&mut budget, "c", false, 2), None);
}

#[test]
fn unproven_clients_get_every_fifth_permit_while_others_use_the_whole_budget() {
    let mut budget = started_at(-1000);
    let mut attack = Attack::of(1);
    let mut served = 0;
    for second in 0..3600 {
        for uid in ["a", "b", "c"] {
            served += usize::from(ask(&mut budget, uid, false, second).is_none());
        }
        attack.goes_on(&mut budget, second);
    }
    let share = attack.sent.len();
    assert!((58..=62).contains(&share), "{share} and {served}");
    assert!(served >= 238, "{served}");
}

proptest! {
    #[test]
    fn no_stranger_takes_the_last_permit(
        asks in prop::collection::vec((0..40_i64, 0..3_usize), 1..60),
    ) {
        let mut budget = started_at(-1000);
        let mut second = 0;
        for (number, (pause, namespace)) in asks.into_iter().enumerate() {
            second += pause;
            let stranger = stranger(number, &namespace.to_string());
            if take(&mut budget, &stranger, second).is_none() {
                learn(&mut budget, &stranger, Lesson::Refused, second);
            }
            let peek = PermitRequest { peek: true, ..request("refresh") };
            prop_assert_eq!(take(&mut budget, &peek, second), None);
        }
    }
}

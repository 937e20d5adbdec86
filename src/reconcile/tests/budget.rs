//! Token requests of one client: how many, in which order, and what people read while they wait.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::SecretString;

use super::{
    provider::{Response, issue, issue_narrowed},
    refusals::{ca_bundle_ref, certificate},
    world::{Costs, World, seconds},
};
use crate::{
    api::{
        ConditionStatus,
        ConditionType::{Ready, Reconciling, Refreshed},
        Reason,
    },
    oauth::{endpoint::Endpoint, example},
    reconcile::{
        Action, CaBundle, EventKind, Exchanged, Next, Observed, Outcome, Read, Source,
        SourceSecret, SourceValue, State, StateSecret, StoredLogin, Target, absorb,
        case::Case,
        decide,
        pace::{Budget, ClientKey, Permit, PermitRequest},
    },
};

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
    Budget::new(seconds(12), at(0))
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
            let turn = budget.take(&request, at(12 * i64::from(number)));
            (request, turn)
        })
        .collect();
    for (request, turn) in late {
        budget.end(&request.uid, Some(&(request.clone(), turn)), true, at(114));
    }
    assert_eq!(ask(&mut budget, "a", false, 114), Some(120));
}

#[test]
fn a_turn_is_asked_for_again_if_its_request_could_not_be_sent_for_long() {
    let mut world = World::new();
    let mut observed = world.observe();
    let turn = |observed: &Observed, now| match decide(observed, now).next {
        Next::Act(action) => match *action {
            Action::TakePermit(request) => Some(request),
            Action::Exchange(_) => None,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let settings = observed.settings.clone().unwrap();
    for what in [
        Read::target(&settings, &observed.target),
        Read::source(&settings, &observed.source),
    ] {
        let outcome = world.read(what, &observed);
        absorb(&mut observed, outcome, world.now);
    }
    let request = turn(&observed, world.now).expect("nothing is sent without a turn");
    let until = world.now + seconds(5);
    absorb(
        &mut observed,
        Outcome::Permit(request.clone(), Permit::Now { until }),
        world.now,
    );
    assert_eq!(turn(&observed, until), None);
    assert_eq!(turn(&observed, until + seconds(1)), Some(request));
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
fn only_the_tries_within_a_providers_grace_overdraw() {
    for (unknown_outcomes, priority) in [(0, true), (3, true), (4, false)] {
        let observed = outcome_unknown(unknown_outcomes);
        let Next::Act(action) = decide(&observed, World::new().now).next else {
            panic!("a turn is due");
        };
        let Action::TakePermit(request) = *action else {
            panic!("{action:?}");
        };
        assert_eq!(request.priority, priority, "{unknown_outcomes}");
    }
}

#[test]
fn a_lost_answer_is_followed_up_within_the_grace_however_many_failures_came_before() {
    let mut observed = outcome_unknown(0);
    let now = World::new().now;
    let fails = |observed: &mut Observed, reason, outcome_unknown| {
        fail(observed, reason, outcome_unknown, now);
        let failure = observed.memory.exchange.failure().unwrap();
        failure.next_attempt.unwrap().duration_since(now).as_secs()
    };
    for _ in 0..6 {
        fails(&mut observed, Reason::Unreachable, false);
    }
    assert!(fails(&mut observed, Reason::Unreachable, false) >= 240);
    let delays = [(); 3].map(|()| fails(&mut observed, Reason::NoResponse, true));
    for (delay, expected) in delays.into_iter().zip([2, 8, 20]) {
        assert!(
            (expected * 4 / 5..=expected * 6 / 5).contains(&delay),
            "{delays:?}"
        );
    }
}

/// An exchange is made, and fails.
fn fail(observed: &mut Observed, reason: Reason, outcome_unknown: bool, now: Timestamp) {
    let settings = observed.settings.clone().unwrap();
    let case = Case {
        observed,
        settings: &settings,
        now,
    };
    let error = example::token_error(reason, None).unwrap();
    assert_eq!(error.outcome_unknown(), outcome_unknown);
    let exchanged = Exchanged {
        attempt: case.exchange().unwrap().attempt,
        sent_at: now,
        result: Err(error),
        refresh_token: None,
        date: None,
    };
    absorb(observed, Outcome::Exchanged(Box::new(exchanged)), now);
}

/// A stored refresh token that was sent, and so many answers in a row that were lost.
fn outcome_unknown(unknown_outcomes: i32) -> Observed {
    let token = SecretString::from("S3CRET-seed");
    let mut stored = StoredLogin::begin(&token, Some("7".into()), None);
    stored.record.outcome_unknown = true;
    let mut world = World::new();
    world.spec = serde_json::from_value(serde_json::json!({
        "provider": "CubeSoftware", "clientSecretRef": {"name": "client"},
        "grant": "RefreshToken", "refreshTokenRef": {"name": "seed"},
    }))
    .unwrap();
    let mut observed = world.observe();
    observed.target = Target::Absent;
    let settings = observed.settings.clone().unwrap();
    let source = world.read(Read::source(&settings, &observed.source), &observed);
    absorb(&mut observed, source, world.now);
    observed.seed = Source::Read(SourceSecret {
        version: "7".into(),
        token_hosts: None,
        values: SourceValue::Text(token),
    });
    observed.state = State::Present(Box::new(StateSecret {
        uid: "state".into(),
        version: "8".into(),
        owned: true,
        stored,
    }));
    observed.memory.login.read_for(Some(world.generation));
    for _ in 0..unknown_outcomes {
        fail(&mut observed, Reason::NoResponse, true, world.now);
    }
    observed.memory.exchange.forget_failure();
    observed
}

#[test]
fn a_pause_holds_for_everybody_and_ends_with_one_request() {
    let mut budget = Budget::new(seconds(12), at(-1000));
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
        let mut budget = Budget::new(seconds(12), at(-1000));
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

/// Credentials of one client in one process.
fn worlds(count: usize) -> Vec<World> {
    let budget = Rc::new(RefCell::new(Budget::new(seconds(12), World::new().now)));
    (0..count)
        .map(|number| {
            let mut world = World::new();
            world.budget = Rc::clone(&budget);
            world.uid = number.to_string();
            world
        })
        .collect()
}

/// Lets a minute pass for each of them, a second at a time.
fn pass_a_minute(worlds: &mut [World]) {
    for _ in 0..60 {
        for world in &mut *worlds {
            world.pass(seconds(1));
        }
    }
}

fn settle(worlds: &mut [World]) {
    for world in worlds {
        world.settle();
    }
}

#[test]
fn two_hundred_credentials_of_one_client_are_served_one_after_the_other() {
    let mut worlds = worlds(200);
    settle(&mut worlds);
    let exchanges = |worlds: &[World]| -> usize {
        worlds
            .iter()
            .map(|world| world.provider.exchanges.len())
            .sum()
    };
    assert_eq!(exchanges(&worlds), 1);
    let waits = &worlds[1];
    let message = "the next token request waits for its turn at 10:00:12Z, because those of all CubeCredentials with this client \
                   id and token URL are sent one after the other: nothing has to be done";
    assert_eq!(
        waits.ready_is(),
        (ConditionStatus::False, "RateBudget".into())
    );
    assert_eq!(
        waits.refreshed_is(),
        (ConditionStatus::Unknown, "RateBudget".into())
    );
    assert_eq!(waits.message(Reconciling), message);
    assert_eq!(waits.status.refresh_at, Some(waits.now + seconds(12)));
    assert!(waits.news.is_empty());

    for minute in 1..=41 {
        let before = exchanges(&worlds);
        pass_a_minute(&mut worlds);
        let sent = exchanges(&worlds) - before;
        assert!(sent <= 5, "minute {minute}: {sent}");
    }
    assert_eq!(exchanges(&worlds), 200);
    for world in &mut worlds {
        assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
        assert_eq!(world.take_news(), [EventKind::TokenIssued]);
    }
}

#[test]
fn whose_token_ends_before_its_turn_is_told_what_to_do() {
    let mut worlds = worlds(50);
    for world in &mut worlds {
        world.provider.otherwise = issue(60);
    }
    settle(&mut worlds);
    for _ in 0..4 {
        pass_a_minute(&mut worlds);
    }
    let late: Vec<_> = worlds
        .iter()
        .filter(|world| world.status.expires_at < world.status.refresh_at)
        .collect();
    assert!(!late.is_empty());
    for world in late {
        let message = world.message(Refreshed);
        let told = "are sent one after the other; the token does not last until then: if this comes again, let those that need the \
                    same token share a CubeCredential, or get another client id for some of them";
        assert!(
            world.status.expires_at.is_none() || message.ends_with(told),
            "{message}"
        );
    }
}

#[test]
fn a_refresh_that_waits_is_no_failure() {
    let mut worlds = worlds(2);
    worlds[0].pass(seconds(100));
    worlds[1].pass(seconds(100));
    settle(&mut worlds);
    // The other one's secret is edited again and again.
    let due = worlds[1].wake_at.unwrap();
    worlds[0].provider.accepts = Some("S3CRET-1".into());
    worlds[0].now = due;
    for secret in ["S3CRET-2", "S3CRET-3", "S3CRET-4"] {
        worlds[0].put_source(secret);
        worlds[0].settle();
    }
    worlds[1].wake();
    let world = &mut worlds[1];
    assert_eq!(
        world.cost_of(World::settle),
        Costs::default(),
        "waiting costs nothing"
    );
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::True, "RateBudget".into())
    );
    world.wake();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::True, "TokenIssued".into())
    );
    assert_eq!(world.take_news(), [EventKind::TokenIssued]);
}

#[test]
fn a_target_whose_repair_waits_is_told_of_when_it_is_repaired() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.spec.scopes = vec!["read".into(), "write".into()];
    world.request = Some("of-yesterday".into());
    world.provider.otherwise = issue_narrowed();
    world.settle();
    world.take_news();
    world.cluster.secrets.clear();
    world.settle();
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "RateBudget".into())
    );
    assert_eq!(world.take_news(), []);
    world.wake();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.take_news(), [EventKind::TargetRepaired]);
    world.pass(seconds(7200));
    assert_eq!(world.take_news(), [], "once");
}

#[test]
fn a_refusal_whose_end_waits_is_told_to_be_over_when_there_is_a_token() {
    let mut worlds = worlds(2);
    let source = worlds[1].source.take();
    settle(&mut worlds);
    let world = &mut worlds[1];
    let told = world.take_news();
    assert_eq!(told, [EventKind::Failed(Reason::ClientSecretNotFound)]);
    world.source = source;
    world.settle();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::Unknown, "RateBudget".into())
    );
    assert_eq!(world.take_news(), []);
    world.wake();
    assert_eq!(world.take_news(), [EventKind::Recovered]);
    world.pass(seconds(7200));
    assert_eq!(world.take_news(), [], "once");
}

#[test]
fn scopes_that_are_narrowed_again_are_told_of_also_if_the_new_spec_had_to_wait_for_its_token() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.spec.scopes = vec!["read".into(), "write".into()];
    world.provider.otherwise = issue_narrowed();
    world.settle();
    world.take_news();
    world.edit_spec(|spec| spec.scopes.push("admin".into()));
    world.settle();
    assert_eq!(world.take_news(), []);
    world.wake();
    assert_eq!(world.take_news(), [EventKind::ScopeNarrowed]);
}

#[test]
fn a_failure_that_also_waits_keeps_its_reason_and_says_when_its_turn_is() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.provider.accepts = Some("S3CRET-9".into());
    world.settle();
    let told = world.message(Refreshed).to_owned();
    world.now += seconds(2);
    world.put_source("S3CRET-2");
    world.settle();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "InvalidClient".into())
    );
    let (before, after) = told.split_once("next try at ").unwrap();
    let expected = format!(
        "{before}next try at 10:00:12Z{}",
        &after["10:05:00Z".len()..]
    );
    assert_eq!(world.message(Refreshed), expected);
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.condition(Reconciling).0, ConditionStatus::True);
    // Nor does a restart change what is said.
    world.restart();
    world.settle();
    assert_eq!(world.message(Refreshed), expected);
    world.wake();
    assert_eq!(world.provider.exchanges.len(), 2);
    assert_eq!(
        world.take_news(),
        [EventKind::Failed(Reason::InvalidClient)]
    );
}

#[test]
fn a_pause_of_the_provider_is_everybodys_of_this_client_also_after_a_restart() {
    for reason in [Reason::RateLimited, Reason::Unavailable] {
        is_everybodys_pause(reason);
    }
}

fn is_everybodys_pause(reason: Reason) {
    let mut worlds = worlds(2);
    worlds[0].provider.script.push_back(Response::Refuse {
        reason,
        pause: Some(600),
    });
    settle(&mut worlds);
    let until = worlds[0].status.refresh_at.unwrap();
    let waits = &worlds[1];
    assert_eq!(
        waits.status.refresh_at,
        Some(until),
        "one request goes first, and that is its own"
    );
    assert!(
        waits
            .message(Ready)
            .starts_with("the provider has asked this client to pause")
    );

    restart(&mut worlds);
    worlds[0].request = Some("a person's wish".into());
    settle(&mut worlds);
    assert_eq!(worlds[1].status.refresh_at, Some(until));
    for world in &mut worlds {
        world.pass(seconds(590));
        assert!(world.provider.exchanges.len() <= 1);
    }
    for _ in 0..60 {
        for world in &mut worlds {
            world.pass(seconds(1));
        }
    }
    for world in &worlds {
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_pause_is_known_after_restarts_while_something_else_is_in_the_way() {
    type Change = fn(&mut World);
    let obstacles: [(Change, Change); 2] = [
        (
            |world| world.edit_spec(|spec| spec.suspend = true),
            |world| world.edit_spec(|spec| spec.suspend = false),
        ),
        (
            |world| world.source = None,
            |world| world.put_source("S3CRET-1"),
        ),
    ];
    for (block, unblock) in obstacles {
        let mut worlds = worlds(1);
        worlds[0].provider.script.push_back(Response::Refuse {
            reason: Reason::RateLimited,
            pause: Some(600),
        });
        settle(&mut worlds);
        let until = worlds[0].status.refresh_at;
        block(&mut worlds[0]);
        for _ in 0..2 {
            settle(&mut worlds);
            assert_ne!(worlds[0].refreshed_is().1, "RateLimited");
            restart(&mut worlds);
        }
        unblock(&mut worlds[0]);
        settle(&mut worlds);
        let world = &mut worlds[0];
        assert_eq!(world.provider.exchanges.len(), 1, "the pause holds");
        assert_eq!(world.status.refresh_at, until);
        assert!(
            world
                .message(Refreshed)
                .starts_with("the provider has asked this client to pause: wait; next try at 10:1")
        );
        world.pass(seconds(620));
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

/// Another process, which knows what stands in the status of all.
fn restart(worlds: &mut [World]) {
    let budget = Rc::new(RefCell::new(Budget::new(seconds(12), worlds[0].now)));
    for world in &mut *worlds {
        world.restart();
        world.budget = Rc::clone(&budget);
        world.recall_pause();
    }
}

#[test]
fn the_turn_that_a_rate_limited_credential_waits_for_is_no_pause_of_the_others_after_a_restart() {
    let mut worlds = worlds(3);
    worlds[0].provider.script.push_back(Response::Refuse {
        reason: Reason::RateLimited,
        pause: Some(60),
    });
    settle(&mut worlds);
    let until = worlds[0].status.refresh_at.unwrap();
    for number in [1, 0] {
        worlds[number].now = until;
        worlds[number].settle();
    }
    let limited = &worlds[0];
    assert_eq!(limited.refreshed_is().1, "RateLimited");
    assert_eq!(limited.status.refresh_at, Some(until + seconds(24)));

    worlds[2].now = until + seconds(1);
    restart(&mut worlds);
    worlds[2].settle();
    assert_eq!(worlds[2].ready_is().0, ConditionStatus::True);
}

#[test]
fn a_changed_secret_does_not_cut_a_pause_short_but_another_client_need_not_wait() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.provider.script.push_back(Response::Refuse {
        reason: Reason::RateLimited,
        pause: None,
    });
    world.settle();
    assert!(world.message(Ready).ends_with("Z, and not before"));
    let until = world.status.refresh_at;
    world.put_source("S3CRET-2");
    world.settle();
    assert_eq!(world.refreshed_is().1, "RateLimited");
    assert_eq!(world.status.refresh_at, until);
    world.edit_source(|source| source.client_id = SourceValue::Text("another".into()));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_credential_that_is_refused_when_its_turn_comes_leaves_its_place() {
    let mut worlds = worlds(3);
    worlds[1].edit_spec(|spec| spec.ca_bundle_ref = Some(ca_bundle_ref()));
    worlds[1].put_ca_bundle(CaBundle::Pem(certificate("b2xk")));
    settle(&mut worlds);
    worlds[1].put_ca_bundle(CaBundle::Absent);
    for world in &mut worlds[1..] {
        world.now += seconds(12);
        world.settle();
    }
    assert_eq!(worlds[1].refreshed_is().1, "CABundleInvalid");
    assert_eq!(worlds[2].ready_is().0, ConditionStatus::True);
}

#[test]
fn a_credential_that_is_suspended_while_it_waits_leaves_its_place() {
    let mut worlds = worlds(3);
    settle(&mut worlds);
    worlds[1].edit_spec(|spec| spec.suspend = true);
    worlds[1].settle();
    worlds[2].now += seconds(12);
    worlds[2].settle();
    assert_eq!(worlds[2].ready_is().0, ConditionStatus::True);
}

//! Providers that end tokens and logins in ways of their own, and the seconds that their consumers are without a token.

use super::{
    provider::{Early, issue, refuse},
    world::{Costs, STATE, TARGET, World, seconds},
};
use crate::{
    api::{ConditionStatus, Reason},
    reconcile::EventKind,
};

/// The seconds of this span in which the target holds no live token.
fn seconds_without_a_token(world: &mut World, span: i64) -> i64 {
    let mut without = 0;
    for _ in 0..span {
        world.pass(seconds(1));
        let end = world.status.expires_at;
        without += i64::from(end.is_none_or(|end| end <= world.now));
    }
    without
}

fn ready_with(lifetime: i64) -> World {
    let mut world = World::new();
    world.provider.otherwise = issue(lifetime);
    world.settle();
    world.events.clear();
    world.costs = Costs::default();
    world
}

#[test]
fn a_provider_that_replaces_no_token_early_leaves_hardly_a_second_without_one() {
    let mut world = ready_with(120);
    world.provider.early = Early::Refuses(15);
    let without = seconds_without_a_token(&mut world, 375);
    assert!(without <= 3, "{without}");
    let requests = world.provider.exchanges.len();
    assert!(requests <= 14, "{requests} requests in 375 s");
}

#[test]
fn a_small_margin_asks_such_a_provider_at_once_for_what_it_gives() {
    let mut world = World::new();
    world.spec.refresh_before = "10s".into();
    world.provider.otherwise = issue(120);
    world.provider.early = Early::Refuses(15);
    world.settle();
    assert_eq!(seconds_without_a_token(&mut world, 1000), 0);
    let refused = world.provider.exchanges.iter().filter(|made| !made.issued);
    assert_eq!(refused.count(), 0);
}

#[test]
fn one_refusal_of_a_router_takes_no_token_away() {
    for reason in [
        Reason::EndpointNotFound,
        Reason::Forbidden,
        Reason::UnexpectedResponse,
        Reason::InvalidClient,
        Reason::TLSUntrusted,
    ] {
        let mut world = ready_with(300);
        world.provider.script = [refuse(reason)].into();
        let without = seconds_without_a_token(&mut world, 900);
        assert_eq!(without, 0, "{reason}");
    }
}

#[test]
fn a_refusal_that_lasts_is_not_hammered() {
    let mut world = ready_with(3600);
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.pass(seconds(3200));
    let before = world.provider.exchanges.len();
    world.pass(seconds(600));
    let early = world.provider.exchanges.len() - before;
    assert!((7..=9).contains(&early), "{early}");
    let before = world.provider.exchanges.len();
    world.pass(seconds(24 * 3600));
    let late = world.provider.exchanges.len() - before;
    assert!((22..=30).contains(&late), "{late} requests in a day");
}

#[test]
fn a_refused_client_that_has_not_worked_is_not_retried_early() {
    let mut world = World::ready();
    world.provider.accepts = Some("S3CRET-1".into());
    world.put_source("S3CRET-2");
    world.settle();
    let wait = world.wake_at.unwrap().duration_since(world.now);
    assert!(wait >= seconds(240), "{wait:?}");
}

#[test]
fn early_retries_go_on_after_a_restart() {
    let mut world = ready_with(300);
    world.provider.script = [
        refuse(Reason::EndpointNotFound),
        refuse(Reason::EndpointNotFound),
    ]
    .into();
    world.wake();
    let planned = world.status.refresh_at;
    world.restart();
    world.settle();
    assert_eq!(world.status.refresh_at, planned);
    assert_eq!(seconds_without_a_token(&mut world, 600), 0);
}

#[test]
fn a_token_that_comes_again_until_its_end_is_written_once_and_asked_for_rarely() {
    let mut world = ready_with(3600);
    world.provider.early = Early::Repeats(0);
    let cycle = |world: &mut World| {
        let before = world.provider.exchanges.len();
        let costs = world.cost_of(|world| world.pass(seconds(3601)));
        (world.provider.exchanges.len() - before, costs.publishes)
    };
    let (first, writes) = cycle(&mut world);
    assert!(first <= 7, "{first} requests");
    assert_eq!(writes, 1);
    assert_eq!(world.take_events(), [EventKind::TokenRepeated]);
    for _ in 0..20 {
        let (requests, writes) = cycle(&mut world);
        assert!(requests <= 2, "{requests} requests");
        assert!(writes <= 1, "{writes} writes");
    }
    assert_eq!(world.take_events(), [], "it is said once");
    let without = seconds_without_a_token(&mut world, 7200);
    assert!(without <= 4, "{without}");
}

#[test]
fn a_provider_that_stops_repeating_tokens_is_noticed() {
    let mut world = ready_with(3600);
    world.provider.early = Early::Repeats(60);
    world.pass(seconds(2 * 3600));
    world.provider.early = Early::Issues;
    world.pass(seconds(8 * 3600));
    let status = &world.status;
    let margin = status
        .expires_at
        .unwrap()
        .duration_since(status.refresh_at.unwrap());
    assert!(margin >= seconds(300), "{margin:?}");
}

#[test]
fn a_repeated_token_serves_a_request_by_hand() {
    let mut world = ready_with(3600);
    world.provider.early = Early::Repeats(0);
    world.request = Some("now".into());
    world.now += seconds(60);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes), (1, 1));
    world.now += seconds(60);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
}

#[test]
fn a_maximum_lifetime_limits_new_tokens_and_the_published_one() {
    let mut world = ready_with(3_600_000);
    assert_eq!(
        world.status.expires_at,
        Some(world.now + seconds(3_600_000))
    );
    world.edit_spec(|spec| spec.maximum_lifetime = Some("1h".into()));
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes), (0, 1));
    assert_eq!(world.status.expires_at, Some(world.now + seconds(3600)));
    assert_eq!(seconds_without_a_token(&mut world, 7300), 0);
    assert_eq!(world.provider.exchanges.len(), 3);
    let lifetime = |world: &World| {
        let status = &world.status;
        status
            .expires_at
            .unwrap()
            .duration_since(status.issued_at.unwrap())
    };
    assert_eq!(lifetime(&world), seconds(3600));
    // One that is older already is replaced immediately.
    world.now += seconds(60);
    world.edit_spec(|spec| spec.maximum_lifetime = Some("30s".into()));
    world.now += seconds(60);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(lifetime(&world), seconds(30));
}

#[test]
fn a_maximum_lifetime_counts_from_the_first_response_with_a_token() {
    // The provider states a day, ends tokens after an hour, and issues the same one until then.
    let mut world = World::new();
    world.spec.maximum_lifetime = Some("1h".into());
    world.provider.otherwise = issue(24 * 3600);
    world.provider.early = Early::Repeats(23 * 3600);
    world.settle();
    let end = world.now + seconds(3600);
    let first = world.token().map(str::to_owned);
    while world.now < end {
        assert_eq!(world.status.expires_at, Some(end));
        world.pass(seconds(1));
    }
    world.pass(seconds(3));
    assert_ne!(world.token(), first.as_deref());
    assert_eq!(
        world.provider.exchanges.last().map(|made| made.issued),
        Some(true)
    );
    assert!(
        world.provider.exchanges.len() <= 7,
        "{}",
        world.provider.exchanges.len()
    );
    assert!(seconds_without_a_token(&mut world, 2 * 3600) <= 4);
}

#[test]
fn a_token_that_outlives_the_maximum_lifetime_stays_published() {
    let mut world = World::new();
    world.spec.maximum_lifetime = Some("1h".into());
    world.provider.otherwise = issue(24 * 3600);
    world.provider.early = Early::Repeats(0);
    world.settle();
    let without = seconds_without_a_token(&mut world, 12 * 3600);
    assert!(without <= 24, "{without}");
    let requests = world.provider.exchanges.len();
    assert!(requests <= 40, "{requests} requests");
}

#[test]
fn a_lifetime_of_days_is_doubted_once_unless_the_spec_limits_it() {
    let events = |lifetime, maximum: Option<&str>| {
        let mut world = World::new();
        world.spec.maximum_lifetime = maximum.map(str::to_owned);
        world.provider.otherwise = issue(lifetime);
        world.settle();
        world.take_events()
    };
    let doubted = [EventKind::TokenIssued, EventKind::LongLivedToken];
    assert_eq!(events(3_600_000, None), doubted);
    assert_eq!(events(3_600_000, Some("1h")), [EventKind::TokenIssued]);
    assert_eq!(events(24 * 3600, None), [EventKind::TokenIssued]);
    let mut login = World::signed_in();
    login.provider.otherwise = issue(3_600_000);
    login.settle();
    assert_eq!(login.take_events(), [EventKind::TokenIssued]);
}

fn login_of(idle: i64, lifetime: i64) -> World {
    let mut world = World::signed_in();
    world.provider.logins.rules.idle = Some(idle);
    world.provider.otherwise = issue(lifetime);
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world
}

#[test]
fn a_login_that_ends_before_its_access_token_is_refreshed_before_that() {
    let mut world = login_of(60, 3600);
    let end = world.status.login_expires_at.unwrap();
    assert_eq!(end, world.now + seconds(60));
    let refresh_at = world.status.refresh_at.unwrap();
    let margin = end.duration_since(refresh_at);
    assert!((seconds(20)..=seconds(22)).contains(&margin), "{margin:?}");
    world.pass(seconds(3600));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert!(!world.status.login_fixed, "each refresh extends it");
    let state = &world.cluster.secrets[STATE].data["record"];
    assert!(state.contains("\"login\":{\"at\":"), "{state}");
}

#[test]
fn a_failing_refresh_is_tried_once_more_before_the_login_ends() {
    let mut world = login_of(60, 3600);
    world.provider.script = [
        refuse(Reason::Unreachable),
        refuse(Reason::EndpointNotFound),
    ]
    .into();
    world.pass(seconds(100));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert!(world.status.login_expires_at.unwrap() > world.now);
}

#[test]
fn the_end_of_a_login_outlives_a_restart_and_a_wiped_status() {
    let mut world = login_of(1800, 3600);
    let end = world.status.login_expires_at;
    world.restart();
    world.status = crate::api::CubeCredentialStatus::default();
    world.settle();
    assert_eq!(world.status.login_expires_at, end);
    world.cluster.secrets.remove(TARGET);
    world.settle();
    assert_eq!(world.status.login_expires_at, end);
}

#[test]
fn a_login_that_no_refresh_extends_is_reported_as_fixed() {
    let mut world = login_of(100_000, 3600);
    assert!(!world.status.login_fixed);
    let end = world.status.login_expires_at.unwrap();
    // The session has one end: what is left of it shrinks.
    for _ in 0..3 {
        let refresh_at = world.status.refresh_at.unwrap();
        world.provider.logins.rules.idle = Some(end.duration_since(refresh_at).as_secs());
        world.wake();
        assert!(world.status.login_fixed);
        assert_eq!(world.status.login_expires_at, Some(end));
    }
    world.provider.logins.rules.idle = Some(100_000);
    world.wake();
    assert!(!world.status.login_fixed);
    // Keycloak's offline tokens do not end; where nothing is stated, nothing is known.
    world.provider.logins.rules.idle = None;
    world.wake();
    assert_eq!(world.status.login_expires_at, None);
}

#[test]
fn a_login_that_was_stored_before_its_end_was_recorded_is_read() {
    let mut world = login_of(7200, 3600);
    world.cluster.edit(STATE, |secret| {
        let mut record: serde_json::Value = serde_json::from_str(&secret.data["record"]).unwrap();
        record["issued"].as_object_mut().unwrap().remove("login");
        secret.data.insert("record".into(), record.to_string());
    });
    world.cluster.secrets.remove(TARGET);
    world.restart();
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(world.status.login_expires_at, None);
    world.pass(seconds(3600));
    assert!(world.status.login_expires_at.is_some());
}

#[test]
fn a_token_that_is_over_on_arrival_is_not_asked_for_again_soon_to_save_one_that_still_lives() {
    let mut world = World::ready();
    world.provider.latency = 5;
    world.provider.otherwise = issue(1);
    world.now = world.status.expires_at.unwrap() - seconds(8);
    world.settle();
    world.pass(seconds(600));
    let sent: Vec<_> = world
        .provider
        .exchanges
        .iter()
        .map(|sent| sent.at)
        .collect();
    let distance = sent[2].duration_since(sent[1]);
    assert!(distance >= seconds(12), "{distance}");
}

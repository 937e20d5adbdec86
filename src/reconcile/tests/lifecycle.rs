//! A credential that works: what it costs, and when.

use super::{
    provider::issue,
    world::{Costs, TARGET, World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType},
    reconcile::EventKind,
};

const NOTHING: Costs = Costs {
    account_tokens: 0,
    target_reads: 0,
    previous_reads: 0,
    source_reads: 0,
    seed_reads: 0,
    state_reads: 0,
    record_reads: 0,
    looks_at_others: 0,
    pod_lists: 0,
    ca_reads: 0,
    exchanges: 0,
    probes: 0,
    stores: 0,
    records: 0,
    publishes: 0,
    deletes: 0,
    reports: 0,
    pod_refreshes: 0,
    workload_reads: 0,
    restarts: 0,
};

#[test]
fn a_new_credential_takes_one_exchange_one_publish_one_report() {
    let mut world = World::new();
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs,
        Costs {
            source_reads: 1,
            exchanges: 1,
            publishes: 1,
            reports: 1,
            ..NOTHING
        }
    );
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    let data = &world.cluster.secrets[TARGET].data;
    assert_eq!(data["token-type"], "Bearer");
    assert_eq!(data["expires-at"], "2026-11-21T11:00:00Z");
}

#[test]
fn a_new_credential_is_ready_and_refreshed() {
    let world = World::ready();
    assert_eq!(
        world.message(ConditionType::Ready),
        "token in Secret \"cubewire-token\" is valid until 2026-11-21T11:00:00Z"
    );
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::True, "TokenIssued".into())
    );
    assert_eq!(world.status.conditions.len(), 2);
    assert_eq!(world.status.observed_generation, Some(1));
    assert_eq!(world.status.failures, None);
    assert_eq!(world.status.attempted, None);
    let target = world.status.target.as_ref().unwrap();
    let stored = &world.cluster.secrets[TARGET];
    assert_eq!(
        (&*target.name, target.resource_version.clone()),
        (TARGET, stored.version.to_string())
    );
}

#[test]
fn a_steady_refresh_costs_one_source_read_one_exchange_one_write_one_status() {
    let mut world = World::ready();
    let refresh_at = world.status.refresh_at.unwrap();
    let costs = world.cost_of(World::wake);
    assert_eq!(world.now, refresh_at);
    assert_eq!(
        costs,
        Costs {
            source_reads: 1,
            exchanges: 1,
            publishes: 1,
            reports: 1,
            ..NOTHING
        }
    );
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert!(world.take_events().is_empty());
}

#[test]
fn between_refreshes_nothing_is_done() {
    let mut world = World::ready();
    for _ in 0..50 {
        world.now += seconds(60);
        assert_eq!(world.cost_of(World::settle), NOTHING);
    }
}

#[test]
fn a_day_takes_an_exchange_for_each_lifetime_less_its_margin() {
    let mut world = World::ready();
    let costs = world.cost_of(|world| world.pass(seconds(24 * 3600)));
    // A token of an hour is refreshed after 54.5 to 55 minutes.
    assert_eq!(
        (costs.exchanges, costs.publishes, costs.reports),
        (26, 26, 26)
    );
}

#[test]
fn a_description_edit_makes_no_exchange() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.description = Some("for the treasury".into()));
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs,
        Costs {
            target_reads: 1,
            source_reads: 1,
            publishes: 1,
            reports: 1,
            ..NOTHING
        }
    );
    assert_eq!(world.status.observed_generation, Some(2));
    assert!(world.take_events().is_empty());
    assert_eq!(world.cost_of(World::settle), NOTHING);
}

#[test]
fn what_a_token_does_not_depend_on_changes_in_place() {
    let mut world = World::ready();
    world.edit_spec(|spec| {
        spec.refresh_before = "10m".into();
        spec.target.labels.insert("team".into(), "treasury".into());
        spec.target.annotations.insert("note".into(), "x".into());
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let stored = &world.cluster.secrets[TARGET];
    assert_eq!(stored.labels["team"], "treasury");
    assert_eq!(stored.annotations["note"], "x");
    let before_expiry = world.status.expires_at.unwrap() - world.status.refresh_at.unwrap();
    assert!(before_expiry.get_seconds() >= 600);
    world.edit_spec(|spec| spec.target.labels.clear());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(!world.cluster.secrets[TARGET].labels.contains_key("team"));
}

#[test]
fn the_owner_reference_follows_the_deletion_policy() {
    let mut world = World::ready();
    assert_eq!(world.cluster.secrets[TARGET].owners.len(), 1);
    world.edit_spec(|spec| spec.target.deletion_policy = Some(crate::api::DeletionPolicy::Retain));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(world.cluster.secrets[TARGET].owners.is_empty());
}

#[test]
fn a_credential_that_is_being_deleted_is_left_alone() {
    let mut world = World::new();
    world.deleting = true;
    assert_eq!(world.cost_of(World::settle), NOTHING);
    assert_eq!(world.wake_at, None);
}

#[test]
fn expiry_is_counted_from_the_moment_the_request_was_sent() {
    let mut world = World::new();
    world.provider.latency = 20;
    world.settle();
    assert_eq!(
        world.status.issued_at,
        Some("2026-11-21T10:00:00Z".parse().unwrap())
    );
    assert_eq!(
        world.status.expires_at,
        Some("2026-11-21T11:00:00Z".parse().unwrap())
    );
    assert_eq!(world.status.last_attempt_at, world.status.issued_at);
}

#[test]
fn a_token_that_expires_on_its_way_is_a_failure_that_is_retried_slowly() {
    let mut world = World::new();
    world.provider.otherwise = issue(2);
    world.provider.latency = 2;
    world.settle();
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "UnexpectedResponse".to_owned())
    );
    assert_eq!(world.token(), None);
    world.pass(seconds(200));
    assert_eq!(world.provider.exchanges.len(), 1);
    world.provider.otherwise = issue(3600);
    world.wake();
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::True, "Synced".to_owned())
    );
}

#[test]
fn a_slow_provider_of_short_tokens_is_left_alone_for_12_seconds_after_each_answer() {
    let mut world = World::new();
    world.provider.otherwise = issue(13);
    world.provider.latency = 12;
    world.settle();
    world.pass(seconds(240));
    assert_eq!(world.provider.exchanges.len(), 11);
}

#[test]
fn tokens_of_a_few_seconds_are_not_asked_for_more_often_than_every_12_seconds() {
    let mut world = World::new();
    world.provider.otherwise = issue(5);
    world.settle();
    world.pass(seconds(600));
    assert_eq!(world.provider.exchanges.len(), 51);
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::True, "Synced".to_owned())
    );
    world.pass(seconds(5));
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "TokenTooShort".to_owned())
    );
    assert_eq!(
        world.message(ConditionType::Ready),
        "token in Secret \"cubewire-token\" expired at 2026-11-21T10:10:05Z after 5s: ask the provider for tokens that live 5 \
         minutes or longer"
    );
    assert_eq!(
        world.condition(ConditionType::Reconciling).1,
        "TokenTooShort"
    );
    let expected = [EventKind::TokenIssued, EventKind::ShortLivedToken];
    assert_eq!(world.take_events(), expected);
}

#[test]
fn a_short_token_is_refreshed_after_two_thirds_of_its_lifetime() {
    let mut world = World::new();
    world.provider.otherwise = issue(60);
    world.settle();
    let after = world.status.refresh_at.unwrap().duration_since(world.now);
    assert!((38..=40).contains(&after.as_secs()), "{after}");
}

//! The inputs of a token, and values that only look like inputs.

use super::{
    provider::refuse,
    world::{Costs, World, seconds},
};
use crate::{
    api::{ClientAuthentication, ConditionStatus, CubeCredentialSpec, Reason},
    reconcile::EventKind,
};

#[test]
fn every_input_that_changes_is_exchanged_at_once() {
    let edits: [fn(&mut CubeCredentialSpec); 4] = [
        |spec| spec.token_url = Some("https://login.example.com/token".into()),
        |spec| spec.scopes = vec!["read".into()],
        |spec| spec.client_authentication = Some(ClientAuthentication::Basic),
        |spec| {
            spec.parameters.insert("audience".into(), "x".into());
        },
    ];
    for edit in edits {
        let mut world = World::ready();
        world.edit_spec(edit);
        let costs = world.cost_of(World::settle);
        assert_eq!((costs.exchanges, costs.publishes), (1, 1));
        assert_eq!(world.token(), Some("S3CRET-token-1"));
        assert_eq!(world.cost_of(World::settle), Costs::default());
    }
}

#[test]
fn the_default_authentication_is_the_providers_and_costs_nothing_to_write_down() {
    for (mut world, default, other) in [
        (
            World::ready(),
            ClientAuthentication::Body,
            ClientAuthentication::Basic,
        ),
        (
            World::begun(),
            ClientAuthentication::Basic,
            ClientAuthentication::Body,
        ),
    ] {
        let sent = |world: &World| {
            let request = &world.provider.exchanges.last().unwrap().request;
            request.authentication.spec_name()
        };
        assert_eq!(sent(&world), format!("{default:?}"));
        world.edit_spec(|spec| spec.client_authentication = Some(default));
        assert_eq!(world.cost_of(World::settle).exchanges, 0, "{default:?}");
        world.edit_spec(|spec| spec.client_authentication = Some(other));
        assert_eq!(world.cost_of(World::settle).exchanges, 1, "{other:?}");
        assert_eq!(sent(&world), format!("{other:?}"));
    }
}

#[test]
fn an_authentication_that_the_provider_refuses_costs_no_login_and_is_put_back_without_a_request() {
    let mut world = World::begun();
    let login = world.stored_token().map(str::to_owned);
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.edit_spec(|spec| spec.client_authentication = Some(ClientAuthentication::Body));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::False);
    world.edit_spec(|spec| spec.client_authentication = None);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.stored_token(), login.as_deref());
    world.provider.otherwise = super::provider::issue(3600);
    world.pass(seconds(7200));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_ne!(world.stored_token(), login.as_deref());
}

#[test]
fn the_order_of_scopes_is_no_input() {
    let mut world = World::new();
    world.spec.scopes = vec!["write".into(), "read".into()];
    world.settle();
    world.edit_spec(|spec| spec.scopes.reverse());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
}

#[test]
fn a_label_edit_on_the_source_makes_no_exchange() {
    let mut world = World::ready();
    world.edit_source(|_| {});
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs,
        Costs {
            target_reads: 1,
            source_reads: 1,
            publishes: 1,
            reports: 1,
            ..Costs::default()
        }
    );
    assert_eq!(world.cost_of(World::settle), Costs::default());
    assert!(world.take_events().is_empty());
}

#[test]
fn a_label_edit_on_the_source_does_not_shorten_a_retry() {
    for mut world in [World::new(), World::ready()] {
        world.provider.otherwise = refuse(Reason::InvalidClient);
        world.now = world.wake_at.unwrap_or(world.now);
        world.settle();
        let next_attempt = world.wake_at;
        world.now += seconds(5);
        world.edit_source(|_| {});
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(world.wake_at, next_attempt);
        assert_eq!(world.status.failures, Some(1));
        world.wake();
        assert_eq!(world.status.failures, Some(2));
    }
}

#[test]
fn a_label_edit_on_a_source_that_is_refused_is_read_once() {
    let mut world = World::ready();
    world.provider.accepts = Some("S3CRET-1".into());
    world.put_source("S3CRET-2");
    world.settle();
    world.edit_source(|_| {});
    world.settle();
    assert_eq!(world.cost_of(World::settle), Costs::default());
}

#[test]
fn a_rotated_client_secret_is_exchanged_at_once() {
    let mut world = World::ready();
    world.provider.accepts = Some("S3CRET-2".into());
    world.put_source("S3CRET-2");
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.source_reads), (1, 1));
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert!(world.take_events().is_empty());
}

#[test]
fn a_rotated_client_secret_that_is_refused_makes_the_credential_unready() {
    let mut world = World::ready();
    world.provider.accepts = Some("S3CRET-1".into());
    world.put_source("S3CRET-2");
    world.settle();
    let refused = (ConditionStatus::False, "InvalidClient".to_owned());
    assert_eq!(
        (world.ready_is(), world.refreshed_is()),
        (refused.clone(), refused)
    );
    assert_eq!(world.token(), Some("S3CRET-token-0"), "it stays published");
    assert_eq!(world.cost_of(World::settle), Costs::default());
}

#[test]
fn a_reverted_client_secret_recovers_without_an_exchange() {
    let mut world = World::ready();
    world.provider.accepts = Some("S3CRET-1".into());
    world.put_source("S3CRET-2");
    world.settle();
    world.take_events();
    world.put_source("S3CRET-1");
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::True, "Synced".to_owned())
    );
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(
        (world.status.failures, &world.status.attempted),
        (None, &None)
    );
    assert_eq!(world.take_events(), [EventKind::Recovered]);
}

#[test]
fn a_source_that_goes_away_leaves_the_published_token_until_it_expires() {
    let mut world = World::ready();
    let expires_at = world.status.expires_at.unwrap();
    world.source = None;
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let refused = (ConditionStatus::False, "ClientSecretNotFound".to_owned());
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.refreshed_is(), refused);
    assert_eq!(world.status.refresh_at, None);
    world.pass(seconds(3599));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.wake();
    assert_eq!(world.now, expires_at);
    assert_eq!(world.ready_is(), refused);
    world.put_source("S3CRET-1");
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_source_that_comes_back_unchanged_makes_no_exchange() {
    let mut world = World::ready();
    world.source = None;
    world.settle();
    world.put_source("S3CRET-1");
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
}

#[test]
fn the_hash_of_the_inputs_is_keyed_with_the_token() {
    let hash = |world: &World| {
        world.cluster.secrets[super::world::TARGET].annotations[crate::api::annotation::INPUTS_HASH]
            .clone()
    };
    let mut world = World::ready();
    let first = hash(&world);
    world.wake();
    assert_ne!(
        hash(&world),
        first,
        "the inputs are the same, the token is not"
    );
}

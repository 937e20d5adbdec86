//! A change of the grant.

use super::world::{World, seconds};
use crate::{
    api::{ConditionStatus, Grant, Provider},
    reconcile::EventKind,
};

#[test]
fn a_change_of_grant_says_that_the_refresh_token_is_left() {
    let mut world = World::begun();
    // The provider counts the tokens of this grant from 0.
    world.newest_published = 0;
    world.edit_spec(|spec| {
        spec.grant = Grant::ClientCredentials;
        spec.refresh_token_ref = None;
    });
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.state_reads), (1, 1));
    let events = std::mem::take(&mut world.events);
    let left: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::RefreshTokenLeft)
        .map(|event| event.note.as_str())
        .collect();
    assert_eq!(
        left,
        [
            "Secret \"cubewire-cube-state\" holds a refresh token that is no longer used: sign out at the provider, then delete \
             it"
        ]
    );
    // It is said once, and costs nothing later.
    world.restart();
    world.pass(seconds(7200));
    assert_eq!(world.costs.state_reads, 1);
    assert_eq!(world.take_events(), []);
    world.edit_spec(|spec| {
        spec.grant = Grant::RefreshToken;
        spec.refresh_token_ref = World::signed_in().spec.refresh_token_ref;
    });
    world.settle();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-5"));
}

#[test]
fn a_left_refresh_token_is_no_hindrance_to_another_grant() {
    let mut world = World::begun();
    world.provider.logins.revoke();
    world.request = Some("rejected".into());
    world.settle();
    assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
    // The provider counts the tokens of this grant from 0.
    world.newest_published = 0;
    world.edit_spec(|spec| {
        spec.grant = Grant::ClientCredentials;
        spec.refresh_token_ref = None;
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn scopes_of_a_refresh_are_sent_and_are_an_input_of_the_token() {
    let mut world = World::begun();
    let scope = |world: &World| {
        let request = &world.provider.exchanges.last().unwrap().request;
        request.parameters.get("scope").cloned()
    };
    assert_eq!(scope(&world), None, "a refresh sends none by default");
    world.edit_spec(|spec| spec.refresh_scopes = vec!["write".into(), "read".into()]);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(scope(&world).as_deref(), Some("read write"));
    world.edit_spec(|spec| spec.refresh_scopes.reverse());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.wake();
    assert_eq!(scope(&world).as_deref(), Some("read write"));
}

#[test]
fn a_grant_that_the_providers_metadata_does_not_list_is_warned_of_once() {
    let mut world = World::begun();
    // The provider counts the tokens of this grant from 0.
    world.newest_published = 0;
    let warnings = |world: &mut World| {
        let events = std::mem::take(&mut world.events).into_iter();
        let events = events.filter(|event| event.kind == EventKind::GrantNotListed);
        events.map(|event| event.note).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&mut world), [] as [&str; 0]);
    world.edit_spec(|spec| {
        spec.grant = Grant::ClientCredentials;
        spec.refresh_token_ref = None;
    });
    world.settle();
    let warned = warnings(&mut world);
    assert_eq!(
        warned,
        [
            "Cube Software's metadata does not list the client_credentials grant: ask its support whether your client may use it"
        ]
    );
    assert!(warned[0].len() <= 120);
    world.edit_spec(|spec| spec.scopes = vec!["read".into()]);
    world.settle();
    world.restart();
    world.pass(seconds(7200));
    assert_eq!(warnings(&mut world), [] as [&str; 0]);
    world.restart();
    world.edit_spec(|spec| spec.provider = Some(Provider::Cubewire));
    world.settle();
    assert_eq!(warnings(&mut world), [] as [&str; 0]);
}

#[test]
fn the_grant_of_an_account_is_another_input() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.grant = Grant::AccountCredentials);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    let request = &world.provider.exchanges.last().unwrap().request;
    assert_eq!(request.grant.name(), "account_credentials");
}

#[test]
fn scopes_of_a_refresh_need_a_refresh_token() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.refresh_scopes = vec!["read".into()]);
    world.settle();
    assert_eq!(world.ready_is().1, "InvalidSpec");
}

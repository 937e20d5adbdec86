//! A change of the grant.

use super::world::{World, seconds};
use crate::{
    api::{ConditionStatus, Grant},
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
            "Secret \"cubewire-cube-state\" still holds the refresh token of the earlier grant: unless you will set spec.grant back, \
          sign out at the provider and run `kubectl delete secret cubewire-cube-state -n treasury`"
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

//! A stored refresh token from the first login on. Its histories are in `tests/simulation`.

use super::{
    provider::{Response, refuse},
    world::{Costs, STATE, TARGET, UID, World, seconds},
};
use crate::{
    api::{ConditionStatus, Reason, annotation},
    reconcile::{Action, EventKind},
};

fn ready() -> World {
    let mut world = World::signed_in();
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world.events.clear();
    world
}

#[test]
fn a_first_login_stores_the_successor_of_the_seed_and_publishes_the_token() {
    let mut world = World::signed_in();
    let costs = world.cost_of(World::settle);
    let expected = (2, 1, 1);
    assert_eq!(
        (costs.stores, costs.exchanges, costs.publishes),
        expected,
        "a claim and a response are stored"
    );
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
    assert_eq!(world.token(), Some("S3CRET-token-4"));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(world.take_events(), [EventKind::TokenIssued]);
}

#[test]
fn each_refresh_sends_the_successor_and_stores_the_next() {
    let mut world = ready();
    for number in [5, 7] {
        world.wake();
        assert_eq!(
            world.stored_token(),
            Some(&*format!("S3CRET-refresh-{number}"))
        );
    }
    assert_eq!(world.token(), Some("S3CRET-token-8"));
    assert_eq!(world.provider.exchanges.len(), 3);
    assert_eq!(world.take_events(), []);
}

#[test]
fn a_change_of_the_authorization_url_sends_no_refresh_token() {
    let mut world = ready();
    world.edit_spec(|spec| spec.authorization_url = Some("https://login.example.com/o".into()));
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.stores), (0, 0));
    assert_eq!(world.provider.exchanges.len(), 1);
}

#[test]
fn a_provider_that_does_not_rotate_keeps_its_refresh_token() {
    let mut world = World::signed_in();
    world.provider.logins.rules.rotates = false;
    world.settle();
    world.wake();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-1"));
    assert_eq!(world.token(), Some("S3CRET-token-4"));
}

#[test]
fn a_rejected_refresh_token_is_confirmed_once_after_five_minutes() {
    let mut world = ready();
    world.provider.logins.revoke();
    world.wake();
    let rejected = (ConditionStatus::False, "RefreshTokenRejected".to_owned());
    assert_eq!(world.refreshed_is(), rejected);
    assert_eq!(world.provider.exchanges.len(), 2);
    assert_eq!(world.status.refresh_at, Some(world.now + seconds(300)));
    world.pass(seconds(299));
    assert_eq!(world.provider.exchanges.len(), 2);
    world.pass(seconds(86400));
    assert_eq!(world.provider.exchanges.len(), 3, "once");
    assert_eq!(world.refreshed_is(), rejected);
    assert_eq!(
        world.take_events(),
        [EventKind::Failed(Reason::RefreshTokenRejected)]
    );
}

#[test]
fn a_clock_that_is_set_back_by_a_day_delays_no_confirmation() {
    let mut world = ready();
    world.provider.logins.revoke();
    world.now += seconds(48 * 3600);
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 2);
    world.now -= seconds(24 * 3600);
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 3);
    world.pass(seconds(86400));
    assert_eq!(world.provider.exchanges.len(), 3, "once");
}

#[test]
fn a_spec_that_changes_before_a_rejection_is_stored_and_changes_back_does_not_send_the_token_again()
{
    let mut world = ready();
    world.provider.otherwise = refuse(Reason::RefreshTokenRejected);
    world.now = world.wake_at.unwrap();
    world.ends_before = Some(|action| matches!(action, Action::Store(state) if !state.claims));
    assert!(world.try_settle().is_err());
    assert_eq!(world.provider.exchanges.len(), 2);
    let honest = world.spec.clone();
    // The login belongs to the first endpoint, so nothing is sent there.
    world.edit_spec(|spec| spec.token_url = Some("https://login.example.com/token".into()));
    world.settle();
    world.edit_spec(|spec| *spec = honest);
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 2);
}

#[test]
fn a_restart_does_not_send_a_rejected_refresh_token_again() {
    let mut world = ready();
    world.provider.logins.revoke();
    world.wake();
    world.pass(seconds(600));
    world.restart();
    world.status = crate::api::CubeCredentialStatus::default();
    world.pass(seconds(86400));
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 3);
    assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
}

#[test]
fn a_successor_whose_response_was_lost_is_reported_as_lost() {
    let mut world = ready();
    world
        .provider
        .script
        .push_back(Response::Lost(Reason::NoResponse));
    world.wake();
    assert_eq!(world.refreshed_is().1, "NoResponse");
    world.wake();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "RefreshTokenLost".into())
    );
    world.pass(seconds(86400));
    assert_eq!(world.provider.exchanges.len(), 3, "it is never sent again");
}

#[test]
fn a_lost_response_costs_nothing_within_the_providers_grace() {
    let mut world = ready();
    world.provider.logins.rules.grace = 120;
    world
        .provider
        .script
        .push_back(Response::Lost(Reason::NoResponse));
    world.wake();
    world.wake();
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-5"));
}

#[test]
fn a_new_seed_is_adopted_and_an_old_one_is_not() {
    let mut world = ready();
    let old = world.seed.clone();
    world.sign_in();
    world.settle();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-7"));
    assert_eq!(world.take_events(), [EventKind::SeedAdopted]);
    world.seed = old;
    let version = world.cluster.next_version();
    world.seed.as_mut().unwrap().version = version;
    world.wake();
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-9"));
    assert_eq!(world.take_events(), []);
}

#[test]
fn a_wrong_seed_does_not_cost_a_good_login() {
    let mut world = ready();
    let good = world.seed.clone();
    world.objects.put_seed(crate::reconcile::SourceValue::Text(
        "S3CRET-refresh-99".into(),
    ));
    world.settle();
    assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
    world.seed = good;
    let version = world.cluster.next_version();
    world.seed.as_mut().unwrap().version = version;
    world.settle();
    world.pass(seconds(3600));
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
}

#[test]
fn a_target_that_is_gone_before_the_watch_tells_is_restored_without_claiming_the_refresh_token() {
    let mut world = ready();
    world.cluster.edit(STATE, |secret| {
        let record = secret.data.get_mut("record").unwrap();
        *record = record.replace(UID, "predecessor");
    });
    world.cluster.edit(TARGET, |secret| {
        let annotations = &mut secret.annotations;
        annotations.insert(annotation::OWNER_UID.into(), "predecessor".into());
        secret.owner_lives = false;
    });
    world.restart();
    world.watch();
    world.watches_lag = true;
    world.cluster.secrets.remove(TARGET);
    let costs = world.cost_of(World::settle);
    let expected = Costs {
        publishes: 1,
        ..costs
    };
    assert_eq!(costs, expected);
    assert_eq!((costs.stores, costs.exchanges), (0, 0));
    assert_eq!(world.token(), Some("S3CRET-token-4"));
}

#[test]
fn a_provider_that_is_away_costs_no_login() {
    let mut world = ready();
    world.provider.otherwise = refuse(Reason::Unreachable);
    world.pass(seconds(86400));
    assert_eq!(world.stored_token(), Some("S3CRET-refresh-3"));
    world.provider.otherwise = super::provider::issue(3600);
    world.pass(seconds(3600));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn an_older_token_in_a_target_that_was_deleted_again_is_replaced_by_the_stored_one() {
    let mut world = World::begun();
    world.cluster.secrets.remove(TARGET);
    world.restart();
    let creates = |action: &Action| matches!(action, Action::Publish(_));
    world.reconcile_around(creates, |world| {
        world.request = Some("of the other process".into());
        world.settle();
        world.cluster.secrets.remove(TARGET);
    });
    assert_eq!(world.provider.exchanges.len(), 2);
    assert_eq!(world.token(), Some("S3CRET-token-6"));
}

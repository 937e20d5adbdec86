//! A login whose state was deleted, or was not restored with the rest.

use super::world::{STATE, TARGET, World, seconds};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus},
    reconcile::SourceValue,
};

const GONE: &str = "the refresh token in Secret \"cubewire-cube-state\" is gone or outdated, and the initial one is consumed: \
                    restore it, or sign in again and write a new one to Secret \"seed\"";

/// A login that has worked, and whose state is gone. The process is a new one.
fn without_state() -> World {
    let mut world = World::begun();
    world.cluster.secrets.remove(STATE);
    world.restart();
    world
}

impl World {
    #[track_caller]
    fn assert_gone(&mut self) {
        let sent = self.provider.exchanges.len();
        self.settle();
        self.pass(seconds(7200));
        assert_eq!(self.provider.exchanges.len(), sent, "nothing is sent");
        assert_eq!(
            self.refreshed_is(),
            (ConditionStatus::False, "StateConflict".into())
        );
        assert_eq!(self.message(ConditionType::Refreshed), GONE);
    }
}

#[test]
fn an_initial_refresh_token_that_was_replaced_is_not_sent_again_when_the_state_is_gone() {
    let mut world = without_state();
    world.request = Some("by a consumer".into());
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True, "its token lives");
    world.assert_gone();
    // Another version of the same Secret is the same token.
    let seed = world.objects.seed.as_ref().unwrap().values.clone();
    world.put_seed(seed);
    world.restart();
    world.assert_gone();
    world.sign_in();
    world.pass(seconds(60));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_ne!(world.stored_token(), None);
}

#[test]
fn a_running_operator_does_not_send_it_either_and_goes_on_with_a_restored_state() {
    let mut world = World::begun();
    let state = world.cluster.secrets.remove(STATE).unwrap();
    world.assert_gone();
    world.cluster.create(STATE, state);
    world.pass(seconds(60));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
}

#[test]
fn an_object_that_was_restored_with_its_target_alone_does_not_send_it() {
    let mut world = without_state();
    world.uid = "another-uid".into();
    world.status = CubeCredentialStatus::default();
    world
        .cluster
        .edit(TARGET, |secret| secret.owner_lives = false);
    world.assert_gone();
}

#[test]
fn a_change_of_the_targets_name_does_not_hide_that_it_was_consumed() {
    let mut world = without_state();
    world.edit_spec(|spec| spec.target.name = Some("other".into()));
    world.assert_gone();
}

#[test]
fn a_refresh_token_that_the_provider_does_not_replace_begins_again_without_its_state() {
    let mut world = World::signed_in();
    world.seed_name = Some("seed");
    world.provider.logins.rules.rotates = false;
    world.settle();
    world.cluster.secrets.remove(STATE);
    world.restart();
    world.settle();
    world.pass(seconds(7200));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_ne!(world.stored_token(), None);
}

#[test]
fn a_person_who_deletes_the_target_too_has_the_initial_refresh_token_sent() {
    let mut world = without_state();
    world.settle();
    let sent = world.provider.exchanges.len();
    world.cluster.secrets.remove(TARGET);
    world.settle();
    assert_eq!(world.provider.exchanges.len(), sent + 1);
}

#[test]
fn a_state_of_the_login_before_does_not_have_the_initial_refresh_token_sent_again() {
    let mut world = World::begun();
    let older = world.cluster.secrets[STATE].clone();
    world.sign_in();
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world.cluster.secrets.remove(STATE);
    world.cluster.create(STATE, older);
    world.restart();
    world.assert_gone();
}

#[test]
fn a_login_that_comes_back_after_a_wrong_initial_refresh_token_is_not_mistaken_for_a_used_one() {
    let mut world = World::begun();
    let good = world.objects.seed.as_ref().unwrap().values.clone();
    world.put_seed(SourceValue::Text("S3CRET-refresh-77".into()));
    world.request = Some("with the wrong one".into());
    world.settle();
    assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
    world.put_seed(good);
    world.settle();
    world.pass(seconds(7200));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(world.refreshed_is().1, "TokenIssued");
}

//! Ready, Refreshed, Reconciling and Stalled.

use jiff::Timestamp;

use super::{
    provider::refuse,
    world::{World, seconds},
};
use crate::api::{ConditionStatus, ConditionType, Reason};

fn flipped_at(world: &World, r#type: ConditionType) -> Timestamp {
    world.status.condition(r#type).unwrap().last_transition_time
}

fn types(world: &World) -> Vec<ConditionType> {
    world.status.conditions.iter().map(|c| c.r#type).collect()
}

#[test]
fn a_failing_refresh_with_a_live_token_is_a_warning_and_at_expiry_an_outage() {
    let mut world = World::ready();
    let (start, expires_at) = (world.now, world.status.expires_at.unwrap());
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.wake();
    let failed_at = world.now;
    let failed = (ConditionStatus::False, "InvalidClient".to_owned());
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(world.refreshed_is(), failed);
    assert_eq!(
        types(&world),
        [ConditionType::Ready, ConditionType::Refreshed]
    );
    assert_eq!(
        world.message(ConditionType::Ready),
        format!(
            "token in Secret \"cubewire-token\" is valid until {expires_at}, but refresh is failing (InvalidClient): consumers lose \
             access then unless this is fixed"
        )
    );
    assert_eq!(flipped_at(&world, ConditionType::Ready), start);
    assert_eq!(flipped_at(&world, ConditionType::Refreshed), failed_at);

    world.pass(expires_at.duration_since(world.now) - seconds(1));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.pass(seconds(1));
    assert_eq!(
        (world.ready_is(), world.refreshed_is()),
        (failed.clone(), failed)
    );
    assert_eq!(flipped_at(&world, ConditionType::Ready), expires_at);
    assert_eq!(flipped_at(&world, ConditionType::Refreshed), failed_at);
    assert_eq!(world.condition(ConditionType::Stalled).1, "InvalidClient");
    assert_eq!(
        world.message(ConditionType::Ready),
        format!(
            "token in Secret \"cubewire-token\" expired at {expires_at}: the provider rejected the client id or client secret"
        )
    );

    world.provider.otherwise = super::provider::issue(3600);
    world.pass(seconds(3600));
    assert_eq!(
        types(&world),
        [ConditionType::Ready, ConditionType::Refreshed]
    );
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn people_are_told_until_when_a_token_lives_that_was_issued_for_other_inputs() {
    let mut world = World::ready();
    let expires_at = world.status.expires_at.unwrap();
    world.provider.otherwise = refuse(Reason::UnauthorizedClient);
    world.put_source("S3CRET-2");
    world.settle();
    let cause = "the provider does not allow this client to use the grant";
    assert_eq!(
        world.message(ConditionType::Ready),
        format!(
            "token in Secret \"cubewire-token\" predates the last change and is valid until {expires_at}: {cause}"
        )
    );
    world.pass(expires_at.duration_since(world.now));
    assert_eq!(
        world.message(ConditionType::Ready),
        format!("token in Secret \"cubewire-token\" expired at {expires_at}: {cause}")
    );
}

#[test]
fn a_failure_that_heals_by_itself_reconciles_and_one_that_needs_a_person_stalls() {
    for (reason, pressure) in [
        (Reason::Unreachable, ConditionType::Reconciling),
        (Reason::Unavailable, ConditionType::Reconciling),
        (Reason::RateLimited, ConditionType::Reconciling),
        (Reason::InvalidClient, ConditionType::Stalled),
        (Reason::Forbidden, ConditionType::Stalled),
        (Reason::HostNotAllowed, ConditionType::Stalled),
    ] {
        let mut world = World::new();
        world.provider.otherwise = refuse(reason);
        world.settle();
        let all = [ConditionType::Ready, ConditionType::Refreshed, pressure];
        assert_eq!(types(&world), all, "{reason}");
        assert_eq!(
            world.condition(pressure),
            (ConditionStatus::True, reason.to_string())
        );
    }
}

#[test]
fn every_condition_speaks_of_the_current_generation() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    for generation in 1..4 {
        world.settle();
        let conditions = &world.status.conditions;
        assert!(
            conditions
                .iter()
                .all(|c| c.observed_generation == generation)
        );
        assert_eq!(world.status.observed_generation, Some(generation));
        world.edit_spec(|_| {});
    }
}

#[test]
fn refresh_at_is_absent_when_nothing_is_planned() {
    let mut world = World::ready();
    assert!(world.status.refresh_at.is_some());
    world.edit_spec(|spec| spec.suspend = true);
    world.settle();
    assert_eq!(world.status.refresh_at, None);
    world.edit_spec(|spec| spec.suspend = false);
    world.settle();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.wake();
    assert!(world.status.refresh_at.unwrap() > world.now);
    world.rival = Some("older".into());
    world.settle();
    assert_eq!(world.status.refresh_at, None);
}

#[test]
fn a_target_that_is_in_the_way_does_not_hide_why_the_last_exchange_failed() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.settle();
    world.rival = Some("older".into());
    world.settle();
    assert_eq!(world.ready_is().1, "TargetDuplicate");
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "InvalidClient".into())
    );
    world.rival = None;
    assert_eq!(
        world.cost_of(World::settle).exchanges,
        0,
        "its delay goes on"
    );
    assert_eq!(world.ready_is().1, "InvalidClient");
}

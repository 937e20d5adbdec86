//! A Secret that is being deleted, and that a finalizer holds.

use super::{
    cluster::Stored,
    world::{Costs, TARGET, World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType::Refreshed},
    reconcile::EventKind,
};

const FINALIZER: &str = "example.com/hold";

/// A credential with a published token, whose target has another type now and is held by a finalizer.
fn retyped() -> World {
    let mut world = World::ready();
    world
        .cluster
        .edit(TARGET, |secret| secret.finalizers.push(FINALIZER.into()));
    world.edit_spec(|spec| spec.target.r#type = "example.com/token".into());
    world
}

fn release(world: &mut World) {
    world.cluster.secrets.remove(TARGET);
}

#[test]
fn a_target_with_another_type_is_deleted_once_and_its_finalizer_is_named() {
    let mut world = retyped();
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.deletes, costs.publishes, costs.exchanges), (1, 0, 0));
    assert_eq!(
        world.message(Refreshed),
        "Secret \"cubewire-token\" is being deleted because spec.target.type changed, and waits for finalizer \
         \"example.com/hold\": its owner must remove it, or change the type back"
    );
    let refused = (ConditionStatus::False, "TargetNotWritable".to_owned());
    assert_eq!(world.refreshed_is(), refused);
    assert_eq!(
        world.ready_is().0,
        ConditionStatus::True,
        "its token is valid"
    );
    // Nothing at all happens while it is waited for.
    assert_eq!(
        world.cost_of(|world| world.pass(seconds(3000))),
        Costs::default()
    );
    // Not even when the token has expired, which is reported.
    let costs = world.cost_of(|world| world.pass(seconds(10_000)));
    let reported = Costs {
        reports: costs.reports,
        ..Costs::default()
    };
    assert_eq!(costs, reported);
    assert_eq!(world.ready_is(), refused);
}

#[test]
fn a_target_that_is_gone_at_last_is_created_with_its_new_type() {
    let mut world = retyped();
    world.settle();
    release(&mut world);
    let costs = world.cost_of(World::settle);
    assert_eq!(costs.publishes, 1);
    assert_eq!(world.cluster.secrets[TARGET].r#type, "example.com/token");
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
}

#[test]
fn a_type_that_is_changed_back_needs_nothing_but_a_report() {
    let mut world = retyped();
    world.settle();
    world.take_events();
    world.edit_spec(|spec| spec.target.r#type = "Opaque".into());
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.deletes, costs.exchanges), (0, 0));
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.take_events(), [EventKind::Recovered]);
}

#[test]
fn a_target_that_a_person_deletes_is_refreshed_while_a_finalizer_holds_it() {
    let mut world = World::ready();
    world.cluster.edit(TARGET, |secret: &mut Stored| {
        secret.finalizers.push(FINALIZER.into());
        secret.deleting = true;
    });
    world.settle();
    let costs = world.cost_of(|world| world.pass(seconds(3600)));
    assert_eq!((costs.exchanges, costs.deletes), (1, 0));
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    release(&mut world);
    world.settle();
    assert!(world.token().is_some());
}

#[test]
fn a_moved_target_that_a_finalizer_holds_is_deleted_once() {
    let mut world = World::ready();
    world
        .cluster
        .edit(TARGET, |secret| secret.finalizers.push(FINALIZER.into()));
    world.edit_spec(|spec| spec.target.name = Some("moved".into()));
    assert_eq!(world.cost_of(World::settle).deletes, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.cost_of(World::settle), Costs::default());
}

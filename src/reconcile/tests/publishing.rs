//! The target Secret: repaired, moved, made anew, and never a foreign one.

use super::{
    cluster::{Fault, Stored},
    provider::refuse,
    world::{Costs, TARGET, UID, World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType, DeletionPolicy, Reason, annotation, label},
    reconcile::EventKind,
};

#[test]
fn a_deleted_target_is_repaired() {
    let mut world = World::ready();
    world.cluster.secrets.clear();
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes, costs.reports), (1, 1, 1));
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert_eq!(world.take_events(), [EventKind::TargetRepaired]);
}

#[test]
fn edited_data_is_repaired() {
    for key in ["access-token", "token-type", "expires-at"] {
        let mut world = World::ready();
        world.cluster.edit(TARGET, |secret| {
            drop(secret.data.insert(key.into(), "x".into()));
        });
        let costs = world.cost_of(World::settle);
        assert_eq!((costs.exchanges, costs.publishes), (1, 1), "{key}");
        assert_eq!(world.cluster.secrets[TARGET].data["token-type"], "Bearer");
        assert_eq!(world.take_events(), [EventKind::TargetRepaired], "{key}");
    }
}

#[test]
fn a_record_that_was_edited_is_not_believed() {
    for (name, value) in [
        (annotation::EXPIRES_AT, "2036-11-21T11:00:00Z"),
        (annotation::ISSUED_AT, "2026-11-21T10:30:00Z"),
        (annotation::INPUTS_HASH, "00"),
        (annotation::SOURCE_VERSION, "99"),
        (annotation::GENERATION, "9"),
        (annotation::REFRESH_REQUEST, "x"),
        (annotation::SCOPES, "admin"),
        (annotation::LOGIN_EXPIRES_AT, "2026-11-21T10:00:30Z"),
        (annotation::CONTENT_HASH, "00"),
    ] {
        let mut world = World::ready();
        world.cluster.edit(TARGET, |secret| {
            secret.annotations.insert(name.into(), value.into());
        });
        assert_eq!(world.cost_of(World::settle).exchanges, 1, "{name}");
        assert_eq!(world.take_events(), [EventKind::TargetRepaired], "{name}");
        assert_eq!(world.ready_is().0, ConditionStatus::True, "{name}");
    }
}

#[test]
fn labels_and_annotations_that_we_set_are_restored_without_an_exchange() {
    let mut world = World::new();
    world.spec.target.labels.insert("team".into(), "a".into());
    world
        .spec
        .target
        .annotations
        .insert("note".into(), "a".into());
    world.settle();
    for edit in [
        |secret: &mut Stored| drop(secret.labels.remove(label::MANAGED)),
        |secret: &mut Stored| drop(secret.labels.insert("team".into(), "b".into())),
        |secret: &mut Stored| drop(secret.annotations.remove("note")),
        |secret: &mut Stored| secret.owners.clear(),
    ] {
        world.take_events();
        world.cluster.edit(TARGET, edit);
        let costs = world.cost_of(World::settle);
        assert_eq!((costs.exchanges, costs.publishes, costs.reports), (0, 1, 1));
        assert_eq!(world.take_events(), [EventKind::TargetRepaired]);
    }
    let secret = &world.cluster.secrets[TARGET];
    assert_eq!(secret.labels[label::MANAGED], "true");
    assert_eq!(
        (&*secret.labels["team"], &*secret.annotations["note"]),
        ("a", "a")
    );
    assert_eq!(secret.owners, [UID]);
}

#[test]
fn what_others_add_to_the_target_does_not_matter() {
    let mut world = World::ready();
    world.cluster.edit(TARGET, |secret| {
        secret.labels.insert("other".into(), "x".into());
        secret.annotations.insert("other".into(), "x".into());
        secret.owners.push("another".into());
        secret.data.insert("other".into(), "x".into());
    });
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes), (0, 0));
    assert!(world.take_events().is_empty());
    world.wake();
    assert_eq!(world.cluster.secrets[TARGET].data["other"], "x");
}

#[test]
fn a_target_that_somebody_else_keeps_as_it_should_not_be_is_written_once() {
    let mut world = World::new();
    world.spec.target.deletion_policy = Some(DeletionPolicy::Retain);
    world.settle();
    // An owner reference of another field manager is not ours to remove.
    world.cluster.kept_owners.push(UID.into());
    world
        .cluster
        .edit(TARGET, |secret| secret.owners.push(UID.into()));
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes), (0, 1));
    assert_eq!(world.cost_of(World::settle), Costs::default());
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-1"));
}

#[test]
fn a_moved_target_is_published_before_the_old_one_is_deleted() {
    for restarted in [false, true] {
        let mut world = World::ready();
        world.edit_spec(|spec| spec.target.name = Some("elsewhere".into()));
        if restarted {
            world.restart();
        }
        world.cluster.faults = [None, Some(Fault::Lost)].into();
        assert!(world.try_settle().is_err());
        assert_eq!(world.token(), Some("S3CRET-token-0"), "published first");
        assert!(world.cluster.secrets.contains_key(TARGET));
        world.settle();
        assert!(!world.cluster.secrets.contains_key(TARGET));
        assert_eq!(world.provider.exchanges.len(), 1);
        assert_eq!(world.status.target.as_ref().unwrap().name, "elsewhere");
        assert_eq!(world.take_events(), [EventKind::TargetMoved]);
    }
}

#[test]
fn a_moved_target_that_somebody_took_over_meanwhile_is_not_deleted() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.target.name = Some("elsewhere".into()));
    // The watch still shows the old version, so it is read as ours and found to be another's.
    world.watch();
    world.cluster.edit(TARGET, |secret| {
        secret.annotations.remove(annotation::OWNER_UID);
    });
    world.watches_lag = true;
    assert!(
        world.try_settle().is_err(),
        "the old version cannot be deleted"
    );
    world.watches_lag = false;
    world.settle();
    assert!(world.cluster.secrets.contains_key(TARGET));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_changed_type_deletes_and_creates_without_an_exchange() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.target.r#type = "example.com/token".into());
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.deletes, costs.publishes), (0, 1, 1));
    assert_eq!(world.cluster.secrets[TARGET].r#type, "example.com/token");
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(world.take_events().is_empty());
}

#[test]
fn a_changed_type_keeps_the_token_also_if_the_creation_fails() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.target.r#type = "example.com/token".into());
    world.cluster.faults = [None, Some(Fault::Lost), Some(Fault::Lost)].into();
    assert!(world.try_settle().is_err());
    assert!(world.try_settle().is_err());
    world.settle();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(world.provider.exchanges.len(), 1);
    assert!(world.take_events().is_empty());
}

#[test]
fn a_suspended_credential_is_repaired_as_far_as_that_takes_no_exchange() {
    let mut world = World::ready();
    world.edit_spec(|spec| spec.suspend = true);
    world.settle();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::Unknown, "Suspended".into())
    );
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.status.refresh_at, None);
    world
        .cluster
        .edit(TARGET, |secret| drop(secret.labels.remove(label::MANAGED)));
    world.settle();
    assert_eq!(world.cluster.secrets[TARGET].labels[label::MANAGED], "true");
    world.pass(seconds(7200));
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "Suspended".into())
    );
    assert_eq!(world.status.conditions.len(), 2, "nobody has to act");
    assert_eq!(world.token(), Some("S3CRET-token-0"), "it is never emptied");
    world.cluster.secrets.clear();
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    world.edit_spec(|spec| spec.suspend = false);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn a_target_is_never_emptied_because_the_provider_is_down() {
    let mut world = World::ready();
    world.provider.otherwise = refuse(Reason::Unavailable);
    world.pass(seconds(7200));
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(world.condition(ConditionType::Reconciling).1, "Unavailable");
}

#[test]
fn a_target_that_a_quota_refuses_keeps_its_token_for_the_next_attempt() {
    let mut world = World::new();
    world.cluster.faults = [Some(Fault::Refused), None, Some(Fault::Refused), None].into();
    world.settle();
    let refused = (ConditionStatus::False, "TargetNotWritable".to_owned());
    assert_eq!(
        (world.ready_is(), world.refreshed_is()),
        (refused.clone(), refused)
    );
    assert_eq!(world.status.issued_at, None, "it is not published");
    let next_attempt = world.wake_at.unwrap();
    assert_eq!(
        world.message(ConditionType::Refreshed),
        format!(
            "failed to write Secret treasury/cubewire-token: exceeded quota (403 Forbidden): ask the cluster's administrator; retrying \
             at {next_attempt}"
        )
    );
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes, costs.reports), (0, 0, 0));
    world.wake();
    assert_eq!(world.token(), None);
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(
        world.take_events(),
        [
            EventKind::Failed(Reason::TargetNotWritable),
            EventKind::TokenIssued
        ]
    );
}

#[test]
fn a_refresh_that_cannot_be_written_is_a_warning_while_the_published_token_lives() {
    let mut world = World::ready();
    let refresh_at = world.wake_at.unwrap();
    world.pass(refresh_at.duration_since(world.now) - seconds(1));
    world.cluster.faults = [Some(Fault::Refused)].into();
    world.pass(seconds(1));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.refreshed_is().1, "TargetNotWritable");
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    world.pass(seconds(12));
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert_eq!(world.provider.exchanges.len(), 2);
}

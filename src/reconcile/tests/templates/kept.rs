//! The Secrets beside a rendered target: the record, and what a predecessor left.

use super::*;

#[test]
fn a_foreign_secret_by_the_name_of_the_record_is_left_alone_and_costs_nothing() {
    let mut world = World::new();
    world.template("header", HEADER);
    world.cluster.create(RECORD, Stored::default());
    world.settle();
    assert_eq!(world.costs.exchanges, 0);
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "TargetConflict".to_owned())
    );
    let message = world.message(ConditionType::Ready);
    assert!(message.contains(RECORD), "{message}");
    world.cluster.secrets.remove(RECORD);
    world.pass(seconds(120));
    assert!(world.is_ready());
}

#[test]
fn a_record_that_was_edited_or_deleted_costs_at_most_one_exchange() {
    for edit in [true, false] {
        let mut world = rendered();
        world.restart();
        if edit {
            world.cluster.edit(RECORD, |record| {
                record.data.insert("metadata".into(), "{}".into());
            });
        } else {
            world.cluster.secrets.remove(RECORD);
        }
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        world.template("token", "{{ access_token }}");
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
        assert!(world.is_ready());
        world.wake();
        assert!(world.is_ready());
    }
}

#[test]
fn a_refused_write_of_the_record_is_reported_and_keeps_the_token() {
    let mut world = World::new();
    world.template("header", HEADER);
    world.cluster.faults = [Some(Fault::Refused)].into();
    world.settle();
    assert_eq!(world.ready_is().1, "TargetNotWritable");
    world.pass(seconds(60));
    assert_eq!(world.costs.exchanges, 1);
    assert!(world.is_ready());
}

#[test]
fn a_change_of_the_grant_leaves_no_record() {
    let mut world = rendered();
    let initial = world.provider.logins.sign_in();
    world.put_seed(SourceValue::Text(refresh_token(initial)));
    world.edit_spec(|spec| {
        spec.grant = crate::api::Grant::RefreshToken;
        spec.refresh_token_ref = Some(serde_json::from_value(json!({"name": "seed"})).unwrap());
    });
    world.settle();
    assert!(world.is_ready(), "{:?}", world.status);
    assert!(!world.has_record());
}

#[test]
fn a_consumed_initial_token_is_not_sent_again_after_its_state_is_lost() {
    let mut world = rendered_login();
    world.wake();
    world.cluster.secrets.remove(STATE);
    world.restart();
    let exchanges = world.costs.exchanges;
    world.pass(seconds(40_000));
    world.settle();
    assert_eq!(world.costs.exchanges, exchanges);
    assert_eq!(world.refreshed_is().1, "StateConflict");

    // Another sign-in ends that.
    world.sign_in();
    world.settle();
    assert!(world.is_ready(), "{:?}", world.status);
}

/// The Secrets of a credential are left by an object of the same name whose uid nothing has any more.
fn left_by_a_predecessor(mut world: World) -> World {
    let ours: Vec<_> = world.cluster.secrets.keys().cloned().collect();
    for name in ours {
        world.cluster.edit(&name, |secret| {
            let owner = annotation::OWNER_UID.to_owned();
            secret.annotations.insert(owner, "predecessor".into());
            secret.owners.clear();
            secret.owner_lives = false;
            // The metadata of the token, wherever it is kept, has the uid too.
            for value in secret.data.values_mut() {
                *value = value.replace(UID, "predecessor");
            }
        });
    }
    world.restart();
    world.status = CubeCredentialStatus::default();
    world
}

#[test]
fn a_predecessors_target_is_adopted_with_the_token_that_is_kept_beside_it() {
    for world in [rendered(), rendered_login()] {
        let mut world = left_by_a_predecessor(world);
        // The mark of ownership is a part of the hashed content, so the target is written as the predecessor wrote it.
        let before = world.data()[0].1.to_owned();
        let costs = world.cost_of(World::settle);
        assert_eq!(costs.exchanges, 0, "{:?}", world.status);
        assert_eq!(world.data(), [("header", before.as_str())]);
        assert!(world.is_ready(), "{:?}", world.status);
    }
}

#[test]
fn a_predecessors_expired_token_still_proves_the_right_to_its_target() {
    let mut world = left_by_a_predecessor(rendered());
    world.now += seconds(7200);
    world.settle();
    assert!(world.is_ready(), "{:?}", world.status);
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn a_consumed_initial_token_is_not_sent_again_after_its_target_was_renamed_too() {
    let mut world = rendered_login();
    world.wake();
    world.cluster.secrets.remove(STATE);
    world.restart();
    world.edit_spec(|spec| spec.target.name = Some("moved".into()));
    let costs = world.cost_of(World::settle);
    assert_eq!(costs.exchanges, 0);
    assert_eq!(world.refreshed_is().1, "StateConflict");
}

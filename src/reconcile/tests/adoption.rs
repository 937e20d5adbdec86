//! Whose a Secret is.

use super::{
    cluster::Stored,
    world::{Costs, TARGET, UID, World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, annotation},
    reconcile::EventKind,
};

/// The target as an object of the same name left it, whose uid nothing has any more.
fn left_by_a_predecessor() -> World {
    let mut world = World::ready();
    world.cluster.edit(TARGET, |secret| {
        secret
            .annotations
            .insert(annotation::OWNER_UID.into(), "predecessor".into());
        secret.owners = vec!["predecessor".into()];
        secret.owner_lives = false;
    });
    world.restart();
    world.status = CubeCredentialStatus::default();
    world
}

#[test]
fn a_predecessors_token_is_adopted_if_its_inputs_fit() {
    let mut world = left_by_a_predecessor();
    world.edit_spec(|_| {});
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let secret = &world.cluster.secrets[TARGET];
    assert_eq!(secret.annotations[annotation::OWNER_UID], UID);
    assert!(secret.owners.contains(&UID.to_owned()));
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_predecessors_secret_is_not_taken_over_for_other_inputs_unless_a_person_gives_it() {
    let others: [fn(&mut World); 3] = [
        |world| world.put_source("S3CRET-2"),
        |world| {
            world.edit_spec(|spec| spec.token_url = Some("https://elsewhere.example/".into()));
        },
        |world| world.cluster.edit(TARGET, |secret| secret.data.clear()),
    ];
    for other in others {
        let mut world = left_by_a_predecessor();
        other(&mut world);
        let before = world.cluster.secrets.clone();
        world.settle();
        world.pass(seconds(7200));
        assert_eq!(world.provider.exchanges.len(), 1);
        assert_eq!(world.cluster.secrets, before);
        assert_eq!(
            world.ready_is(),
            (ConditionStatus::False, "TargetConflict".into())
        );
        assert_eq!(
            world.message(ConditionType::Ready),
            "no token is published: Secret \"cubewire-token\" is of a deleted CubeCredential: change spec.target.name, or \
             annotate it with cube-operator.dev/adoptable-by=0b5c7a80-uid"
        );
        for (uid, exchanges) in [("another", 0), (UID, 1)] {
            world.cluster.edit(TARGET, |secret| {
                let name = annotation::ADOPTABLE_BY.to_owned();
                secret.annotations.insert(name, uid.into());
            });
            assert_eq!(world.cost_of(World::settle).exchanges, exchanges);
        }
        assert_eq!(world.token(), Some("S3CRET-token-1"));
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_predecessors_token_that_expired_is_replaced_if_its_inputs_fit() {
    let mut world = left_by_a_predecessor();
    world.now += seconds(3600);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_predecessors_token_whose_inputs_cannot_be_compared_is_not_called_ready() {
    let mut world = left_by_a_predecessor();
    world.source = None;
    world.settle();
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "ClientSecretNotFound".into())
    );
    let owner = &world.cluster.secrets[TARGET].annotations[annotation::OWNER_UID];
    assert_eq!(owner, "predecessor");
    world.put_source("S3CRET-1");
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_foreign_secret_is_never_written() {
    let foreign = [
        Stored::default(),
        marked("another", "cubewire", true),
        marked("another", "somebody-else", false),
        marked(UID, "cubewire", true).without(annotation::OWNER_UID),
    ];
    for secret in foreign {
        let mut world = World::new();
        world.cluster.create(TARGET, secret);
        let before = world.cluster.secrets.clone();
        let costs = world.cost_of(World::settle);
        // It is noticed when the target cannot be created.
        assert_eq!((costs.exchanges, costs.publishes, costs.deletes), (1, 1, 0));
        assert_eq!(
            world.ready_is(),
            (ConditionStatus::False, "TargetConflict".into())
        );
        assert_eq!(
            world.refreshed_is(),
            (ConditionStatus::Unknown, "Pending".into())
        );
        assert_eq!(world.condition(ConditionType::Stalled).1, "TargetConflict");
        assert_eq!(
            world.message(ConditionType::Ready),
            "no token is published: Secret \"cubewire-token\" belongs to another owner: set spec.target.name to another name, \
             or delete that Secret if nobody uses it"
        );
        world.pass(seconds(600));
        assert_eq!(world.cluster.secrets, before);
        assert_eq!(world.costs.reports, 1);
        world.cluster.secrets.clear();
        world.pass(seconds(60));
        assert_eq!(world.token(), Some("S3CRET-token-0"));
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_target_that_becomes_foreign_is_left_alone() {
    let mut world = World::ready();
    world.cluster.edit(TARGET, |secret| {
        secret.annotations.remove(annotation::OWNER_UID);
    });
    let before = world.cluster.secrets.clone();
    world.settle();
    world.pass(seconds(7200));
    assert_eq!(world.cluster.secrets, before);
    assert_eq!(world.ready_is().1, "TargetConflict");
    assert_eq!(
        world.take_events(),
        [EventKind::Failed(crate::api::Reason::TargetConflict)]
    );
}

#[test]
fn the_older_credential_owns_the_target() {
    let mut world = World::new();
    world.rival = Some("older".into());
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs,
        Costs {
            reports: 1,
            ..Costs::default()
        }
    );
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "TargetDuplicate".into())
    );
    assert_eq!(
        world.message(ConditionType::Ready),
        "no token is published: CubeCredential \"older\" is older and has the same target Secret \"cubewire-token\": set \
         another spec.target.name in this one"
    );
    // It may move away without a trace, so it is looked for.
    world.rival = None;
    assert_eq!(world.cost_of(|world| world.pass(seconds(60))).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_credential_does_not_show_a_target_that_an_older_one_has() {
    let mut world = World::ready();
    world.rival = Some("older".into());
    world.settle();
    assert_eq!(
        (&world.status.target, world.status.expires_at),
        (&None, None)
    );
    // Deleted with the older one.
    world.cluster.secrets.clear();
    world.rival = None;
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert!(!world.take_events().contains(&EventKind::TargetRepaired));
}

#[test]
fn a_younger_credential_yields_its_target() {
    let mut world = World::new();
    let younger = Stored {
        owner_wants_it: true,
        ..marked("younger-uid", "younger", true)
    };
    world.cluster.create(TARGET, younger);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    let annotations = &world.cluster.secrets[TARGET].annotations;
    assert_eq!(annotations[annotation::OWNER_UID], UID);
}

fn marked(uid: &str, name: &str, owner_lives: bool) -> Stored {
    Stored {
        annotations: [(annotation::OWNER_UID, uid), (annotation::OWNER_NAME, name)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        owner_lives,
        ..Stored::default()
    }
}

impl Stored {
    fn without(mut self, name: &str) -> Self {
        self.annotations.remove(name);
        self
    }
}

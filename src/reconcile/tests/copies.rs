//! Copies of the operator's Secrets, which have all of their marks, and refresh tokens that two objects are given.

use super::{
    cluster::Stored,
    provider::refuse,
    world::{Costs, STATE, TARGET, World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason, annotation, label},
    reconcile::{Action, SourceValue, login::knows_label},
};

const COPY: &str = "copy";
/// The state of another object.
const BOOKS: &str = "books-cube-state";

fn copy(world: &mut World, from: &str, to: &str) {
    let original = world.cluster.secrets[from].clone();
    world.cluster.create(to, original);
}

/// The login of `cubewire`, as another object by the name of `books` would have stored it. Only its state is left.
fn login_of_books() -> World {
    let mut world = World::begun();
    let mut state = world.cluster.secrets[STATE].clone();
    for (name, value) in [
        (annotation::OWNER_NAME, "books"),
        (annotation::OWNER_UID, "uid-of-books"),
        (annotation::WRITTEN_TO, "treasury/books-cube-state"),
    ] {
        state.annotations.insert(name.into(), value.into());
    }
    world.cluster.secrets.clear();
    world.cluster.create(BOOKS, state);
    world.uid = "another-uid".into();
    world.status = CubeCredentialStatus::default();
    world.restart();
    world.provider.exchanges.clear();
    world
}

fn in_use(secret: &str, remedy: &str) -> String {
    format!(
        "Secret {secret:?} holds the refresh token of CubeCredential \"books\" (Secret \"books-cube-state\"): \
         {remedy}"
    )
}

impl World {
    fn assert_in_use(&mut self, message: &str) {
        let sent = self.provider.exchanges.len();
        self.settle();
        self.pass(seconds(600));
        assert_eq!(self.provider.exchanges.len(), sent);
        assert_eq!(
            self.refreshed_is(),
            (ConditionStatus::False, "RefreshTokenInUse".into())
        );
        assert_eq!(self.message(ConditionType::Refreshed), message);
    }
}

#[test]
fn a_copy_of_a_target_is_never_deleted_overwritten_or_adopted() {
    let mut world = World::ready();
    copy(&mut world, TARGET, COPY);
    let before = world.cluster.secrets[COPY].clone();
    assert_eq!(world.cost_of(World::settle), Costs::default());
    world.edit_spec(|spec| spec.description = Some("touched".into()));
    world.settle();
    world.wake();
    assert_eq!(world.cluster.secrets[COPY], before);
    // Not even as the target.
    world.edit_spec(|spec| spec.target.name = Some(COPY.into()));
    world.settle();
    world.wake();
    assert_eq!(world.cluster.secrets[COPY], before);
    assert_eq!(world.ready_is().1, "TargetConflict");
    assert_eq!(
        world.message(ConditionType::Ready),
        "no token is published: Secret \"copy\" is a copy of Secret \"treasury/cubewire-token\": set spec.target.name to \
         another name, or delete the copy"
    );
    assert!(world.cluster.secrets.contains_key(TARGET));
    // A successor of the same name does not inherit it either.
    world.uid = "another-uid".into();
    world
        .cluster
        .edit(COPY, |secret| secret.owner_lives = false);
    world.restart();
    let before = world.cluster.secrets[COPY].clone();
    world.settle();
    assert_eq!(world.cluster.secrets[COPY], before);
    assert_eq!(world.ready_is().1, "TargetConflict");
}

#[test]
fn a_target_without_the_mark_of_its_place_is_continued_under_its_name_and_left_under_another() {
    let mut world = World::ready();
    let unmark = |secret: &mut Stored| {
        secret.annotations.remove(annotation::WRITTEN_TO);
    };
    world.cluster.edit(TARGET, unmark);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes), (0, 1));
    assert_eq!(
        world.cluster.secrets[TARGET].annotations[annotation::WRITTEN_TO],
        "treasury/cubewire-token"
    );
    world.cluster.edit(TARGET, unmark);
    world.edit_spec(|spec| spec.target.name = Some("moved".into()));
    world.settle();
    world.wake();
    assert!(world.cluster.secrets.contains_key(TARGET));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_copy_of_a_state_is_adopted_only_if_a_person_gives_it() {
    let mut world = login_of_books();
    let original = world.cluster.secrets.remove(BOOKS).unwrap();
    world.cluster.create(STATE, original);
    world.seed = None;
    let before = world.cluster.secrets[STATE].clone();
    world.settle();
    world.pass(seconds(600));
    assert_eq!(world.cluster.secrets[STATE], before);
    assert_eq!(world.refreshed_is().1, "StateConflict");
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "Secret \"cubewire-cube-state\" is a copy of Secret \"treasury/books-cube-state\": if nothing else uses it, annotate it \
         with cube-operator.dev/adoptable-by=another-uid"
    );
    world.give_state("somebody-elses-uid");
    world.pass(seconds(60));
    assert_eq!(world.refreshed_is().1, "StateConflict");
    world.give_state("another-uid");
    world.pass(seconds(3600));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.provider.exchanges.len(), 1);
    let state = &world.cluster.secrets[STATE].annotations;
    assert_eq!(
        state[annotation::WRITTEN_TO],
        "treasury/cubewire-cube-state"
    );
    assert_eq!(state[annotation::OWNER_NAME], "cubewire");
}

impl World {
    fn give_state(&mut self, uid: &str) {
        self.cluster.edit(STATE, |secret| {
            secret
                .annotations
                .insert(annotation::ADOPTABLE_BY.into(), uid.into());
        });
    }
}

#[test]
fn a_copy_of_a_state_waits_until_its_original_is_gone() {
    let mut world = login_of_books();
    copy(&mut world, BOOKS, STATE);
    world.give_state("another-uid");
    // Its access token is published, and the next one is due.
    world.request = Some("now".into());
    world.assert_in_use(&in_use(
        STATE,
        "to complete the move, delete Secret \"books-cube-state\" once that CubeCredential is gone (docs/backup.md)",
    ));
    world.cluster.secrets.remove(BOOKS);
    world.pass(seconds(3600));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_copy_of_a_state_that_is_older_than_its_original_waits_too() {
    let mut world = login_of_books();
    copy(&mut world, BOOKS, STATE);
    world.give_state("another-uid");
    // The original has been refreshed since, and knows the token of its copy no more.
    let outdated = world.cluster.secrets[BOOKS].data["refresh-token"].clone();
    world.cluster.edit(BOOKS, |original| {
        let label = knows_label(&hash(&outdated));
        original.labels.remove(&label);
        let successor = "S3CRET-refresh-99".to_owned();
        original.data.insert("refresh-token".into(), successor);
    });
    world.request = Some("now".into());
    world.assert_in_use(&in_use(
        STATE,
        "to complete the move, delete Secret \"books-cube-state\" once that CubeCredential is gone (docs/backup.md)",
    ));
}

#[test]
fn a_copy_of_a_state_that_does_not_say_where_it_was_written_is_adopted_by_its_uid_alone() {
    let unmark = |world: &mut World| {
        world.cluster.edit(STATE, |secret| {
            secret.annotations.remove(annotation::WRITTEN_TO);
            let labels = std::mem::take(&mut secret.labels);
            secret.labels = labels
                .into_iter()
                .filter(|(name, _)| name == label::STATE)
                .collect();
        });
    };
    let mut world = World::begun();
    let before = world.cluster.secrets[STATE].clone();
    unmark(&mut world);
    world.restart();
    let costs = world.cost_of(World::settle);
    assert_eq!(
        (costs.exchanges, costs.stores),
        (0, 1),
        "its marks are written"
    );
    let after = &world.cluster.secrets[STATE];
    assert_eq!(
        (&after.labels, &after.annotations),
        (&before.labels, &before.annotations)
    );
    unmark(&mut world);
    world.uid = "another-uid".into();
    world.cluster.secrets.remove(TARGET);
    world.restart();
    world.settle();
    assert_eq!(world.refreshed_is().1, "StateConflict");
}

#[test]
fn a_refresh_token_that_a_kept_state_knows_is_not_sent_under_another_name() {
    let mut world = login_of_books();
    let remedy = "sign in again for this one, or move that login (docs/backup.md)";
    world.assert_in_use(&in_use("seed", remedy));
    assert!(
        !world.cluster.secrets.contains_key(STATE),
        "nothing was claimed"
    );
    // Nor is the present refresh token of that login.
    let present = world.cluster.secrets[BOOKS].data["refresh-token"].clone();
    world.objects.put_seed(SourceValue::Text(present.into()));
    world.assert_in_use(&in_use("seed", remedy));
    // Another sign-in is.
    world.sign_in();
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn of_two_credentials_with_one_refresh_token_the_older_one_sends_it() {
    let mut world = World::signed_in();
    world.older_login = Some("books".into());
    world.settle();
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "Secret \"seed\" holds the refresh token of CubeCredential \"books\": sign in again for this one, or move that login \
         (docs/backup.md)"
    );
    assert!(world.provider.exchanges.is_empty() && world.cluster.secrets.is_empty());
    world.older_login = None;
    world.pass(seconds(120));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    // One that has worked is not disturbed by an older one.
    world.older_login = Some("books".into());
    world.wake();
    assert_eq!(world.provider.exchanges.len(), 2);
}

#[test]
fn a_claim_that_another_object_made_in_between_is_seen_before_anything_is_sent() {
    let mut world = World::signed_in();
    // The process ends after its claim. The other one claims the same token then.
    world.ends_before = Some(|action| matches!(action, Action::Exchange(_)));
    assert!(world.try_settle().is_err());
    let mut other = world.cluster.secrets[STATE].clone();
    other
        .annotations
        .insert(annotation::OWNER_NAME.into(), "books".into());
    world.cluster.create(BOOKS, other);
    let remedy = "sign in again for this one, or move that login (docs/backup.md)";
    world.assert_in_use(&in_use("seed", remedy));
}

#[test]
fn a_refresh_token_that_was_not_sent_is_left_to_others() {
    let mut world = World::signed_in();
    let label = knows_label(&world.seed_hash());
    let is_labelled = |world: &World| world.cluster.secrets[STATE].labels.contains_key(&label);
    world.provider.otherwise = refuse(Reason::Unreachable);
    world.settle();
    assert!(!is_labelled(&world));
    world.provider.otherwise = refuse(Reason::NoResponse);
    world.pass(seconds(60));
    assert!(is_labelled(&world), "it may have been sent");
}

impl World {
    fn seed_hash(&self) -> String {
        use secrecy::ExposeSecret;
        let Some(SourceValue::Text(token)) = self.seed.as_ref().map(|seed| &seed.values) else {
            panic!("there is a seed");
        };
        hash(token.expose_secret())
    }
}

fn hash(token: &str) -> String {
    use sha2::{Digest, Sha256};
    crate::reconcile::hex(&Sha256::digest(token))
}

#[test]
fn a_state_outlives_its_object_unless_the_spec_says_delete() {
    use crate::api::DeletionPolicy::{Delete, Retain};
    for (policy, target, state) in [
        (None, true, false),
        (Some(Retain), false, false),
        (Some(Delete), true, true),
    ] {
        let mut world = World::signed_in();
        world.spec.target.deletion_policy = policy;
        world.settle();
        let owned = |name| !world.cluster.secrets[name].owners.is_empty();
        assert_eq!((owned(TARGET), owned(STATE)), (target, state), "{policy:?}");
    }
    // An owner reference that an earlier version set goes with the first look.
    let mut world = World::begun();
    world.cluster.edit(STATE, |secret| {
        secret.owners = vec![super::world::UID.into()];
    });
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(world.cluster.secrets[STATE].owners.is_empty());
}

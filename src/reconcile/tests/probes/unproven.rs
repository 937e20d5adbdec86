//! A token that is published although its API has not accepted it, because there is no other.

use super::{is_held_back, new, new_login, unreachable};
use crate::{
    api::{
        ConditionStatus,
        ConditionType::{Ready, Refreshed},
        CubeCredentialStatus, annotation,
    },
    reconcile::{
        Action, EventKind, Settings,
        tests::{
            provider::issue,
            world::{TARGET, World, seconds},
        },
    },
};

/// The first token was published after three failures.
fn unproven() -> World {
    let mut world = new();
    world.api_otherwise = Ok(403);
    world.settle();
    world.wake();
    assert_eq!(world.token(), None);
    world.wake();
    world
}

/// Its target says so.
fn is_marked(world: &World) -> bool {
    let name = Settings::target_name("cubewire", &world.spec);
    let mark = world.cluster.secrets[&name]
        .annotations
        .get(annotation::UNPROVEN);
    mark.is_some_and(|mark| mark == "true")
}

#[test]
fn a_first_token_is_published_after_the_third_failure() {
    let mut world = unproven();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    let span = world.probed[2]
        .0
        .duration_since(world.probed[0].0)
        .as_secs();
    assert!((24..=36).contains(&span), "{span}");
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(
        world.message(Ready),
        "token in Secret \"cubewire-token\" is valid until 2026-11-21T11:00:00Z, but unproven: its API has not accepted it yet; see \
         condition Refreshed"
    );
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "ProbeFailed".into())
    );
    assert!(
        world
            .message(Refreshed)
            .starts_with("api.cubewire.com responded 403")
    );
    assert!(world.status.unproven);
    assert_eq!(world.status.reason.as_deref(), Some("ProbeFailed"));
    let failed = EventKind::Failed(crate::api::Reason::ProbeFailed);
    assert_eq!(world.take_events(), [failed, EventKind::TokenIssued]);
}

#[test]
fn before_that_the_credential_is_not_ready() {
    let mut world = new();
    world.api_otherwise = Err(unreachable());
    world.settle();
    assert!(is_held_back(&world));
    assert_eq!(
        world.ready_is(),
        (ConditionStatus::False, "ProbeFailed".into())
    );
    assert_eq!(
        world.message(Ready),
        "Secret \"cubewire-token\" has no valid token: the API did not accept the new token"
    );
}

#[test]
fn the_probe_goes_on_until_the_token_is_accepted() {
    let mut world = unproven();
    world.take_events();
    world.wake();
    assert_eq!((world.probed.len(), world.costs.exchanges), (4, 1));
    assert!(world.status.unproven);
    world.api_otherwise = Ok(200);
    world.wake();
    assert_eq!(
        (
            world.probed.len(),
            world.costs.exchanges,
            world.costs.publishes
        ),
        (5, 1, 2),
        "the mark is taken from the target"
    );
    assert!(!world.status.unproven && !is_marked(&world));
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::True, "TokenIssued".into())
    );
    assert_eq!(world.take_events(), [EventKind::Recovered]);
    let probes = world.probed.len();
    world.pass(seconds(600));
    assert_eq!(world.probed.len(), probes);
}

#[test]
fn the_next_token_replaces_it_once_accepted() {
    let mut world = unproven();
    world.pass(seconds(3_250));
    assert_eq!(world.costs.exchanges, 1);
    world.api_otherwise = Ok(200);
    world.request = Some("one".into());
    world.settle();
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert!(!world.status.unproven);
}

#[test]
fn a_new_process_goes_on_with_it() {
    let mut world = unproven();
    world.restart();
    world.settle();
    assert_eq!((world.probed.len(), world.costs.exchanges), (4, 1));
    assert!(world.status.unproven);
    world.api_otherwise = Ok(200);
    world.wake();
    assert!(!world.status.unproven);
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn without_the_probe_it_is_like_any_other() {
    let mut world = unproven();
    world.edit_spec(|spec| spec.probe = None);
    world.settle();
    assert!(!world.status.unproven);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!((world.probed.len(), world.costs.exchanges), (3, 1));
}

#[test]
fn tokens_that_are_replaced_before_their_third_failure_fail_in_a_row() {
    let mut requested = new();
    requested.api_otherwise = Ok(403);
    requested.settle();
    assert_eq!(requested.token(), None);
    requested.now += seconds(15);
    requested.request = Some("one".into());
    requested.settle();
    assert_eq!(requested.costs.exchanges, 2);
    assert_eq!(requested.token(), Some("S3CRET-token-1"));

    let mut short = new();
    short.provider.otherwise = issue(15);
    short.api_otherwise = Ok(403);
    short.settle();
    short.pass(seconds(60));
    assert!(short.token().is_some());

    for mut world in [requested, short] {
        assert!(world.status.unproven && is_marked(&world));
        let probes = world.probed.len();
        world.pass(seconds(60));
        assert!(world.probed.len() > probes, "the probe continues");
    }
}

#[test]
fn the_failures_of_a_published_token_do_not_count_for_the_next_one() {
    let mut world = unproven();
    world.wake();
    world.request = Some("one".into());
    world.settle();
    assert_eq!(world.probed.last().unwrap().1, "S3CRET-token-1");
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
}

#[test]
fn it_is_no_reason_to_hold_the_next_one_back_after_the_third_failure() {
    let mut world = unproven();
    world.now += seconds(15);
    world.request = Some("one".into());
    world.settle();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(world.status.unproven, "another token failed since");
    world.wake();
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert!(world.status.unproven && is_marked(&world));
}

#[test]
fn a_process_that_ends_before_the_report_leaves_it_unproven() {
    let mut world = new();
    world.api_otherwise = Ok(403);
    world.settle();
    world.wake();
    world.now = world.wake_at.unwrap();
    world.ends_before = Some(|action| matches!(action, Action::Report { .. }));
    world.try_settle().unwrap_err();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    world.restart();
    world.settle();
    assert!(world.status.unproven);
    assert_eq!((world.probed.len(), world.costs.exchanges), (4, 1));
}

#[test]
fn a_status_that_was_wiped_or_restored_proves_nothing() {
    for wipes in [false, true] {
        let mut world = unproven();
        if wipes {
            world.status = CubeCredentialStatus::default();
        } else {
            world.status.unproven = false;
        }
        world.restart();
        world.settle();
        assert!(world.status.unproven);
        assert_eq!((world.probed.len(), world.costs.exchanges), (4, 1));
        let message = world.message(Ready);
        assert!(message.contains("but unproven"), "{message}");
    }
}

#[test]
fn a_deleted_target_is_repaired_with_the_mark() {
    let mut world = new_login();
    world.api_otherwise = Ok(403);
    world.settle();
    world.wake();
    world.wake();
    assert!(is_marked(&world));
    world.cluster.secrets.remove(TARGET);
    world.restart();
    world.settle();
    assert!(world.status.unproven && is_marked(&world));
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn it_keeps_the_mark_under_another_name() {
    let mut world = unproven();
    world.edit_spec(|spec| spec.target.name = Some("renamed".into()));
    world.restart();
    world.settle();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(world.status.unproven && is_marked(&world));
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn what_another_process_has_proven_is_not_marked_again() {
    let mut world = unproven();
    let target = world.cluster.secrets.get_mut(TARGET).unwrap();
    target.annotations.remove(annotation::UNPROVEN);
    target.version += 1_000;
    world.cluster.version += 1_000;
    world.settle();
    assert!(!world.status.unproven && !is_marked(&world));
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!((world.probed.len(), world.costs.publishes), (3, 1));
}

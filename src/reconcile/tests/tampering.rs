//! A status that was edited, restored or copied mints nothing and hides nothing.

use super::{
    provider::refuse,
    world::{World, seconds},
};
use crate::api::{
    Attempted, Condition, ConditionStatus, ConditionType, CubeCredentialStatus, Reason,
};

fn forged(world: &World, reason: Reason) -> CubeCredentialStatus {
    let condition = |r#type, status| Condition {
        r#type,
        status,
        reason: reason.to_string(),
        message: "forged".into(),
        observed_generation: world.generation,
        last_transition_time: world.now,
    };
    CubeCredentialStatus {
        conditions: vec![
            condition(ConditionType::Ready, ConditionStatus::True),
            condition(ConditionType::Refreshed, ConditionStatus::False),
        ],
        failures: Some(i32::MAX),
        ..world.status.clone()
    }
}

#[test]
fn a_forged_failure_mints_nothing_while_a_live_token_is_published() {
    let mut world = World::ready();
    let honest = world.status.clone();
    for attempted in [
        None,
        Some(Attempted::default()),
        Some(Attempted {
            generation: 1,
            source_resource_version: "1".into(),
            ..Attempted::default()
        }),
    ] {
        for refresh_at in [None, honest.refresh_at, Some(world.now - seconds(9))] {
            for reason in Reason::ALL {
                world.status = CubeCredentialStatus {
                    attempted: attempted.clone(),
                    refresh_at,
                    ..forged(&world, reason)
                };
                world.restart();
                assert_eq!(world.cost_of(World::settle).exchanges, 0, "{reason}");
                let mut status = world.status.clone();
                for (condition, honest) in status.conditions.iter_mut().zip(&honest.conditions) {
                    condition.last_transition_time = honest.last_transition_time;
                }
                assert_eq!(status, honest, "{reason}");
            }
        }
    }
}

#[test]
fn a_refresh_at_in_ten_years_delays_no_longer_than_its_class_ever_does() {
    for (reason, longest) in [(Reason::InvalidClient, 4320), (Reason::Unreachable, 360)] {
        let mut world = World::new();
        world.status = CubeCredentialStatus {
            attempted: Some(Attempted {
                generation: 1,
                source_resource_version: "1".into(),
                ..Attempted::default()
            }),
            refresh_at: Some(world.now + seconds(10 * 365 * 24 * 3600)),
            ..forged(&world, reason)
        };
        world.settle();
        world.pass(seconds(longest - 1));
        assert_eq!(world.provider.exchanges.len(), 0);
        world.pass(seconds(1));
        assert_eq!(world.provider.exchanges.len(), 1);
    }
}

#[test]
fn a_forged_ready_hides_nothing() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.settle();
    let honest = world.status.clone();
    let ready = World::ready().status.clone();
    world.status = ready;
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::False);
    assert_eq!(world.status.token_fingerprint, None);
    assert_eq!(world.status.refresh_at, honest.refresh_at);
    assert_eq!(world.status.attempted, honest.attempted);
}

#[test]
fn a_copied_status_does_not_keep_a_new_credential_from_its_token() {
    let mut world = World::new();
    world.status = World::ready().status.clone();
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_forged_refresh_request_in_the_status_serves_nothing() {
    let mut world = World::ready();
    world.status.refresh_request = Some("one".into());
    world.request = Some("one".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn a_status_of_the_version_before_that_has_a_hash_of_the_client_is_read_and_written_without_it() {
    let stored = r#"{"generation":1,"sourceResourceVersion":"7","client":"98cd3d1fc777a26d",
        "pausedUntil":"2026-11-21T10:10:00Z"}"#;
    let attempted: Attempted = serde_json::from_str(stored).unwrap();
    assert_eq!(attempted.generation, 1);
    assert!(attempted.paused_until.is_some());
    let written = serde_json::to_string(&attempted).unwrap();
    assert!(!written.contains("98cd3d1fc777a26d"));
}

#[test]
fn a_forged_message_is_shown_without_characters_that_are_not_seen() {
    let mut world = World::new();
    world.status = CubeCredentialStatus {
        attempted: Some(Attempted {
            generation: 1,
            source_resource_version: "1".into(),
            ..Attempted::default()
        }),
        refresh_at: Some(world.now + seconds(300)),
        ..forged(&world, Reason::InvalidClient)
    };
    for condition in &mut world.status.conditions {
        condition.message = "all \u{202e}is\u{200b} well\u{1b}[2J\n".into();
    }
    world.settle();
    assert_eq!(world.message(ConditionType::Refreshed), "all is well[2J ");
}

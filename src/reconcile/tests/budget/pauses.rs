//! Pauses that the provider asked for: they hold for all credentials of the client, also after a restart.

use super::{restart, settle, worlds};
use crate::{
    api::{ConditionStatus, ConditionType::Refreshed, CubeCredentialSpec, Reason},
    reconcile::{
        SourceValue,
        tests::{
            provider::Response,
            world::{World, seconds},
        },
    },
};

#[test]
fn a_pause_of_the_provider_is_everybodys_of_this_client_also_after_a_restart() {
    for reason in [Reason::RateLimited, Reason::Unavailable] {
        is_everybodys_pause(reason);
    }
}

fn is_everybodys_pause(reason: Reason) {
    let mut worlds = worlds(2);
    worlds[0].provider.script.push_back(Response::Refuse {
        reason,
        pause: Some(600),
    });
    settle(&mut worlds);
    let until = worlds[0].status.refresh_at.unwrap();
    let waits = &worlds[1];
    assert_eq!(
        waits.status.refresh_at,
        Some(until),
        "one request goes first, and that is its own"
    );
    assert_eq!(
        waits.message(Refreshed),
        format!("waiting until {until}: the provider asked this client to pause: no action needed")
    );

    restart(&mut worlds);
    worlds[0].request = Some("a person's wish".into());
    settle(&mut worlds);
    assert_eq!(worlds[1].status.refresh_at, Some(until));
    for world in &mut worlds {
        world.pass(seconds(590));
        assert!(world.provider.exchanges.len() <= 1);
    }
    for _ in 0..60 {
        for world in &mut worlds {
            world.pass(seconds(1));
        }
    }
    for world in &worlds {
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_pause_is_known_after_restarts_while_something_else_is_in_the_way() {
    type Change = fn(&mut World);
    let obstacles: [(Change, Change); 2] = [
        (
            |world| world.edit_spec(|spec| spec.suspend = true),
            |world| world.edit_spec(|spec| spec.suspend = false),
        ),
        (
            |world| world.source = None,
            |world| world.put_source("S3CRET-1"),
        ),
    ];
    for (block, unblock) in obstacles {
        let mut worlds = worlds(1);
        worlds[0].provider.script.push_back(Response::Refuse {
            reason: Reason::RateLimited,
            pause: Some(600),
        });
        settle(&mut worlds);
        let until = worlds[0].status.refresh_at;
        block(&mut worlds[0]);
        for _ in 0..2 {
            settle(&mut worlds);
            assert_ne!(worlds[0].refreshed_is().1, "RateLimited");
            restart(&mut worlds);
        }
        unblock(&mut worlds[0]);
        settle(&mut worlds);
        let world = &mut worlds[0];
        assert_eq!(world.provider.exchanges.len(), 1, "the pause holds");
        assert_eq!(world.status.refresh_at, until);
        assert!(world.message(Refreshed).starts_with(
            "the provider asked this client to pause: no action needed; retrying at 2026-11-21T10:1"
        ));
        world.pass(seconds(620));
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn the_turn_that_a_rate_limited_credential_waits_for_is_no_pause_of_the_others_after_a_restart() {
    let mut worlds = worlds(4);
    worlds[3].settle();
    for world in &mut worlds {
        world.now += seconds(12);
    }
    worlds[0].provider.script.push_back(Response::Refuse {
        reason: Reason::RateLimited,
        pause: Some(60),
    });
    settle(&mut worlds);
    let until = worlds[0].status.refresh_at.unwrap();
    for number in [1, 0] {
        worlds[number].now = until;
        worlds[number].settle();
    }
    let limited = &worlds[0];
    assert_eq!(limited.refreshed_is().1, "RateLimited");
    assert_eq!(limited.status.refresh_at, Some(until + seconds(12)));

    worlds[2].now = until + seconds(1);
    restart(&mut worlds);
    worlds[2].settle();
    assert_eq!(worlds[2].ready_is().0, ConditionStatus::True);
}

#[test]
fn a_changed_secret_does_not_cut_a_pause_short_but_another_client_need_not_wait() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.settle();
    world.now += seconds(12);
    world.request = Some("a person's wish".into());
    world.provider.script.push_back(Response::Refuse {
        reason: Reason::RateLimited,
        pause: None,
    });
    world.settle();
    let until = world.status.refresh_at;
    world.put_source("S3CRET-2");
    world.settle();
    assert_eq!(world.refreshed_is().1, "RateLimited");
    assert_eq!(world.status.refresh_at, until);
    world.edit_source(|source| source.values.id = SourceValue::Text("another".into()));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

/// The client gets a token, and is then asked to pause for ten minutes.
fn paused_after_a_token(worlds: &mut [World]) {
    worlds[0].settle();
    worlds[0].now += seconds(12);
    worlds[0].request = Some("a person's wish".into());
    worlds[0].provider.script.push_back(Response::Refuse {
        reason: Reason::RateLimited,
        pause: Some(600),
    });
    worlds[0].settle();
    assert_eq!(worlds[0].refreshed_is().1, "RateLimited");
}

#[test]
fn a_pause_of_one_token_endpoint_is_none_of_another_that_the_spec_names_later() {
    for restarts in [false, true] {
        let mut worlds = worlds(2);
        let elsewhere = "https://elsewhere.example.com/token";
        worlds[0].edit_spec(|spec| spec.token_url = Some(elsewhere.into()));
        paused_after_a_token(&mut worlds);
        worlds[0].edit_spec(|spec| spec.token_url = None);
        for world in &mut worlds {
            world.now += seconds(30);
        }
        if restarts {
            restart(&mut worlds);
        }
        worlds[1].now = worlds[0].now;
        worlds[1].settle();
        assert_eq!(worlds[1].ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_pause_whose_client_secret_is_not_known_any_more_is_kept_by_its_credential_alone() {
    let mut worlds = worlds(2);
    paused_after_a_token(&mut worlds);
    let until = worlds[0].status.refresh_at;
    worlds[0].put_source("S3CRET-1");
    worlds[1].now = worlds[0].now;
    restart(&mut worlds);
    settle(&mut worlds);
    assert_eq!(worlds[0].status.refresh_at, until);
    assert_eq!(worlds[0].provider.exchanges.len(), 2);
    assert_eq!(worlds[1].ready_is().0, ConditionStatus::True);
}

#[test]
fn no_hash_of_a_client_is_in_a_status() {
    let mut worlds = worlds(1);
    paused_after_a_token(&mut worlds);
    let attempted = serde_json::to_value(&worlds[0].status.attempted).unwrap();
    let fields: Vec<_> = attempted.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "endpoint",
            "generation",
            "pausedUntil",
            "refreshRequest",
            "sourceResourceVersion"
        ]
    );
}

/// Otherwise the author of a spec could pause whatever client the spec can name, one after the other.
#[test]
fn a_pause_is_told_of_the_client_that_was_asked_to_and_of_no_other_that_the_spec_names_then() {
    let name_another = |spec: &mut CubeCredentialSpec| spec.client_id = Some("another".into());
    for restarts in [false, true] {
        let mut worlds = worlds(2);
        worlds[0].provider.script.push_back(Response::Refuse {
            reason: Reason::RateLimited,
            pause: Some(600),
        });
        worlds[0].settle();
        let until = worlds[0].status.refresh_at;
        if restarts {
            restart(&mut worlds);
        }
        worlds[0].edit_spec(name_another);
        worlds[0].settle();
        worlds[0].pass(seconds(30));
        let sent = worlds[0].provider.exchanges.len();
        if restarts {
            // Nobody knows which client it was.
            assert_eq!(sent, 1);
            assert_eq!(worlds[0].status.refresh_at, until);
        } else {
            assert_eq!(sent, 2, "it is another client");
        }
        // Nor does anybody else who has this client wait.
        worlds[1].edit_spec(name_another);
        worlds[1].now += seconds(30);
        worlds[1].settle();
        worlds[1].pass(seconds(12));
        assert_eq!(worlds[1].provider.exchanges.len(), 1);
    }
}

//! Pauses that the provider asked for: they hold for all credentials of the client, also after a restart.

use super::{restart, settle, worlds};
use crate::{
    api::{
        ConditionStatus,
        ConditionType::{Ready, Refreshed},
        Reason,
    },
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
    assert!(
        waits
            .message(Ready)
            .starts_with("the provider has asked this client to pause")
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
        assert!(
            world
                .message(Refreshed)
                .starts_with("the provider has asked this client to pause: wait; next try at 10:1")
        );
        world.pass(seconds(620));
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn the_turn_that_a_rate_limited_credential_waits_for_is_no_pause_of_the_others_after_a_restart() {
    let mut worlds = worlds(3);
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
    assert_eq!(limited.status.refresh_at, Some(until + seconds(24)));

    worlds[2].now = until + seconds(1);
    restart(&mut worlds);
    worlds[2].settle();
    assert_eq!(worlds[2].ready_is().0, ConditionStatus::True);
}

#[test]
fn a_changed_secret_does_not_cut_a_pause_short_but_another_client_need_not_wait() {
    let mut worlds = worlds(1);
    let world = &mut worlds[0];
    world.provider.script.push_back(Response::Refuse {
        reason: Reason::RateLimited,
        pause: None,
    });
    world.settle();
    assert!(world.message(Ready).ends_with("Z, and not before"));
    let until = world.status.refresh_at;
    world.put_source("S3CRET-2");
    world.settle();
    assert_eq!(world.refreshed_is().1, "RateLimited");
    assert_eq!(world.status.refresh_at, until);
    world.edit_source(|source| source.values.id = SourceValue::Text("another".into()));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

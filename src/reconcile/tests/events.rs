//! Events: changes, never routine.

use super::{
    provider::{Response, issue, issue_narrowed, refuse},
    world::{World, seconds},
};
use crate::{
    api::Reason,
    reconcile::{CaBundle, Event, EventKind},
};

/// The events since the last call.
fn notes(world: &mut World) -> Vec<Event> {
    std::mem::take(&mut world.events)
}

fn issue_with(change: impl FnOnce(&mut Response)) -> Response {
    let mut response = issue(3600);
    change(&mut response);
    response
}

type Change = (&'static str, fn(&mut World), &'static [EventKind]);

const HISTORY: &[Change] = &[
    ("created", World::settle, &[EventKind::TokenIssued]),
    ("a day passes", |world| world.pass(seconds(86400)), &[]),
    (
        "the provider goes down",
        |world| {
            world.provider.otherwise = refuse(Reason::Unavailable);
            world.pass(seconds(7200));
        },
        &[EventKind::Failed(Reason::Unavailable)],
    ),
    ("and stays down", |world| world.pass(seconds(86400)), &[]),
    (
        "and refuses then",
        |world| {
            world.provider.otherwise = refuse(Reason::InvalidClient);
            world.pass(seconds(7200));
        },
        &[EventKind::Failed(Reason::InvalidClient)],
    ),
    (
        "it works again",
        |world| {
            world.provider.otherwise = issue(3600);
            world.pass(seconds(7200));
        },
        &[EventKind::Recovered],
    ),
    (
        "the process starts again",
        |world| {
            world.restart();
            world.settle();
        },
        &[],
    ),
    (
        "suspended for a week",
        |world| {
            world.edit_spec(|spec| spec.suspend = true);
            world.settle();
            world.pass(seconds(7 * 86400));
        },
        &[],
    ),
    (
        "and resumed",
        |world| {
            world.edit_spec(|spec| spec.suspend = false);
            world.settle();
        },
        &[],
    ),
    (
        "the source is deleted",
        |world| {
            world.source = None;
            world.settle();
            world.pass(seconds(7200));
        },
        &[EventKind::Failed(Reason::ClientSecretNotFound)],
    ),
    (
        "and put back",
        |world| {
            world.put_source("S3CRET-1");
            world.settle();
        },
        &[EventKind::Recovered],
    ),
    (
        "an older credential claims the target",
        |world| {
            world.rival = Some("older".into());
            world.settle();
            world.pass(seconds(600));
        },
        &[EventKind::Failed(Reason::TargetDuplicate)],
    ),
];

#[test]
fn a_long_history_is_told_by_its_changes() {
    let mut world = World::new();
    for (change, happens, events) in HISTORY {
        happens(&mut world);
        assert_eq!(world.take_events(), *events, "{change}");
    }
}

#[test]
fn the_first_token_after_failures_is_no_recovery() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::Unavailable);
    world.settle();
    assert_eq!(
        world.take_events(),
        [EventKind::Failed(Reason::Unavailable)]
    );
    world.restart();
    world.settle();
    world.provider.otherwise = issue(3600);
    world.pass(seconds(600));
    assert_eq!(world.take_events(), [EventKind::TokenIssued]);
    world.pass(seconds(7200));
    assert_eq!(world.take_events(), []);
}

#[test]
fn an_unknown_expiry_is_told_once_and_the_assumed_lifetime_is_used() {
    let mut world = World::new();
    world.spec.assumed_lifetime = Some("2h".into());
    world.provider.otherwise = issue_with(|response| {
        if let Response::Issue { lifetime, .. } = response {
            *lifetime = None;
        }
    });
    world.settle();
    let lifetime = world.status.expires_at.unwrap().duration_since(world.now);
    assert_eq!(lifetime, seconds(7200));
    let events = notes(&mut world);
    assert_eq!(
        events[1],
        Event {
            kind: EventKind::ExpiryUnknown,
            note: "the response has no usable expires_in: using spec.assumedLifetime (2h)".into()
        }
    );
    world.pass(seconds(86400));
    assert!(world.take_events().is_empty(), "not one a refresh");
}

#[test]
fn narrowed_scopes_are_told_once_also_across_restarts() {
    let mut world = World::new();
    world.spec.scopes = vec!["read".into(), "write".into()];
    world.provider.otherwise = issue_narrowed();
    world.settle();
    assert_eq!(
        world.take_events(),
        [EventKind::TokenIssued, EventKind::ScopeNarrowed]
    );
    assert_eq!(world.status.scopes, ["read"]);
    for _ in 0..3 {
        world.pass(seconds(7200));
        world.restart();
        world.settle();
        assert_eq!(world.status.scopes, ["read"]);
    }
    assert!(world.take_events().is_empty(), "not one a refresh");
    world.edit_spec(|spec| spec.scopes.push("admin".into()));
    world.settle();
    assert_eq!(world.take_events(), [EventKind::ScopeNarrowed]);
}

#[test]
fn a_clock_that_is_off_is_told_once_and_changes_no_schedule() {
    for (by, reported) in [(59, false), (61, true), (-59, false), (-61, true)] {
        let mut world = World::new();
        world.provider.otherwise = issue_with(|response| {
            if let Response::Issue { ahead, .. } = response {
                *ahead = by;
            }
        });
        world.settle();
        assert_eq!(world.status, World::ready().status);
        let events = notes(&mut world);
        assert_eq!(events.len() == 2, reported, "{by}: {events:?}");
        if reported {
            let direction = if by > 0 { "ahead of" } else { "behind" };
            let note = format!(
                "the provider's clock is 61 s {direction} this cluster's: check the nodes' time synchronization"
            );
            assert_eq!(
                (events[1].kind, &events[1].note),
                (EventKind::ClockSkew, &note)
            );
        }
        world.pass(seconds(86400));
        assert!(world.take_events().is_empty(), "not one a refresh");
    }
}

#[test]
fn warnings_are_what_people_have_to_look_at() {
    for (kind, warning) in [
        (EventKind::TokenIssued, false),
        (EventKind::Recovered, false),
        (EventKind::TargetRepaired, false),
        (EventKind::RefreshRequested, false),
        (EventKind::ExpiryUnknown, true),
        (EventKind::ScopeNarrowed, true),
        (EventKind::ClockSkew, true),
        (EventKind::Failed(Reason::InvalidClient), true),
    ] {
        assert_eq!(kind.is_warning(), warning, "{kind:?}");
    }
    assert_eq!(
        EventKind::Failed(Reason::InvalidClient).reason(),
        "InvalidClient"
    );
    assert_eq!(EventKind::TokenIssued.reason(), "TokenIssued");
}

#[test]
fn a_token_that_is_replaced_too_late_for_those_who_mount_it_is_told_once() {
    let mut world = World::new();
    world.provider.otherwise = issue(120);
    world.settle();
    let notes = notes(&mut world);
    assert_eq!(notes[1].kind, EventKind::ShortLivedToken);
    assert_eq!(
        notes[1].note,
        "pods see a new token after up to 90 s, and the old one expires before that: ask the provider for longer ones"
    );
    world.pass(seconds(600));
    assert_eq!(world.take_events(), []);
    // Long enough, but asked to be replaced late.
    world.provider.otherwise = issue(3600);
    world.pass(seconds(7200));
    assert_eq!(world.take_events(), []);
    world.edit_spec(|spec| spec.refresh_before = "1m".into());
    world.pass(seconds(7200));
    assert_eq!(world.take_events(), [EventKind::ShortLivedToken]);
}

#[test]
fn a_secret_that_names_no_hosts_is_told_once() {
    let mut world = World::signed_in();
    world.source.as_mut().unwrap().token_hosts = None;
    world.seed.as_mut().unwrap().token_hosts = None;
    world.settle();
    let told = |secret: &str| Event {
        kind: EventKind::TokenHostsMissing,
        note: format!(
            "Secret {secret:?} may be sent to any host: its owner can limit it with annotation cube-operator.dev/token-hosts"
        ),
    };
    assert_eq!(notes(&mut world)[1..], [told("client")]);
    world.pass(seconds(86400));
    assert_eq!(notes(&mut world), [], "not one a refresh");
    world.source.as_mut().unwrap().token_hosts = Some("api.cubesoftware.com".into());
    world.pass(seconds(86400));
    assert_eq!(notes(&mut world), [told("seed")]);
    world.pass(seconds(86400));
    assert_eq!(notes(&mut world), []);
}

#[test]
fn a_part_of_a_ca_bundle_that_cannot_be_used_is_told_once_and_costs_no_token() {
    let (mut world, good) = (World::new(), super::refusals::certificate(0));
    let bad = good.replace("MII", "?");
    let line = good.lines().count() + 1;
    world.spec.ca_bundle_ref = Some(super::refusals::ca_bundle_ref());
    world.put_ca_bundle(CaBundle::of(format!("{good}{bad}").as_bytes()));
    world.settle();
    let told = Event {
        kind: EventKind::CABundleIncomplete,
        note: format!(
            "a part of ConfigMap \"roots\" is ignored: block 2 (line {line}) is not base64"
        ),
    };
    assert_eq!(notes(&mut world)[1..], [told]);
    world.pass(seconds(86400));
    assert_eq!(notes(&mut world), [], "not one a refresh");
}

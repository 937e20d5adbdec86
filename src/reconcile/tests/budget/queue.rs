//! The place in the queue: who waits for how long, and who leaves it.

use super::{settle, worlds};
use crate::{
    api::{ConditionStatus, ConditionType::Refreshed},
    reconcile::{
        Action, CaBundle, EventKind, Next, Observed, Outcome, Permit, Read, Slot, absorb, decide,
        tests::{
            provider::issue,
            refusals::{bundle, ca_bundle_ref},
            world::{Costs, World, seconds},
        },
    },
};

#[test]
fn a_turn_is_asked_for_again_if_its_request_could_not_be_sent_for_long() {
    let mut world = World::new();
    let mut observed = world.observe();
    let requested = |observed: &Observed, now| match decide(observed, now) {
        Next::Act(action) => match *action {
            Action::TakePermit(request) => Some(request),
            Action::Exchange(_) => None,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let settings = observed.settings.clone().unwrap();
    for what in [
        Read::target(&settings, &observed.target),
        Read::source(&settings, &observed.source),
    ] {
        let outcome = world.read(&what, &observed);
        absorb(&mut observed, outcome, world.now);
    }
    absorb(&mut observed, Outcome::Slot(Slot::Taken), world.now);
    let request = requested(&observed, world.now).expect("nothing is sent without a permit");
    let until = world.now + seconds(5);
    absorb(
        &mut observed,
        Outcome::Permit(request.clone(), Permit::Now { until }),
        world.now,
    );
    assert_eq!(requested(&observed, until), None);
    assert_eq!(requested(&observed, until + seconds(1)), Some(request));
}

/// Lets a minute pass for each of them, a second at a time.
fn pass_a_minute(worlds: &mut [World]) {
    for _ in 0..60 {
        for world in &mut *worlds {
            world.pass(seconds(1));
        }
    }
}

#[test]
fn two_hundred_credentials_of_one_client_are_served_one_after_the_other() {
    let mut worlds = worlds(200);
    settle(&mut worlds);
    let exchanges = |worlds: &[World]| -> usize {
        worlds
            .iter()
            .map(|world| world.provider.exchanges.len())
            .sum()
    };
    assert_eq!(exchanges(&worlds), 1);
    let waits = &worlds[1];
    let message = "waiting until 2026-11-21T10:00:12Z: CubeCredentials with this client id and token URL share one rate limit: no action \
                   needed";
    assert_eq!(
        waits.ready_is(),
        (ConditionStatus::False, "RateBudget".into())
    );
    assert_eq!(
        waits.refreshed_is(),
        (ConditionStatus::Unknown, "RateBudget".into())
    );
    assert_eq!(waits.message(Refreshed), message);
    assert_eq!(waits.status.refresh_at, Some(waits.now + seconds(12)));
    assert!(waits.events.is_empty());

    for minute in 1..=41 {
        let before = exchanges(&worlds);
        pass_a_minute(&mut worlds);
        let sent = exchanges(&worlds) - before;
        assert!(sent <= 5, "minute {minute}: {sent}");
    }
    assert_eq!(exchanges(&worlds), 200);
    for world in &mut worlds {
        assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
        assert_eq!(world.take_events(), [EventKind::TokenIssued]);
    }
}

#[test]
fn whose_token_ends_before_its_turn_is_told_what_to_do() {
    let mut worlds = worlds(50);
    for world in &mut worlds {
        world.provider.otherwise = issue(60);
    }
    settle(&mut worlds);
    for _ in 0..4 {
        pass_a_minute(&mut worlds);
    }
    let late: Vec<_> = worlds
        .iter()
        .filter(|world| world.status.expires_at < world.status.refresh_at)
        .collect();
    assert!(!late.is_empty());
    for world in late {
        let message = world.message(Refreshed);
        let advice = "the token expires before; share one CubeCredential or use another client id";
        assert!(
            world.status.expires_at.is_none() || message.ends_with(advice),
            "{message}"
        );
    }
}

#[test]
fn a_refresh_that_waits_is_no_failure() {
    let mut worlds = worlds(2);
    worlds[0].pass(seconds(100));
    worlds[1].pass(seconds(100));
    settle(&mut worlds);
    // The other one is asked for a token again and again.
    let due = worlds[1].wake_at.unwrap();
    worlds[0].now = due;
    for number in 0..3 {
        worlds[0].request = Some(number.to_string());
        worlds[0].settle();
    }
    worlds[1].wake();
    let world = &mut worlds[1];
    assert_eq!(
        world.cost_of(World::settle),
        Costs::default(),
        "waiting costs nothing"
    );
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::True, "RateBudget".into())
    );
    world.wake();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::True, "TokenIssued".into())
    );
    assert_eq!(world.take_events(), [EventKind::TokenIssued]);
}

#[test]
fn a_credential_that_is_refused_when_its_turn_comes_leaves_its_place() {
    let mut worlds = worlds(3);
    worlds[1].edit_spec(|spec| spec.ca_bundle_ref = Some(ca_bundle_ref()));
    worlds[1].put_ca_bundle(bundle(0));
    settle(&mut worlds);
    worlds[1].put_ca_bundle(CaBundle::Absent);
    for world in &mut worlds[1..] {
        world.now += seconds(12);
        world.settle();
    }
    assert_eq!(worlds[1].refreshed_is().1, "CABundleInvalid");
    assert_eq!(worlds[2].ready_is().0, ConditionStatus::True);
}

#[test]
fn a_credential_that_is_suspended_while_it_waits_leaves_its_place() {
    let mut worlds = worlds(3);
    settle(&mut worlds);
    worlds[1].edit_spec(|spec| spec.suspend = true);
    worlds[1].settle();
    worlds[2].now += seconds(12);
    worlds[2].settle();
    assert_eq!(worlds[2].ready_is().0, ConditionStatus::True);
}

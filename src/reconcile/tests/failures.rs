//! Failing exchanges: when the next attempt is, and what shortens the wait.

use super::{
    provider::{Response, refuse},
    world::{World, seconds},
};
use crate::{
    api::{ConditionType, Reason},
    reconcile::CaBundle,
};

/// The delays between exchanges of a provider that always responds so.
fn delays(response: Response, attempts: usize) -> Vec<i64> {
    let mut world = World::new();
    world.provider.otherwise = response;
    world.settle();
    (1..attempts).for_each(|_| world.wake());
    let exchanges = &world.provider.exchanges;
    assert_eq!(exchanges.len(), attempts, "each wake-up is one exchange");
    exchanges
        .windows(2)
        .map(|pair| pair[1].at.duration_since(pair[0].at).as_secs())
        .collect()
}

fn assert_around(delays: &[i64], expected: &[i64], percent: i64, seconds: i64) {
    assert_eq!(delays.len(), expected.len());
    for (delay, expected) in delays.iter().zip(expected) {
        let spread = expected * percent / 100;
        assert!(
            (expected - spread..=expected + spread + seconds).contains(delay),
            "{delays:?}"
        );
    }
}

#[test]
fn a_fast_failure_is_retried_fast() {
    for reason in [Reason::Unreachable, Reason::NoResponse, Reason::Unavailable] {
        assert_around(
            &delays(refuse(reason), 8),
            &[10, 20, 40, 80, 160, 300, 300],
            20,
            0,
        );
    }
}

#[test]
fn a_slow_failure_is_retried_slowly() {
    for reason in [
        Reason::InvalidClient,
        Reason::Forbidden,
        Reason::TLSUntrusted,
    ] {
        assert_around(
            &delays(refuse(reason), 6),
            &[300, 900, 1800, 3600, 3600],
            20,
            0,
        );
    }
}

#[test]
fn a_rate_limit_is_waited_for() {
    assert_around(
        &delays(refuse(Reason::RateLimited), 7),
        &[60, 120, 240, 480, 900, 900],
        0,
        10,
    );
    let pause = |reason| Response::Refuse {
        reason,
        pause: Some(30),
    };
    for reason in [Reason::RateLimited, Reason::Unavailable] {
        assert_around(&delays(pause(reason), 5), &[30, 30, 30, 30], 0, 10);
    }
}

/// The next look-up of the name may find another address.
#[test]
fn a_refusal_before_sending_is_retried_after_minutes() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::HostNotAllowed);
    world.settle();
    let delay = world.wake_at.unwrap().duration_since(world.now).as_secs();
    assert!((240..=360).contains(&delay), "{delay}");
    assert_eq!(world.status.last_attempt_at, None, "nothing was sent");
    assert_eq!(world.status.failures, None);
    assert_eq!(world.condition(ConditionType::Stalled).1, "HostNotAllowed");
    world.edit_spec(|_| {});
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn delays_count_from_the_moment_the_failure_is_known() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::NoResponse);
    world.provider.latency = 30;
    world.settle();
    world.wake();
    let [first, second] = &world.provider.exchanges[..] else {
        panic!("two exchanges");
    };
    let delay = second.at.duration_since(first.known_at).as_secs();
    assert!((8..=12).contains(&delay), "{delay}");
}

#[test]
fn the_count_goes_on_over_another_reason_and_starts_again_after_a_success() {
    let mut world = World::ready();
    world.provider.script = [
        Reason::Unreachable,
        Reason::Unavailable,
        Reason::InvalidClient,
    ]
    .map(refuse)
    .into();
    for failures in [Some(1), Some(2), Some(3), None] {
        world.pass(world.status.refresh_at.unwrap().duration_since(world.now));
        assert_eq!(world.status.failures, failures);
    }
    assert_eq!(world.status.attempted, None);
}

#[test]
fn changed_inputs_are_tried_at_once_and_start_the_count_again() {
    let edits: [fn(&mut World); 3] = [
        |world| world.edit_spec(|spec| spec.scopes = vec!["read".into()]),
        |world| world.put_source("S3CRET-2"),
        |world| world.put_ca_bundle(super::refusals::bundle(1)),
    ];
    for reason in [Reason::Unavailable, Reason::TLSUntrusted] {
        for edit in edits {
            let mut world = World::new();
            world.spec.ca_bundle_ref = Some(super::refusals::ca_bundle_ref());
            world.put_ca_bundle(super::refusals::bundle(0));
            world.provider.otherwise = refuse(reason);
            world.settle();
            world.wake();
            assert_eq!(world.status.failures, Some(2));
            world.now += seconds(1);
            edit(&mut world);
            assert_eq!(world.cost_of(World::settle).exchanges, 1);
            assert_eq!(world.status.failures, Some(1));
            world.now += seconds(1);
            assert_eq!(world.cost_of(World::settle).exchanges, 0);
        }
    }
}

#[test]
fn a_ca_bundle_that_is_written_again_unchanged_does_not_shorten_a_retry() {
    let mut world = World::new();
    world.spec.ca_bundle_ref = Some(super::refusals::ca_bundle_ref());
    let bundle = super::refusals::bundle(0);
    world.put_ca_bundle(bundle.clone());
    world.provider.otherwise = refuse(Reason::TLSUntrusted);
    world.settle();
    world.put_ca_bundle(bundle);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.ca_reads), (0, 1));
    assert_eq!(world.cost_of(World::settle).ca_reads, 0);
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
}

#[test]
fn a_ca_bundle_that_changed_while_no_process_ran_is_tried_at_once() {
    let mut world = World::new();
    world.spec.ca_bundle_ref = Some(super::refusals::ca_bundle_ref());
    world.put_ca_bundle(super::refusals::bundle(0));
    world.provider.otherwise = refuse(Reason::TLSUntrusted);
    world.settle();
    world.restart();
    world.put_ca_bundle(super::refusals::bundle(1));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn a_ca_bundle_that_changes_while_all_is_well_makes_no_exchange() {
    let mut world = World::new();
    world.spec.ca_bundle_ref = Some(super::refusals::ca_bundle_ref());
    world.put_ca_bundle(super::refusals::bundle(0));
    world.settle();
    world.put_ca_bundle(super::refusals::bundle(1));
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.ca_reads, costs.reports), (0, 0, 0));
    world.wake();
    let request = &world.provider.exchanges[1].request;
    let bundle = super::refusals::bundle(1);
    let trusted = request.ca_bundle.as_ref().unwrap();
    assert_eq!(bundle, CaBundle::Read(trusted.certificates.clone()));
}

#[test]
fn the_message_says_what_happened_what_to_do_and_when_the_next_attempt_is() {
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.settle();
    let next_attempt = world.wake_at.unwrap();
    let message = format!(
        "token endpoint responded 401 invalid_client: check client-id and client-secret in Secret \"cubewire-client\", or \
         spec.clientAuthentication (now Body); retrying at {next_attempt}"
    );
    assert_eq!(world.message(ConditionType::Refreshed), message);
    assert_eq!(
        world.message(ConditionType::Ready),
        "Secret \"cubewire-token\" has no valid token: the provider rejected the client id or client secret"
    );
    assert_eq!(
        world.message(ConditionType::Stalled),
        "someone must act: a retry is planned, but unlikely to help without a change; see condition Refreshed"
    );
}

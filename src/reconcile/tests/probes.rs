//! A new token is tried at its API before it is published.

mod held_back;
mod rules;
mod unproven;

use std::collections::BTreeMap;

use super::world::{Costs, World, seconds};
use crate::{
    api::{
        ConditionStatus,
        ConditionType::{Ready, Refreshed},
        CubeCredentialSpec, ProbeMethod, ProbeSpec,
    },
    oauth::error::{NetworkError, Unreachable},
};

/// Sets the probe of a spec.
fn probe_at(url: &str, spec: &mut CubeCredentialSpec) {
    spec.probe = Some(Box::new(ProbeSpec {
        url: url.into(),
        method: ProbeMethod::Get,
        headers: BTreeMap::new(),
        expect_status: Vec::new(),
    }));
}

fn with_probe(spec: &mut CubeCredentialSpec) {
    probe_at("https://api.cubewire.com/api/v1/me", spec);
}

/// A new credential with a probe.
fn new() -> World {
    let mut world = World::new();
    with_probe(&mut world.spec);
    world
}

fn new_login() -> World {
    let mut world = World::signed_in();
    with_probe(&mut world.spec);
    world
}

fn settled(mut world: World) -> World {
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world.events.clear();
    world.probed.clear();
    world.costs = Costs::default();
    world
}

/// A credential whose first token was accepted, and which is about to get another.
pub(super) fn ready() -> World {
    settled(new())
}

/// The API accepts no new token, whose refresh is due.
pub(super) fn refused() -> World {
    let mut world = ready();
    world.api_otherwise = Ok(403);
    world.wake();
    world
}

fn unreachable() -> NetworkError {
    NetworkError::Unreachable {
        endpoint: "api.cubewire.com".into(),
        cause: Unreachable::ConnectionRefused,
    }
}

fn is_held_back(world: &World) -> bool {
    world.refreshed_is() == (ConditionStatus::False, "ProbeFailed".into()) && !world.status.unproven
}

#[test]
fn an_accepted_token_costs_one_request_to_the_api_and_none_to_the_api_server() {
    let costs = |mut world: World| world.cost_of(World::settle);
    let assert_one_probe = |with, without| {
        let expected = Costs {
            probes: 1,
            ..costs(without)
        };
        assert_eq!(costs(with), expected);
    };
    assert_one_probe(new(), World::new());
    assert_one_probe(new_login(), World::signed_in());
    let refresh = |mut world: World| world.cost_of(World::wake);
    let expected = Costs {
        probes: 1,
        ..refresh(World::ready())
    };
    assert_eq!(refresh(ready()), expected);
}

#[test]
fn a_token_is_tried_before_it_is_published() {
    let mut world = new();
    world.settle();
    assert_eq!(world.probed, [(world.now, "S3CRET-token-0".into())]);
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(
        world.message(Ready),
        "token in Secret \"cubewire-token\" is valid until 2026-11-21T11:00:00Z"
    );
    assert!(!world.status.unproven);
}

#[test]
fn a_restart_a_repair_and_a_label_cost_no_probe() {
    for mut world in [ready(), settled(new_login())] {
        world.restart();
        world.settle();
        world.spec.target.labels.insert("team".into(), "a".into());
        world.generation += 1;
        world.settle();
        assert_eq!(world.probed, []);
    }
}

#[test]
fn the_target_of_a_login_is_repaired_with_the_token_of_the_state_and_without_a_probe() {
    let mut world = settled(new_login());
    world.api_otherwise = Ok(403);
    for restarts in [false, true] {
        let token = world.token().map(str::to_owned);
        world.cluster.secrets.remove(super::world::TARGET);
        if restarts {
            world.restart();
        }
        world.settle();
        assert_eq!(world.token().map(str::to_owned), token);
        assert_eq!((world.probed.len(), world.costs.exchanges), (0, 0));
    }
}

#[test]
fn a_change_of_the_probe_requests_no_token_and_unpublishes_none() {
    let mut world = ready();
    world.api_otherwise = Ok(403);
    world.edit_spec(|spec| probe_at("https://api.cubewire.com/other", spec));
    world.settle();
    assert_eq!((world.costs.exchanges, world.costs.probes), (0, 0));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.edit_spec(|spec| spec.probe = None);
    world.settle();
    assert_eq!((world.costs.exchanges, world.costs.probes), (0, 0));
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
}

#[test]
fn a_probe_waits_for_a_slot_as_an_exchange_does() {
    let mut world = refused();
    let since = world.now;
    world.slot = crate::reconcile::Slot::Later { since };
    let probes = world.probed.len();
    world.pass(seconds(30));
    assert_eq!(
        world.probed.len(),
        probes,
        "a request to another server has no slot"
    );
    world.slot = crate::reconcile::Slot::Taken;
    world.settle();
    assert_eq!(world.probed.len(), probes + 1);
}

#[test]
fn each_cause_has_its_sentence() {
    let network = "probe host api.cubewire.com could not be reached: connection refused: check the port in spec.probe.url, and \
                   whether the server runs";
    let status = |status: u16, remedy: &str| {
        (
            Ok(status),
            format!("api.cubewire.com responded {status} to the new token: {remedy}"),
        )
    };
    for (response, sentence) in [
        status(
            401,
            "check that this API accepts tokens of spec.tokenURL, and audience and scopes in the spec",
        ),
        status(
            403,
            "ask the API's owner to allow this cluster's egress IP address, or to give this client the missing role",
        ),
        status(302, "correct spec.probe.url (redirects are not followed)"),
        status(404, "correct spec.probe.url or spec.probe.method"),
        status(
            418,
            "correct spec.probe, or add that status to spec.probe.expectStatus",
        ),
        status(
            429,
            "no action needed; if this persists, ask the API's owner for its limit",
        ),
        status(
            503,
            "no action needed; if this persists, check the API's status page",
        ),
        (Err(unreachable()), network.into()),
    ] {
        let mut world = ready();
        world.api_otherwise = response;
        world.wake();
        let message = world.message(Refreshed);
        let start = format!("{sentence}; retrying at ");
        assert!(message.starts_with(&start), "{message}");
        assert!(message.chars().count() <= 200, "{message}");
    }
}

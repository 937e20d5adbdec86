//! Where a token may be tried, and what is shown of that.

use super::{new, new_login, probe_at, ready, unreachable};
use crate::{
    api::{ConditionStatus, ConditionType::Refreshed, CubeCredentialStatus},
    oauth::hosts::HostList,
    reconcile::{
        Event,
        tests::world::{World, seconds},
    },
};

#[test]
fn no_token_is_requested_whose_probe_would_leave_the_lists_of_hosts() {
    let elsewhere = "https://author.example/me";
    for mut world in [new(), new_login()] {
        probe_at(elsewhere, &mut world.spec);
        world.settle();
        assert_eq!((world.costs.exchanges, world.probed.len()), (0, 0));
        assert_eq!(
            world.refreshed_is(),
            (ConditionStatus::False, "HostNotAllowed".into())
        );
        let message = world.message(Refreshed);
        let start = "the token must not be sent to author.example, the host of spec.probe.url: correct it, or ask the owner of Secret";
        assert!(message.starts_with(start), "{message}");
    }
    let mut world = new();
    world.edit_source(|source| source.token_hosts = None);
    probe_at(elsewhere, &mut world.spec);
    world.allowed_hosts = Some(HostList::parse("api.cubewire.com").unwrap());
    world.settle();
    assert_eq!((world.costs.exchanges, world.probed.len()), (0, 0));
    let message = world.message(Refreshed);
    assert!(
        message.ends_with("add that host to --allowed-token-hosts"),
        "{message}"
    );
}

#[test]
fn a_live_token_stays_ready_while_the_host_of_its_probe_is_not_allowed() {
    let mut world = ready();
    world.edit_spec(|spec| probe_at("https://author.example/me", spec));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.pass(seconds(3_300));
    assert_eq!((world.costs.exchanges, world.probed.len()), (0, 0));
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "HostNotAllowed".into())
    );
}

#[test]
fn a_token_that_is_held_back_is_not_sent_to_a_host_that_is_not_allowed_any_more() {
    let mut world = super::refused();
    let probes = world.probed.len();
    world.edit_source(|source| source.token_hosts = Some("login.example.com".into()));
    world.pass(seconds(60));
    assert_eq!(world.probed.len(), probes);
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, "HostNotAllowed".into())
    );
}

/// The status and the events after three probes with this outcome.
fn seen(
    response: Result<u16, crate::oauth::error::NetworkError>,
) -> (CubeCredentialStatus, Vec<Event>) {
    let mut world = ready();
    world.hides_network_detail = true;
    world.api_otherwise = response;
    world.wake();
    world.wake();
    world.wake();
    (world.status.clone(), world.events.clone())
}

#[test]
fn where_the_network_is_hidden_a_status_of_an_inner_service_looks_like_none() {
    let expected = seen(Err(unreachable()));
    for status in [200, 301, 401, 403, 404, 429, 500] {
        assert_eq!(seen(Ok(status)) == expected, status != 200, "{status}");
    }
    let message = &expected.0.condition(Refreshed).unwrap().message;
    assert!(
        message.starts_with(
            "probe host api.cubewire.com did not accept the new token (details are in the operator's log): check spec.probe.url"
        ),
        "{message}"
    );
}

#[test]
fn what_is_expected_is_accepted_and_nothing_else() {
    let mut world = new();
    world.spec.probe.as_mut().unwrap().expect_status = vec![404];
    world.api.push_back(Ok(200));
    world.api_otherwise = Ok(404);
    World::settle(&mut world);
    assert_eq!(world.token(), None);
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
}

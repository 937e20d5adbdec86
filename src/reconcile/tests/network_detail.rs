//! The author of a `CubeCredential` reads its status. With `--hide-network-detail`, that shows nothing of the operator's network.

use super::{provider::refuse, world::World};
use crate::{
    api::{ConditionType, CubeCredentialStatus, Reason},
    reconcile::{Event, EventKind},
};

/// The status that an author sees after three attempts of an exchange that fails with this reason.
fn seen(reason: Reason, hides: bool) -> (CubeCredentialStatus, Vec<Event>) {
    let mut world = World::new();
    world.hides_network_detail = hides;
    world.provider.otherwise = refuse(reason);
    world.settle();
    if world.wake_at.is_some() {
        world.wake();
        world.wake();
    }
    let events = world.events.clone();
    (world.status.clone(), events)
}

#[test]
fn a_status_does_not_tell_a_closed_port_from_a_firewall_or_another_server() {
    let (expected, events) = seen(Reason::Unreachable, true);
    let refreshed = expected.condition(ConditionType::Refreshed).unwrap();
    assert_eq!(refreshed.reason, "Unreachable");
    let start = "token endpoint api.cubewire.com could not be reached or did not respond as one (details are in the operator's \
                 log)";
    assert!(
        refreshed.message.starts_with(start),
        "{}",
        refreshed.message
    );
    assert_eq!(events[0].kind, EventKind::Failed(Reason::Unreachable));
    for reason in [
        Reason::HostNotAllowed,
        Reason::TLSUntrusted,
        Reason::NoResponse,
        Reason::Unavailable,
        Reason::Redirected,
        Reason::EndpointNotFound,
        Reason::Forbidden,
        Reason::UnexpectedResponse,
        Reason::UnsupportedTokenType,
        Reason::ResponseTooLarge,
    ] {
        let (status, seen_events) = seen(reason, true);
        assert_eq!(status, expected, "{reason}");
        assert_eq!(seen_events, events, "{reason}");
        assert_ne!(seen(reason, false).0, expected, "{reason}");
    }
}

#[test]
fn what_a_token_endpoint_itself_says_is_shown() {
    for reason in [
        Reason::InvalidClient,
        Reason::InvalidScope,
        Reason::InvalidRequest,
        Reason::RateLimited,
        Reason::CABundleInvalid,
    ] {
        assert_eq!(seen(reason, true), seen(reason, false), "{reason}");
    }
}

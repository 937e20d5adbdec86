//! The content of a lease, computed without effects.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{api::coordination::v1::LeaseSpec, apimachinery::pkg::apis::meta::v1::MicroTime};

/// A standby takes a lease only if it has not changed for this many seconds, whatever duration it states.
const LEASE_SECONDS: u16 = 15;

/// The lease as `me` may write it now; `None`: another process has it.
///
/// `unchanged_for` is the time since this version was first observed, by our own clock: the times in a lease come from other
/// clocks.
pub(super) fn claim(
    found: &LeaseSpec,
    unchanged_for: Duration,
    me: &str,
    now: Timestamp,
) -> Option<LeaseSpec> {
    let transitions = found.lease_transitions;
    let taken = LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: Some(LEASE_SECONDS.into()),
        acquire_time: Some(MicroTime(now)),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(transitions.map_or(0, |count| count.saturating_add(1))),
        ..LeaseSpec::default()
    };
    match holder(found) {
        Some(holder) if holder == me => Some(LeaseSpec {
            acquire_time: found.acquire_time.clone(),
            lease_transitions: Some(transitions.unwrap_or(0)),
            ..taken
        }),
        Some(_) if unchanged_for < Duration::from_secs(LEASE_SECONDS.into()) => None,
        _ => Some(taken),
    }
}

/// The lease without its holder, so that no process has to wait for its end.
pub(super) fn given_back(held: &LeaseSpec, now: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: None,
        renew_time: Some(MicroTime(now)),
        ..held.clone()
    }
}

/// How often the lease has changed hands.
pub(super) fn transitions(lease: &LeaseSpec) -> i32 {
    lease.lease_transitions.unwrap_or_default()
}

/// The process, or the group, that has the lease.
pub(super) fn holder(lease: &LeaseSpec) -> Option<&str> {
    lease
        .holder_identity
        .as_deref()
        .filter(|holder| !holder.is_empty())
}

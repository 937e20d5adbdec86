//! What is to be written into a lease. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{api::coordination::v1::LeaseSpec, apimachinery::pkg::apis::meta::v1::MicroTime};

/// Who stands by leaves a lease alone for so many seconds after it last changed, whatever duration stands in it.
const LEASE_SECONDS: u16 = 15;

/// The lease as `me` may write it now; `None`: it is somebody else's.
///
/// `unchanged_for` is how long it has been as it was found, by one's own clock: the times in a lease are those of others' clocks.
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

/// The lease as its holder leaves it: nobody has to wait for its end.
pub(super) fn given_back(held: &LeaseSpec, now: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: None,
        renew_time: Some(MicroTime(now)),
        ..held.clone()
    }
}

/// Who has it.
pub(super) fn holder(lease: &LeaseSpec) -> Option<&str> {
    lease
        .holder_identity
        .as_deref()
        .filter(|holder| !holder.is_empty())
}

//! What is to be written into a lease. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{api::coordination::v1::LeaseSpec, apimachinery::pkg::apis::meta::v1::MicroTime};

/// How long others leave a lease alone that its holder does not renew, in seconds.
pub(super) const LEASE_SECONDS: i32 = 15;

/// The lease as `me` may write it now; `None`: it is somebody else's.
///
/// `unchanged_for` is how long it has been as it was found, by one's own clock: the times in a lease are those of others' clocks.
pub(super) fn claim(
    found: Option<&LeaseSpec>,
    unchanged_for: Duration,
    me: &str,
    now: Timestamp,
) -> Option<LeaseSpec> {
    let taken = LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: Some(LEASE_SECONDS),
        acquire_time: Some(MicroTime(now)),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(0),
        ..LeaseSpec::default()
    };
    let Some(found) = found else {
        return Some(taken);
    };
    let transitions = found.lease_transitions.unwrap_or(0);
    match holder(found) {
        Some(holder) if holder == me => Some(LeaseSpec {
            acquire_time: found.acquire_time.clone(),
            lease_transitions: Some(transitions),
            ..taken
        }),
        Some(_) if unchanged_for < lasts(found) => None,
        _ => Some(LeaseSpec {
            lease_transitions: Some(transitions.saturating_add(1)),
            ..taken
        }),
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

fn lasts(lease: &LeaseSpec) -> Duration {
    let seconds = lease.lease_duration_seconds.unwrap_or(LEASE_SECONDS);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

//! The messages about probes.

use jiff::Timestamp;

use super::retrying;
use crate::{
    oauth::{error::ProbeError, probe::Probe},
    reconcile::{
        memory::ProbeFailure,
        settings::Settings,
        status::{message::valid, remedy},
    },
};

/// The API did not accept the new token.
pub(in crate::reconcile::status) fn probe_failed(
    failure: &ProbeFailure,
    settings: &Settings,
) -> String {
    let cause = cause(&failure.error, &failure.probe);
    let remedy = remedy::of_probe(&failure.error, settings);
    format!("{cause}: {remedy}{}", retrying(failure.next_attempt))
}

fn cause(error: &ProbeError, probe: &Probe) -> String {
    match error {
        ProbeError::Status(status) => {
            let host = probe.endpoint.authority();
            format!("{host} responded {status} to the new token")
        }
        ProbeError::Network(_) => error.to_string(),
    }
}

/// The published token was not accepted, and there is no other.
pub(in crate::reconcile::status) fn unproven(target: &str, expires_at: Timestamp) -> String {
    let valid = valid(target, expires_at);
    format!("{valid}, but unproven: its API has not accepted it yet; see condition Refreshed")
}

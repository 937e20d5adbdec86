//! The messages of credentials that wait.

use jiff::Timestamp;

use crate::reconcile::{pace::Wait, settings::Settings};

/// `too_late`: there is a token, and it does not last until then.
pub(in crate::reconcile::status) fn waits_for_permit(
    at: Timestamp,
    wait: Wait,
    too_late: bool,
    settings: &Settings,
) -> String {
    let waits = match wait {
        Wait::Pause => "the provider asked this client to pause".into(),
        Wait::Turn => {
            "CubeCredentials with this client id and token URL share one rate limit".into()
        }
        Wait::Interval => format!(
            "CubeCredentials with this client id share {}",
            settings.interval_field()
        ),
        Wait::Refused => {
            "the provider rejected this client secret, so others with this client id go first"
                .into()
        }
        Wait::Edits => {
            "this CubeCredential has just requested tokens as several clients".to_owned()
        }
    };
    let remedy = match (too_late, wait) {
        (false, _) => "no action needed",
        (true, Wait::Pause) => "the token expires before; find the other users of this client id",
        (true, Wait::Turn | Wait::Refused) => {
            "the token expires before; share one CubeCredential or use another client id"
        }
        (true, Wait::Interval) => {
            "the token expires before; share one CubeCredential, or shorten it if the provider allows more"
        }
        (true, Wait::Edits) => "the token expires before; find out what edits its spec",
    };
    format!("waiting until {at}: {waits}: {remedy}")
}

/// It names no time and no number: they would change the status again and again.
pub(in crate::reconcile::status) fn waits_for_slot() -> &'static str {
    "waiting for other token requests of this namespace to finish: no action needed; if this persists, look for token endpoints \
     in this namespace that do not respond"
}

pub(in crate::reconcile::status) fn waits_for_target() -> &'static str {
    "no token is requested while condition Ready reports a conflict"
}

pub(in crate::reconcile::status) fn claimed(until: Timestamp) -> String {
    format!(
        "waiting until {until}: the operator is already sending the refresh token: no action needed"
    )
}

//! The delay after an error of the API server.

use std::time::Duration;

use crate::kubernetes::error::ApiError;

/// The first and the longest delay after a conflict. The objects mostly only have to be read again, but a conflict that repeats
/// itself may last until a person acts.
const CONFLICT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(300));
/// The first and the longest delay after any other error: an outage should be over soon.
const OTHER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The delay after so many errors in a row: it doubles with each of them.
pub(super) fn delay_after(error: &ApiError, errors: u32) -> Duration {
    let (first, longest) = if error.is_conflict() { CONFLICT } else { OTHER };
    let doublings = errors.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_error::{ApiStatus, Cause, StatusClass};

    fn delays(class: StatusClass) -> Vec<u128> {
        let status = ApiStatus {
            message: String::new(),
            code: 409,
            reason: String::new(),
            class,
            namespace_is_gone: false,
        };
        let error = ApiError {
            verb: "write",
            object: "Secret".into(),
            cause: Cause::Status(status),
        };
        let errors = [1, 2, 3, 6, 7, 8, 11, 12, u32::MAX];
        let delays = errors.map(|errors| delay_after(&error, errors).as_millis());
        delays.to_vec()
    }

    #[test]
    fn a_conflict_that_repeats_itself_is_retried_every_five_minutes_in_the_end() {
        assert_eq!(
            delays(StatusClass::Conflict),
            [
                200, 400, 800, 6400, 12_800, 25_600, 204_800, 300_000, 300_000
            ]
        );
    }

    #[test]
    fn any_other_error_is_retried_every_minute_in_the_end() {
        assert_eq!(
            delays(StatusClass::Other),
            [
                1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000, 60_000, 60_000
            ]
        );
    }
}

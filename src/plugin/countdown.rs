//! Times as people read them at a glance.

use jiff::Timestamp;

/// A number of seconds in at most two units.
pub(super) fn short(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..120 => format!("{seconds}s"),
        seconds @ ..600 => format!("{}m{}s", seconds / 60, seconds % 60),
        seconds @ ..3600 => format!("{}m", seconds / 60),
        seconds @ ..172_800 => format!("{}h{}m", seconds / 3600, seconds / 60 % 60),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The time until then, or since.
pub(super) fn countdown(at: Timestamp, now: Timestamp) -> String {
    match at.duration_since(now).as_secs() {
        left @ 1.. => short(left),
        past => format!("{} ago", short(-past)),
    }
}

/// The time since then.
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    short(now.duration_since(at).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_countdown_has_two_units_at_most_and_says_what_is_past() {
        for (seconds, shown) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m0s"),
            (599, "9m59s"),
            (600, "10m"),
            (3599, "59m"),
            (3600, "1h0m"),
            (172_799, "47h59m"),
            (172_800, "2d"),
        ] {
            assert_eq!(short(seconds), shown);
        }
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(countdown(at(75), now), "75s");
        assert_eq!(countdown(at(-75), now), "75s ago");
        assert_eq!(countdown(at(0), now), "0s ago");
    }
}

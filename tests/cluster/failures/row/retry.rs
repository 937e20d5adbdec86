//! When an exchange is tried again without a change.

use cube_operator::api::Reason;

/// When an exchange is tried again without a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::failures) enum Retry {
    Slow,
    /// A refusal while a live token of the same inputs remains.
    Early,
    Fast,
    /// After seconds, as the provider may have received the refresh.
    OutcomeUnknown,
    /// After so many seconds, and up to ten more.
    Pause(i64),
    /// The same in a pause of so many seconds: at first, only 30 s of it are waited for.
    PauseWithinGrace(i64),
    /// A rejected refresh token is sent once more.
    Confirm,
    /// A Secret that could not be written is written again. Only the message shows the time.
    Write,
    /// Its API is asked again about a token that is published. Only the message shows the time.
    Probe,
    /// A Secret is read every minute; nothing is sent.
    Recheck,
    /// When the pause of another row's client is over.
    Turn,
    Never,
    /// A token with this lifetime is replaced before it expires.
    Refresh(i64),
}

impl Retry {
    /// The least and the most seconds between the `failures`-th failure in a row and the next attempt.
    pub(in crate::failures) fn bounds(self, failures: i32) -> Option<(i64, i64)> {
        let nth = |delays: &[i64]| {
            let index = usize::try_from(failures.max(1) - 1).unwrap();
            let delay = delays[index.min(delays.len() - 1)];
            Some((delay * 4 / 5, delay * 6 / 5))
        };
        match self {
            Self::Slow => nth(&[300, 900, 1800, 3600]),
            Self::Fast | Self::Early => nth(&[10, 20, 40, 80, 160, 300]),
            Self::OutcomeUnknown => nth(&[2, 8, 20, 60, 120, 300]),
            // Without Retry-After each pause is twice as long as the one before.
            Self::Pause(60) => {
                let pause = [60, 120, 240, 480, 900][usize::try_from(failures - 1).unwrap()];
                Some((pause, pause + 10))
            }
            Self::PauseWithinGrace(_) if failures <= 3 => Some((30, 30)),
            Self::Pause(seconds) | Self::PauseWithinGrace(seconds) => Some((seconds, seconds + 10)),
            Self::Confirm => Some((300, 300)),
            Self::Write => Some((8, 360)),
            Self::Probe | Self::Recheck | Self::Turn | Self::Never | Self::Refresh(_) => None,
        }
    }

    /// Seconds until the next attempt on the page.
    pub(in crate::failures) fn usual(self) -> i64 {
        match (self, self.bounds(1)) {
            (Self::Pause(seconds), _) => seconds,
            (Self::Write, _) => 10,
            (Self::Turn, _) => 300,
            (_, Some((least, most))) => (least + most + 1) / 2,
            // The delay of the failure before it.
            (_, None) => 2,
        }
    }

    /// Whether the next attempt may come while the test runs.
    pub(in crate::failures) fn is_soon(self) -> bool {
        match self {
            Self::Fast | Self::Early | Self::OutcomeUnknown | Self::PauseWithinGrace(_) => true,
            Self::Pause(seconds) => seconds < 240,
            _ => false,
        }
    }

    /// The third condition of a failure without a live token. `details` is the condition with the details.
    pub(in crate::failures) fn progress(self, reason: Reason, details: &str) -> String {
        let (condition, message) = match self {
            Self::Fast
            | Self::OutcomeUnknown
            | Self::Pause(_)
            | Self::PauseWithinGrace(_)
            | Self::Write => ("Reconciling", "the operator is retrying: see"),
            Self::Turn => ("Reconciling", "the operator is waiting: see"),
            Self::Never | Self::Recheck => ("Stalled", "someone must act: see"),
            _ => (
                "Stalled",
                "someone must act: a retry is planned, but unlikely to help without a change; see",
            ),
        };
        format!("{condition}=True {reason}: {message} condition {details}")
    }
}

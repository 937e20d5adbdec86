//! The metrics as a response. Responses that are sent at the same time share one text: with thousands of `CubeCredentials` it has
//! megabytes, and a slow client holds it for seconds.

use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use axum::{
    body::Bytes,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use crate::{lock::lock, metrics::Metrics};

/// Prometheus refuses a response without a format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The oldest text that a further response may share.
const OLDEST: Duration = Duration::from_secs(1);

/// The metrics, and the text that was made of them last, as long as a response holds it.
pub(super) struct Scrapes {
    metrics: Metrics,
    last: Mutex<Option<Made>>,
}

struct Made {
    text: Weak<str>,
    at: Instant,
}

/// A text that lives as long as the responses that hold it.
struct Shared(Arc<str>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Scrapes {
    pub(super) fn of(metrics: Metrics) -> Self {
        let last = Mutex::default();
        Self { metrics, last }
    }

    pub(super) fn response(&self) -> Response {
        let text = Bytes::from_owner(Shared(self.text()));
        ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "no response shows metrics that are older than a second"
    )]
    fn text(&self) -> Arc<str> {
        let now = Instant::now();
        let mut last = lock(&self.last);
        let recent = last.as_ref().filter(|made| now < made.at + OLDEST);
        if let Some(text) = recent.and_then(|made| made.text.upgrade()) {
            return text;
        }
        let text: Arc<str> = self.metrics.text().into();
        let made = Arc::downgrade(&text);
        *last = Some(Made {
            text: made,
            at: now,
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn responses_of_one_moment_share_a_text_and_no_text_outlives_its_responses() {
        let scrapes = Scrapes::of(Metrics::default());
        let first = scrapes.text();
        assert!(Arc::ptr_eq(&first, &scrapes.text()));
        tokio::time::advance(OLDEST).await;
        let second = scrapes.text();
        assert!(!Arc::ptr_eq(&first, &second));
        let weak = Arc::downgrade(&second);
        drop(second);
        assert_eq!(weak.strong_count(), 0);
    }
}

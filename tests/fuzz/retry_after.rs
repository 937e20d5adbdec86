//! The pause that a response asks for: lines `retry-after: …` and `date: …`, as in its head.

use cube_operator::oauth::response::{Body, Response, read};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{input::Input, request::request};

/// The shape that HTTP wants dates to have (RFC 9110, section 5.6.7).
const DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

pub(crate) fn holds(bytes: &[u8]) {
    let input = Input::read(bytes);
    let (header, date) = (input.get("retry-after"), input.get("date"));
    for status in [408, 429, 500, 503] {
        let pause = pause(status, header, date);
        assert!(
            pause.is_none_or(|pause| (10..=3600).contains(&pause)),
            "{pause:?}"
        );
        match expected(header, date) {
            Expected::Pause(seconds) => assert_eq!(pause, seconds, "{header:?} {date:?}"),
            Expected::Anything => {}
        }
    }
    for status in [200, 302, 400, 401, 403, 404] {
        assert_eq!(pause(status, header, date), None, "{status}");
    }
    if let (Some(until), Some(at)) = (header.and_then(http_date), date.and_then(http_date)) {
        the_zero_of_the_providers_clock_does_not_matter(until, at);
    }
}

enum Expected {
    Pause(Option<i64>),
    Anything,
}

/// What the standard says; dates in the older shapes, or nearly in the right one, may count or not.
fn expected(header: Option<&str>, date: Option<&str>) -> Expected {
    let Some(header) = header.map(str::trim).filter(|header| !header.is_empty()) else {
        return Expected::Pause(None);
    };
    if header.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = header.parse().unwrap_or(i64::MAX);
        return Expected::Pause(Some(seconds.clamp(10, 3600)));
    }
    let Some(date) = date else {
        return Expected::Pause(None);
    };
    match (http_date(header), http_date(date)) {
        (Some(until), Some(at)) => {
            let seconds = until.as_second() - at.as_second();
            Expected::Pause(Some(seconds.clamp(10, 3600)))
        }
        _ => Expected::Anything,
    }
}

fn the_zero_of_the_providers_clock_does_not_matter(until: Timestamp, at: Timestamp) {
    let later = |time: Timestamp| {
        let shifted = time
            .checked_add(SignedDuration::from_hours(24 * 365))
            .ok()?;
        Some(shifted.strftime(DATE).to_string())
    };
    let (Some(later_until), Some(later_at)) = (later(until), later(at)) else {
        return;
    };
    let now = (
        until.strftime(DATE).to_string(),
        at.strftime(DATE).to_string(),
    );
    assert_eq!(
        pause(429, Some(&now.0), Some(&now.1)),
        pause(429, Some(&later_until), Some(&later_at)),
    );
}

fn http_date(text: &str) -> Option<Timestamp> {
    let exact = text.trim();
    let time = DateTime::strptime(DATE, exact).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (time.strftime(DATE).to_string() == exact).then_some(time)
}

fn pause(status: u16, header: Option<&str>, date: Option<&str>) -> Option<i64> {
    let answer = Response {
        status,
        retry_after: header.map(Into::into),
        date: date.map(Into::into),
        body: Body::Complete(vec![]),
        ..Response::default()
    };
    let request = request(None, None);
    let parsed = read(&answer, request.context(), request.scrubber());
    parsed.outcome.err()?.pause().map(|pause| pause.as_secs())
}

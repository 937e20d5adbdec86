//! The ends that a response states: of the access token, and of the login behind a refresh token. They are read leniently, and
//! no unit is ever guessed.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// The longest lifetime that is accepted.
pub const LONGEST_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 365 * 10);

/// Times in epoch seconds before 2020 or after 2100 have another meaning or unit: a number of seconds, milliseconds.
const PLAUSIBLE: std::ops::Range<f64> = 1_577_836_800.0..4_102_444_800.0;

/// The end of an access token as a time. The provider's clock decides when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedEnd {
    /// In the field of this name.
    Field(&'static str, Timestamp),
    /// In the access token itself, which is a JWT. Nobody has verified it.
    Jwt(Timestamp),
}

/// The end of a login: its refresh token is useless then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginEnd {
    /// The response does not state it.
    #[default]
    Unstated,
    /// The login does not end by itself: Keycloak states 0 for offline tokens.
    Never,
    /// After this time, counted from the moment the request was sent.
    In(SignedDuration),
    /// At this time.
    At(Timestamp),
}

impl StatedEnd {
    /// The time.
    #[must_use]
    pub fn time(self) -> Timestamp {
        match self {
            Self::Field(_, at) | Self::Jwt(at) => at,
        }
    }
}

/// The lifetime of the access token in seconds. A few servers state milliseconds in `expires_in`, and seconds in a field that names
/// the unit. Others state the end in it: no token lives for fifty years.
pub(super) fn lifetime(fields: &Map<String, Value>) -> Option<SignedDuration> {
    ["expires_in_sec", "expires_in"]
        .into_iter()
        .filter_map(|name| seconds(fields.get(name)?))
        .filter(|seconds| !PLAUSIBLE.contains(seconds))
        .find_map(positive)
}

/// The end of the access token where its lifetime is not stated.
pub(super) fn stated_end(fields: &Map<String, Value>, access_token: &str) -> Option<StatedEnd> {
    let field = |name| Some(StatedEnd::Field(name, time(fields.get(name)?)?));
    ["expires_at", "expires_on", "expires_in"]
        .into_iter()
        .find_map(field)
        .or_else(|| jwt_end(access_token).map(StatedEnd::Jwt))
}

/// The end of the login.
pub(super) fn login_end(fields: &Map<String, Value>) -> LoginEnd {
    for name in ["refresh_expires_in", "refresh_token_expires_in"] {
        match fields.get(name).and_then(seconds) {
            Some(0.0) => return LoginEnd::Never,
            Some(stated) => {
                if let Some(stated) = positive(stated) {
                    return LoginEnd::In(stated);
                }
            }
            None => {}
        }
    }
    ["refresh_token_expires_at", "refresh_expires_at"]
        .into_iter()
        .find_map(|name| time(fields.get(name)?))
        .map_or(LoginEnd::Unstated, LoginEnd::At)
}

/// A number, or one in a string as some servers write it.
fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if is_decimal(text.trim()) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Digits, and a fraction: `f64` reads words such as `inf` too.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

/// Whole seconds, at least one and at most ten years.
fn positive(seconds: f64) -> Option<SignedDuration> {
    if seconds < 1.0 {
        return None;
    }
    let seconds = seconds.min(LONGEST_LIFETIME.as_secs_f64());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to ten years above; a fraction is dropped"
    )]
    Some(SignedDuration::from_secs(seconds as i64))
}

/// An RFC 3339 time, or plausible epoch seconds.
fn time(value: &Value) -> Option<Timestamp> {
    if let Some(stated) = seconds(value) {
        return epoch(stated);
    }
    let stated = Timestamp::from_str(value.as_str()?).ok()?;
    epoch(stated.as_duration().as_secs_f64())
}

fn epoch(seconds: f64) -> Option<Timestamp> {
    if !PLAUSIBLE.contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "its range was checked")]
    Timestamp::from_second(seconds as i64).ok()
}

/// The `exp` of a JWT (RFC 7519, section 4.1.4). An opaque token has none.
fn jwt_end(token: &str) -> Option<Timestamp> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&claims).ok()?;
    match claims.get("exp")? {
        Value::Number(number) => epoch(number.as_f64()?),
        _ => None,
    }
}

//! The rows of the table: what real servers respond, what is refused before anything is sent, what keeps a token from its Secret,
//! and what is no failure at all.

mod connection;
mod issued;
mod preflight;
mod refused;
mod waiting;
pub(super) mod writes;

use cube_operator::api::Grant;
use jiff::{SignedDuration, Timestamp};

use super::row::Row;
use crate::scripted::Reply;

const CLIENT: Grant = Grant::ClientCredentials;
const REFRESH: Grant = Grant::RefreshToken;

use super::row::OUTCOME_UNKNOWN as UNKNOWN;

fn json(status: u16, body: &str) -> Reply {
    Reply::json(status, body)
}

fn error(status: u16, code: &str) -> Reply {
    Reply::json(status, format!(r#"{{"error":"{code}"}}"#))
}

fn page(status: u16) -> Reply {
    Reply::json(status, "<html>Sign in</html>").header("Content-Type", "text/html")
}

fn to(status: u16, location: &str) -> Reply {
    Reply::json(status, "").header("Location", location)
}

fn limited(retry_after: &str) -> Reply {
    Reply::json(429, "").header("Retry-After", retry_after)
}

/// A token with these further fields.
fn token(fields: &str) -> Reply {
    Reply::json(200, format!(r#"{{"access_token":"a-token",{fields}}}"#))
}

/// The HTTP date of a clock that is so many seconds ahead.
fn http_date(seconds: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_secs(seconds);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// All rows, those that take 30 s first.
pub(super) fn rows() -> Vec<Row> {
    [
        connection::silent(),
        issued::unproven(),
        issued::issued(),
        issued::unusable(),
        connection::broken(),
        refused::codes(),
        refused::statuses(),
        refused::pauses(),
        connection::unreachable(),
        preflight::rows(),
        writes::targets(),
        writes::states(),
        writes::of_others(),
        waiting::resting(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

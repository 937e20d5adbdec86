//! A response of a token endpoint: lines `status: 200`, `content-type: …`, `location: …`, `retry-after: …`, `date: …`, `body: cut` or
//! `body: too large`; an empty line; the body. What must hold is protocol.md in other words.

mod shown;

use std::collections::HashMap;

use cube_operator::{
    api::{Grant, Reason},
    oauth::response::{
        Body, Cut, Issued, LONGEST_LIFETIME, LoginEnd, Parsed, Response, ResponseError, read,
    },
};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    input::Input,
    request::{SCOPES, request},
    secrets::{REDACTED, is_fit_to_be_shown, is_token},
};

const CLIENT_SECRET: &str = "hunter2/+ &é~";
const REFRESH_TOKEN: &str = "r1/next~token=";

pub(crate) fn holds(bytes: &[u8]) {
    let answer = answer(&Input::read(bytes));
    for grant in [Grant::ClientCredentials, Grant::RefreshToken] {
        let reading = meaning(&answer, grant);
        match &reading.outcome {
            Ok(issued) => a_token_is_fit_to_be_published(&answer, issued),
            Err(refusal) => a_refusal_follows_the_table(&answer, refusal, grant),
        }
        no_successor_is_dropped(&answer, grant, reading.refresh_token.as_ref());
        shown::nothing_shows_a_secret(&answer, &reading, grant);
        neither_labels_nor_marks_matter(&answer, grant);
        a_form_means_what_its_json_means(&answer, grant);
    }
}

fn answer(input: &Input) -> Response {
    let header = |name| input.get(name).map(Into::into);
    let body = match input.get("body") {
        Some("too large") => Body::TooLarge,
        Some("cut") => Body::Cut {
            bytes: input.rest.clone(),
            cause: Cut::ConnectionEnded,
        },
        _ => Body::Complete(input.rest.clone()),
    };
    Response {
        status: input
            .get("status")
            .and_then(|status| status.parse().ok())
            .unwrap_or(200),
        content_type: header("content-type"),
        location: header("location"),
        retry_after: header("retry-after"),
        date: header("date"),
        body,
    }
}

fn meaning(answer: &Response, grant: Grant) -> Parsed {
    let refresh_token = (grant == Grant::RefreshToken).then_some(REFRESH_TOKEN);
    let request = request(Some(CLIENT_SECRET), refresh_token);
    read(answer, request.context(), request.scrubber())
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn a_token_is_fit_to_be_published(answer: &Response, issued: &Issued) {
    assert!(is_success(answer.status), "{}", answer.status);
    assert!(is_token(issued.access_token.expose_secret()));
    let lifetimes = SignedDuration::from_secs(1)..=LONGEST_LIFETIME;
    assert!(
        issued
            .lifetime
            .is_none_or(|lifetime| lifetimes.contains(&lifetime)),
        "{issued:?}"
    );
    assert!(
        issued
            .lifetime
            .is_none_or(|lifetime| lifetime.subsec_nanos() == 0)
    );
    assert!(issued.lifetime.is_none() || issued.stated_end.is_none());
    if let LoginEnd::In(lifetime) = issued.login_end {
        assert!(lifetimes.contains(&lifetime), "{issued:?}");
    }
    assert!(issued.scopes.len() <= 64);
    for scope in &issued.scopes {
        assert!(
            is_fit_to_be_shown(scope) && !scope.is_empty() && !scope.contains(' '),
            "{scope:?}"
        );
    }
    let Some(fields) = json(answer) else {
        return;
    };
    assert_eq!(
        text(&fields, "access_token"),
        Some(issued.access_token.expose_secret())
    );
    let bearer = match &fields.get("token_type") {
        None | Some(Value::Null) => true,
        Some(Value::String(kind)) => {
            let types = [
                "bearer",
                "bearertoken",
                "bot",
                "user",
                "applicationaccesstoken",
                "useraccesstoken",
            ];
            kind.is_empty() || types.contains(&letters(kind).as_str())
        }
        Some(_) => false,
    };
    assert!(bearer, "{:?}", fields.get("token_type"));
    if let Some(seconds) = fields.get("expires_in").and_then(Value::as_i64)
        && !fields.contains_key("expires_in_sec")
    {
        let believed =
            (seconds > 0).then(|| SignedDuration::from_secs(seconds).min(LONGEST_LIFETIME));
        assert_eq!(issued.lifetime, believed);
    }
    if let Some(granted) = text(&fields, "scope")
        .filter(|scope| scope.bytes().all(|b| b.is_ascii_lowercase() || b == b' '))
    {
        let lacks = |scope: &&str| !granted.split(' ').any(|granted| granted == *scope);
        let named = !granted.trim().is_empty();
        let echo = issued.scopes.iter().any(|scope| scope.contains(REDACTED));
        assert!(
            echo || issued.narrowed == (named && SCOPES.iter().any(lacks)),
            "{granted}"
        );
    }
}

fn a_refusal_follows_the_table(answer: &Response, refusal: &ResponseError, grant: Grant) {
    use Reason::{
        EndpointNotFound, Forbidden, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope,
        InvalidTarget, NoResponse, RateLimited, Redirected, RefreshTokenRejected, ResponseTooLarge,
        UnauthorizedClient, Unavailable, UnexpectedResponse, UnsupportedGrantType,
        UnsupportedTokenType,
    };
    let coded = [
        InvalidClient,
        match grant {
            Grant::ClientCredentials
            | Grant::AccountCredentials
            | Grant::JwtBearer
            | Grant::TokenExchange => InvalidGrant,
            Grant::RefreshToken => RefreshTokenRejected,
        },
        UnauthorizedClient,
        UnsupportedGrantType,
        InvalidScope,
        InvalidTarget,
        InvalidRequest,
        RateLimited,
        Unavailable,
    ];
    let large = matches!(answer.body, Body::TooLarge);
    let status = answer.status;
    let reason = refusal.reason();
    let possible = match status {
        300..400 => reason == Redirected,
        _ if large => reason == ResponseTooLarge,
        200..300 => {
            let cut = matches!(answer.body, Body::Cut { .. }) && json(answer).is_none();
            coded.contains(&reason)
                || [UnexpectedResponse, UnsupportedTokenType].contains(&reason)
                || cut && reason == NoResponse
        }
        500..600 => reason == Unavailable,
        429 => reason == RateLimited,
        403 => coded.contains(&reason) || reason == Forbidden,
        404 | 405 | 410 => coded.contains(&reason) || reason == EndpointNotFound,
        408 => coded.contains(&reason) || reason == Unavailable,
        400..500 => coded.contains(&reason),
        _ => coded.contains(&reason) || reason == UnexpectedResponse,
    };
    assert!(possible, "{status} is {reason}");
    let pauses = [RateLimited, Unavailable].contains(&reason);
    assert!(
        refusal
            .pause()
            .is_none_or(|pause| pauses && (10..=3600).contains(&pause.as_secs()))
    );
    let known = match status {
        500.. => Some(true),
        // The code of a failing server.
        _ if reason == Unavailable => None,
        200..300 if reason == UnexpectedResponse => json(answer).and_then(|fields| {
            // A successor says that the old token was consumed.
            let successor = text(&fields, "refresh_token").is_some_and(is_token);
            (grant == Grant::ClientCredentials || !successor).then(|| !states_error(&fields))
        }),
        200..300 => Some(!coded.contains(&reason)),
        _ => Some(false),
    };
    assert!(
        known.is_none_or(|doubt| refusal.outcome_unknown() == doubt),
        "{status} {reason}"
    );
}

/// Whether an object states an error in one of the usual fields, however their names are written.
fn states_error(fields: &Map<String, Value>) -> bool {
    let same = |name: &str| {
        let mut fields = fields.iter();
        let found = fields.find(|(other, _)| letters(other) == letters(name));
        found.map(|(_, value)| value)
    };
    let stated = |name: &str| match fields.get(name).or_else(|| same(name)) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::Bool(true)) => true,
    };
    let names = ["error", "error_code", "error_type", "errors"];
    names.into_iter().any(stated) || text(fields, "error_description").is_some()
}

fn letters(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// "Any 2xx with a usable refresh token stores it, even if the rest is unusable."
fn no_successor_is_dropped(answer: &Response, grant: Grant, found: Option<&SecretString>) {
    let found = found.map(ExposeSecret::expose_secret);
    if grant != Grant::RefreshToken || !is_success(answer.status) {
        return assert_eq!(found, None, "nothing was consumed");
    }
    assert!(found.is_none_or(is_token));
    if let Some(fields) = json(answer) {
        let usable = text(&fields, "refresh_token").filter(|token| is_token(token));
        assert_eq!(found, usable);
    }
    // Whatever the other fields hold: one more is added, and found.
    let Body::Complete(body) = &answer.body else {
        return;
    };
    if let Some(added) = with_field(body, r#""refresh_token":"r2.known""#) {
        let answer = Response {
            body: Body::Complete(added),
            ..answer.clone()
        };
        let reading = meaning(&answer, grant);
        let found = reading
            .refresh_token
            .as_ref()
            .map(ExposeSecret::expose_secret);
        assert_eq!(found, Some("r2.known"));
        if let Err(refusal) = reading.outcome {
            // Not RefreshTokenRejected, say, of which the successor would not be stored.
            let told = [Reason::UnexpectedResponse, Reason::UnsupportedTokenType];
            assert!(
                told.contains(&refusal.reason()) && refusal.outcome_unknown(),
                "{refusal:?}"
            );
        }
    }
}

/// The object of a body with one more field at its end, if it is an object by the grammar of JSON, whatever its bytes are.
fn with_field(body: &[u8], field: &str) -> Option<Vec<u8>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    #[expect(clippy::zero_sized_map_values, reason = "only the grammar matters")]
    let fields: HashMap<String, IgnoredAny> =
        serde_json::from_str(&String::from_utf8_lossy(body)).ok()?;
    let comma = if fields.is_empty() { "" } else { "," };
    let open = body.trim_ascii_end().strip_suffix(b"}")?;
    Some([open, comma.as_bytes(), field.as_bytes(), b"}"].concat())
}

/// Servers label JSON as all kinds of things, and some put a byte order mark before it.
fn neither_labels_nor_marks_matter(answer: &Response, grant: Grant) {
    let (Body::Complete(body), Some(_)) = (&answer.body, json(answer)) else {
        return;
    };
    if body.starts_with(b"\xef\xbb\xbf") {
        return;
    }
    let labelled = Response {
        content_type: Some("text/html".into()),
        body: Body::Complete([b"\xef\xbb\xbf", body.as_slice()].concat()),
        ..answer.clone()
    };
    same(&meaning(answer, grant), &meaning(&labelled, grant));
}

/// If all of its fields are texts.
fn a_form_means_what_its_json_means(answer: &Response, grant: Grant) {
    let (Body::Complete(_), Some(fields)) = (&answer.body, json(answer)) else {
        return;
    };
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &fields {
        let Value::String(value) = value else {
            return;
        };
        form.append_pair(name, value);
    }
    let form = Response {
        content_type: Some("application/x-www-form-urlencoded; charset=utf-8".into()),
        body: Body::Complete(form.finish().into_bytes()),
        ..answer.clone()
    };
    same(&meaning(answer, grant), &meaning(&form, grant));
}

fn same(one: &Parsed, other: &Parsed) {
    let text = |token: &SecretString| token.expose_secret().to_owned();
    let issued = |reading: &Parsed| {
        let issued = reading.outcome.as_ref().ok()?;
        Some((
            text(&issued.access_token),
            issued.lifetime,
            issued.stated_end,
            issued.login_end,
            issued.scopes.clone(),
            issued.narrowed,
        ))
    };
    assert_eq!(issued(one), issued(other));
    assert_eq!(one.outcome.as_ref().err(), other.outcome.as_ref().err());
    assert_eq!(
        one.refresh_token.as_ref().map(text),
        other.refresh_token.as_ref().map(text)
    );
    assert_eq!(one.date, other.date);
}

/// The fields of a JSON body.
fn json(answer: &Response) -> Option<Map<String, Value>> {
    let (Body::Complete(body) | Body::Cut { bytes: body, .. }) = &answer.body else {
        return None;
    };
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).ok()
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

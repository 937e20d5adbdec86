//! The meaning of a token endpoint's response. Reading it is pure and total, and no other code interprets responses.
//!
//! The order of decision is fixed: redirect, size, a usable token, 5xx, 429, the `error` code, the status. The content decides,
//! not its Content-Type, because real servers label JSON as text/html.

mod body;
mod classify;
mod codes;
mod ends;
mod error;
mod fields;
mod oauth_error;
mod parse;
mod redirect;
mod retry_after;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::grant::Grant;

pub(super) use body::LARGEST_BODY;
pub use body::{Body, Cut};
pub use classify::read;
pub use ends::{LONGEST_LIFETIME, LoginEnd, StatedEnd};
pub use error::ResponseError;
pub use fields::{ID_TOKEN, Scalar};
pub(crate) use parse::is_token;

/// A response as it was received.
#[derive(Clone, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type header.
    pub content_type: Option<String>,
    /// The Location header.
    pub location: Option<String>,
    /// The Retry-After header.
    pub retry_after: Option<String>,
    /// The Date header.
    pub date: Option<String>,
    /// The body after decompression.
    pub body: Body,
}

impl Response {
    /// Returns whether the server has done what was asked for.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns whether an HTTP server in front of the token endpoint refused the request with a page: nginx does so where the
    /// handshake went on without a client certificate.
    pub(super) fn is_refusing_page(&self) -> bool {
        let bytes = match &self.body {
            Body::Complete(bytes) | Body::Cut { bytes, .. } => bytes.as_slice(),
            Body::TooLarge => &[],
        };
        self.status == 400 && bytes.trim_ascii_start().starts_with(b"<")
    }
}

/// Headers are left out: the other side writes them, and may put a secret into a Location, for example.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The parts of a request that its response is compared with.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// The scopes that the token should have.
    pub scopes: &'a [String],
}

/// The meaning of a response.
#[derive(Debug)]
pub struct Parsed {
    /// The token, or why there is none.
    pub outcome: Result<Issued, ResponseError>,
    /// The successor of the refresh token that was sent. It is present even where the rest of a 2xx is unusable, because the
    /// provider has consumed the old one.
    pub refresh_token: Option<SecretString>,
    /// The provider's clock, from the Date header.
    pub date: Option<Timestamp>,
}

/// A token that can be published.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Printable ASCII (RFC 6749, appendix A.12).
    pub access_token: SecretString,
    /// Counted from the moment the request was sent. `None`: the response states no usable lifetime.
    pub lifetime: Option<SignedDuration>,
    /// The end as a time, where the lifetime is not stated.
    pub stated_end: Option<StatedEnd>,
    /// The end of the login, with a grant that has a refresh token.
    pub login_end: LoginEnd,
    /// The scopes that were granted; empty where the response does not say.
    pub scopes: Vec<String>,
    /// True if the response grants fewer scopes than the token should have.
    pub narrowed: bool,
    /// The other fields of the response, for templates.
    pub fields: BTreeMap<String, Scalar>,
}

#[cfg(test)]
mod tests;

//! One exchange with a token endpoint (RFC 6749): the request, the network, and what each answer means.
//!
//! [`client`] is the only user of the HTTP client. [`answer`] is pure: it turns status, headers and body into an
//! [`Issued`](response::Issued) token or a [`TokenError`](response::TokenError), and is the whole of what this program knows about
//! providers.

pub mod authorities;
pub mod certificate;
pub mod client;
pub mod endpoint;
pub mod probe;
pub mod request;
pub mod response;
pub mod scrub;

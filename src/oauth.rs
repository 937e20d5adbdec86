//! One exchange with a token endpoint (RFC 6749): the request, the network, and what each answer means.
//!
//! [`client`] is the only user of the HTTP client. [`answer`] is pure: it turns status, headers and body into an
//! [`Issued`](answer::Issued) token or a [`Refusal`](answer::Refusal), and is the whole of what this program knows about
//! providers.

pub mod answer;
pub mod authorities;
pub mod certificate;
pub mod client;
pub mod endpoint;
pub mod probe;
pub mod request;
pub mod scrub;

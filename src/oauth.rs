//! One exchange with a token endpoint (RFC 6749): the request, the network, and what each response means.
//!
//! - `authorization`: the sign-in of a person with a browser, which brings the first refresh token.
//! - [`request`]: the request, made of an [`endpoint`], an [`authentication`] and a [`grant`].
//! - [`private_key`], [`assertion`]: the key of a client that has no shared secret, and what it signs.
//! - [`client`]: sends it. This is the only user of the HTTP client.
//! - [`response`]: the meaning of a response. It is pure, and holds everything that this program knows about providers.
//! - [`probe`]: the request that tries a new token at its API.
//! - `discovery`: where the endpoints of a server are, for provider objects and `kubectl cube create`.
//! - [`diagnose`]: the way to an endpoint step by step, for `cube-operator check`.
//!
//! An exchange ends with an [`Issued`](response::Issued) token or a [`TokenError`](error::TokenError).

pub mod assertion;
pub mod authentication;
#[cfg(feature = "plugin")]
pub(crate) mod authorization;
pub mod ca_bundle;
mod certificate;
pub mod client;
pub mod diagnose;
pub mod discovery;
pub mod endpoint;
pub mod error;
#[doc(hidden)]
pub mod example;
pub mod grant;
pub mod hosts;
pub mod identity;
pub mod networks;
pub(crate) mod parameters;
pub mod private_key;
pub mod probe;
pub mod request;
pub mod response;

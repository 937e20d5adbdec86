//! The way to a token endpoint step by step, for people who ask where it ends. An exchange takes all steps at once.
//!
//! Only `cube-operator check` uses this. No step sends a secret.

mod certificate;
mod handshake;
pub mod probe;
mod route;

pub use handshake::Handshake;
pub(crate) use route::proxy;

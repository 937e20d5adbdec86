//! The way to a token endpoint step by step, for people who look for the step that fails. An exchange takes all steps in one.
//!
//! Only `cube-operator check` uses this. No step sends a secret.

mod handshake;
pub mod probe;
mod route;

pub use handshake::Handshake;

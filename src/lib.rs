//! cube-operator keeps OAuth access tokens fresh in Kubernetes Secrets.
//!
//! ```text
//!         ┌────────────── one reconcile ──────────────┐
//!  watch ─▶ observe ─▶ Observed ─▶ decide ─▶ Plan ─▶ perform ─▶ Outcome ─┐
//!         │   (reads)      ▲        (pure)            (one effect)        │
//!         │                └───────────── absorb (pure) ◀─────────────────┘
//!         └─▶ nothing left to do: sleep until Plan.wake_at
//! ```
//!
//! - [`api`]: the `CubeCredential`: spec, status, conditions, reasons.
//! - [`reconcile`]: the pure decision. No cluster, network, clock or chance below it.
//! - [`oauth`]: one exchange with a token endpoint, and what each response means.
//! - `providers`: the known providers, one row each.
//! - [`scrub`]: what may be shown of a text that may repeat a secret.
//! - [`cluster`]: the cluster as it is seen (caches and an index), and the two thin hands: read and perform.
//! - [`api_error`]: what can go wrong with the API server, as data.
//! - [`kubernetes`]: the API client under it, which knows nothing of tokens.
//! - [`controller`]: watches and the loop above.
//! - [`leader`]: which of several processes begins exchanges.
//! - [`consumers`]: which pods use a token, and whether they see a refresh. Pure.
//! - [`command`], [`cli`], [`server`], [`metrics`], [`telemetry`]: the program around it.
//!
//! A secret is a type ([`secrecy::SecretString`]): its Debug output is redacted, and it is exposed only where it is used. No
//! token, secret, Authorization header or response body is ever in a log, event, status, metric or error.

// The model in `tests/model` is compiled into the library's tests too.
#[cfg(test)]
extern crate self as cube_operator;

pub mod api;
pub mod api_error;
pub mod cli;
mod clock;
pub mod cluster;
pub mod command;
pub mod consumers;
pub mod controller;
pub mod kubernetes;
pub mod leader;
mod lock;
pub mod metrics;
pub mod oauth;
mod providers;
pub mod reconcile;
pub mod scrub;
pub mod server;
pub mod telemetry;

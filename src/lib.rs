//! cube-operator keeps OAuth access tokens fresh in Kubernetes Secrets.
//!
//! ```text
//!          ┌──────────────────── one reconcile: a Session ─────────────────────┐
//!  watch ─▶ observe ─▶ Observed ─▶ decide ─▶ Next ─▶ read or perform ─▶ Outcome ─┐
//!          │ (caches)      ▲       (pure)            (one at a time)              │
//!          │               └──────────────── absorb (pure) ◀──────────────────────┘
//!          └─▶ nothing left to do: sleep until wake_at
//! ```
//!
//! The modules from top to bottom; each one imports only from those below it, and `tests/purity` proves that.
//!
//! The program:
//!
//! - [`command`]: `run`, `check` and `crd`.
//! - `plugin`: `kubectl cube`, the program of the people who write `CubeCredential` objects and sign in.
//! - `server`, `telemetry`: `/livez`, `/readyz` and `/metrics`; the log.
//! - [`cli`]: the flags.
//! - `controller`: the watches, and the driver of each session.
//! - [`leader`]: leader election, and shards. Only the leader begins exchanges.
//!
//! The effects:
//!
//! - [`cluster`]: observe, read and perform: the caches and the index of the watches, and every write.
//! - [`kubernetes`]: a client of the API server that knows nothing of tokens.
//! - [`metrics`]: the metrics for Prometheus.
//! - [`oauth::diagnose`]: the way to a token endpoint step by step, for `check`.
//! - [`oauth::client`]: sends token requests. The core knows its errors, which are data.
//!
//! The core, which is pure: it has no cluster, network, clock or randomness.
//!
//! - [`reconcile`]: decide and absorb, and the session around them.
//! - [`consumers`]: the pods that use a token, and whether they see a refresh.
//! - [`template`]: the templates of a target.
//! - [`oauth`]: the request to a token endpoint, and the meaning of each response.
//! - `providers`: the known providers, one row each.
//! - [`api`]: the `CubeCredential`: spec, status, conditions and reasons.
//! - [`scrub`]: removes secrets from texts of other programs.
//! - [`api_error`]: the errors of the API server, as data.
//! - [`object`]: the name and the uid of an object, as every table keeps them.
//!
//! Below all of them: `clock`, the one clock; `lock`, locking without `unwrap`; `process`, the first steps of each program; and
//! `last_error`, which keeps repeated errors out of the log.
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
mod controller;
pub mod kubernetes;
mod last_error;
pub mod leader;
mod lock;
pub mod metrics;
pub mod oauth;
pub mod object;
#[cfg(feature = "plugin")]
pub mod plugin;
pub mod process;
mod providers;
pub mod reconcile;
pub mod scrub;
#[cfg(unix)]
mod server;
mod telemetry;
pub mod template;

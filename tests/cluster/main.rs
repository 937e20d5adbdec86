//! The operator as a process, under the chart's own ServiceAccount, against a real API server and a real token server.
//!
//! One control plane and one token server serve the whole run; each test has a namespace, an OAuth client and an operator of
//! its own. `tests/tools/build.sh` makes the tools; without them every test fails and says so.

#![expect(clippy::unwrap_used, reason = "a test fails where its world does")]
#![expect(
    clippy::disallowed_methods,
    reason = "the program under test runs by the real clock"
)]
#![expect(clippy::similar_names, reason = "a place is on a plane")]

mod environment;
mod login;
mod operator;
mod place;
#[path = "../provider/scripted.rs"]
mod scripted;
#[path = "../provider/tunnel.rs"]
mod tunnel;

mod admission;
mod backup;
mod budget;
mod certificates;
mod check;
mod check_faults;
mod commands;
mod consent;
mod consumers;
mod cost;
mod ends;
mod examples;
mod failures;
mod gitops;
mod inner_network;
mod jwt_bearer;
mod keys;
mod leader;
mod lifecycle;
mod lists;
mod local_checks;
mod memory;
mod monitoring;
mod neighbours;
mod operations;
mod ownership;
mod plugin_create;
mod plugin_status;
mod policies;
mod port;
mod probe;
mod providers;
mod refresh_pods;
mod refresh_token;
mod refresh_token_crashes;
mod repair;
mod restart_workloads;
mod scopes;
mod secrecy;
mod service_account_tokens;
mod shards;
mod sign_in;
mod templates;
mod token;
mod token_exchange;

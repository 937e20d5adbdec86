//! The pure core against a small world in memory: the very loop of the controller, with a clock that the test moves.
//!
//! Every secret in the world starts with `S3CRET`, and the world refuses to continue once one shows where none may.

mod driver;
#[path = "../../tests/model/model.rs"]
#[expect(dead_code, reason = "the simulation uses the rest")]
mod model;
mod without_state;
mod world;

use model::{cluster, provider};

mod adoption;
mod allocations;
mod budget;
mod certificates;
mod conditions;
mod consent;
mod consumers;
mod copies;
mod ends;
mod events;
mod failures;
mod footprint;
mod forged;
mod grants;
mod held;
mod histories;
mod inputs;
mod inspecting;
mod jwt_bearer;
mod keys;
mod lifecycle;
mod logins;
mod moved;
mod network_detail;
mod probes;
mod providers;
mod publishing;
mod refusals;
mod requests;
mod restarts;
mod rotation;
mod secrets;
mod service_accounts;
mod slots;
mod subject_accounts;
mod tampering;
mod templates;
mod token_exchange;

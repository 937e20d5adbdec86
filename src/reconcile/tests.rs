//! The pure core against a small world in memory: the very loop of the controller, with a clock that the test moves.
//!
//! Every secret in the world starts with `S3CRET`, and the world refuses to go on once one shows where none may.

mod budget;
mod cluster;
mod provider;
mod turn;
mod world;

mod adoption;
mod conditions;
mod failures;
mod histories;
mod inputs;
mod inspecting;
mod lifecycle;
mod publishing;
mod refusals;
mod requests;
mod restarts;
mod rotation;
mod tampering;
mod told;

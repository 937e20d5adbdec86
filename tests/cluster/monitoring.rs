//! What the operator exports, and what the chart's alerts and dashboard make of it: a real Prometheus, and a `CubeCredential` in
//! every state that they are about.

mod alerts;
mod exported;
mod language;
mod links;
mod prometheus;
mod rendered;
mod states;

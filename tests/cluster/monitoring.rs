//! The operator's metrics, and the chart's alerts and dashboard that use them: a real Prometheus, and a `CubeCredential` in
//! every state that they show.

mod alerts;
mod exported;
mod language;
mod links;
mod prometheus;
mod rendered;
mod states;

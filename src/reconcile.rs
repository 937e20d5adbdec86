//! The pure part of a reconcile: from what was observed to the one next step, and from its outcome to a new observation.
//!
//! ```text
//!  observe ─▶ Observed ─▶ decide ─▶ Plan ─▶ look or act ─▶ Outcome ─▶ absorb ─▶ Observed ─▶ …
//! ```
//!
//! Nothing below this module knows a cluster, a network, a clock, a runtime or chance: time is a parameter and jitter comes
//! from the uid, so every history can be replayed. `tests/purity.rs` proves it from the sources.

mod absorb;
mod attempt;
mod budget;
mod case;
mod checks;
mod decide;
mod finding;
mod inputs;
mod inspect;
mod local;
mod message;
mod news;
mod observed;
mod plan;
mod report;
mod rotation;
mod schedule;
mod settings;
mod state;
mod target;
mod verdict;

pub use absorb::absorb;
pub use attempt::{Failure, Memory};
pub use budget::{Budget, ClientKey, Permit, PermitRequest};
pub use decide::decide;
pub use finding::{Finding, Mark};
pub(crate) use inputs::hex;
pub use inspect::{Inspection, conditions};
pub use message::remedy;
pub use news::{Event, EventKind};
pub use observed::{
    CaBundle, ClientValues, Content, Credential, Observed, Source, SourceSecret, SourceValue,
    Target, TargetSecret,
};
pub use plan::{
    Action, DesiredSecret, DesiredState, Next, Outcome, Plan, Read, SecretVersion, TargetReading,
    Unstored, WriteError,
};
pub use settings::{CaBundleSource, Settings};
pub use state::{STATE_TYPE, State, StateReading, StateSecret, Stored, is_state_of};
pub use target::fingerprint;

#[cfg(test)]
mod tests;

//! The pure part of a reconcile: from what was observed to the one next step, and from its outcome to a new observation.
//!
//! ```text
//!  observe ─▶ Observed ─▶ decide ─▶ Plan ─▶ read or act ─▶ Outcome ─▶ absorb ─▶ Observed ─▶ …
//! ```
//!
//! Nothing below this module knows a cluster, a network, a clock, a runtime or chance. Time is a parameter and jitter comes from
//! the uid, so every history can be replayed. `tests/purity.rs` proves it from the sources.
//!
//! Three topics, four aspects; a file has the same name in each:
//!
//! | | what it is | what is remembered | what is decided | what comes back |
//! |---|---|---|---|---|
//! | the target | `target` `token` | `memory/target` | `checks/target` | `absorb/target` |
//! | the exchange | `source` `pace` | `memory/exchange` | `checks/exchange` | `absorb/exchange` |
//! | the login | `login` | `memory/login` | `checks/login` | `absorb/login` |
//!
//! `case` has the questions that the checks ask, `status` every word that people read.

mod absorb;
mod case;
mod checks;
mod credential;
mod decide;
mod digest;
mod event;
mod finding;
mod inspect;
mod login;
mod memory;
mod observed;
mod pace;
mod plan;
mod session;
mod settings;
mod source;
mod status;
mod target;
mod time;
mod token;
mod write_error;

pub use absorb::absorb;
pub use credential::Credential;
pub use decide::decide;
pub(crate) use digest::hex;
pub use event::{Event, EventKind};
pub(crate) use finding::{
    CheckError, ConsumerFact, DefinitionError, FailedStep, Finding, InstallationFact, Mark,
    NetworkFact, NetworkStep, Right, ScopeFact, SpecFact,
};
pub(crate) use inspect::{Inspection, conditions};
pub use login::{STATE_TYPE, State, StateReading, StateSecret, StoredLogin, is_state_of};
pub use memory::Memory;
pub use observed::Observed;
pub use pace::{Budget, ClientKey, Permit, PermitRequest};
pub use plan::{
    Action, Attempt, DesiredState, Exchange, Exchanged, Next, NotStored, Outcome, Plan, Read,
};
pub use session::{Effects, Ended, Session, Turn};
pub use settings::{Settings, SettingsError};
pub use source::{
    CaBundle, CaBundleFlaw, ClientValues, Flaw, Rejection, SecretRole, Source, SourceSecret,
    SourceValue,
};
pub use target::{Content, DesiredSecret, SecretVersion, Target, TargetReading, TargetSecret};
pub use token::{TokenInputs, fingerprint};
pub use write_error::WriteError;

#[cfg(test)]
mod tests;

//! The pure part of a reconcile: from what was observed to the one next step, and from its outcome to a new observation.
//!
//! ```text
//!  observe ─▶ Observed ─▶ decide ─▶ Next ─▶ read or act ─▶ Outcome ─▶ absorb ─▶ Observed ─▶ …
//! ```
//!
//! Nothing below this module knows a cluster, a network, a clock, a runtime or chance. Time is a parameter and jitter comes from
//! the uid, so every history can be replayed. `tests/purity` proves it from the sources.
//!
//! Five topics, five aspects; the last four aspects have a file of the topic's name each:
//!
//! | | what it is | what is remembered | what is derived | what is decided | what comes back |
//! |---|---|---|---|---|---|
//! | the target | `target` `token` | `memory/target` | `case/target` | `checks/target` | `absorb/target` |
//! | the exchange | `source` `pace` | `memory/exchange` | `case/exchange` | `checks/exchange` | `absorb/exchange` |
//! | the login | `login` | `memory/login` | `case/login` | `checks/login` | `absorb/login` |
//! | the consumers | `consumers` | `memory/consumers` | `case/consumers` | `checks/consumers` | `absorb/consumers` |
//! | the probe | `oauth::probe` | `memory/probe` | `case/probe` | `checks/probe` | `absorb/probe` |
//!
//! - `case/client` and `case/consent` are facts of the exchange too: who makes it, and the hosts and CAs that are allowed.
//! - `case/template` is about the target: what the templates make of a token. `record` keeps the token that they may hide.
//! - `provider` is the provider object that a spec names. It is part of the settings, which hold the spec that follows from both.
//! - `settings`, `credential`, `observed`, `plan`, `secret`, `write_error`: the types around them; `digest` and `time` compute.
//! - `decide` runs the checks, `session` is the loop around it, and `memory/reporting` collects what a report must say.
//! - `status` joins the causes, which the errors of each topic state, with their remedies: the sentences of conditions, events
//!   (`event`) and the findings of `check` (`finding`, `inspect`).

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
mod provider;
mod record;
mod secret;
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
#[cfg(feature = "plugin")]
pub(crate) use finding::{Fact, StatusFact};
pub(crate) use inspect::{Inspection, conditions};
#[cfg(feature = "plugin")]
pub(crate) use inspect::{LOGIN_ENDS_SOON, SignIn};
pub use login::{
    OtherState, STATE_TYPE, State, StateReading, StateSecret, StoredLogin, TokenUse, is_state_of,
};
pub use memory::Memory;
pub use observed::Observed;
pub(crate) use pace::deadline;
pub use pace::{
    Budget, ClientKey, Lesson, Lookup, LookupBudget, LookupStep, Permit, PermitRequest, Slot, Wait,
};
pub use plan::{
    Action, Attempt, DesiredState, Exchange, Exchanged, Next, NotStored, Outcome, PodsRefresh,
    Probed, Probing, Read, WorkloadReading, WorkloadRestart,
};
pub use provider::{
    BundleFlaw, ConfigMapPlace, Discovery, DiscoveryFailure, FoundProvider, ProviderFlaw,
    ProviderObject, ReadBundle, ReadProvider, ShownProvider, Unusable, read_bundle,
};
pub use record::{DesiredRecord, RECORD_TYPE, Record, RecordSecret};
pub use secret::{DesiredSecret, SecretVersion};
pub use session::{Effects, Ended, Session, Turn};
pub use settings::{AccountToken, GrantSettings, Rendering, Settings, SettingsError, SubjectToken};
pub use source::{
    AccountRole, AccountTokens, CaBundle, CaBundleFlaw, ClientKeyFlaw, ClientValues, Flaw, Holder,
    NoAccountToken, Outer, Rejection, SecretRole, Source, SourceCertificate, SourceKey,
    SourceSecret, SourceValue, Withheld,
};
#[cfg(feature = "plugin")]
pub(crate) use source::{consent::ca_entry, preflight::flaw};
pub(crate) use status::{Named, provider_status};
pub use target::{Content, PodList, Target, TargetReading, TargetSecret};
pub use token::{TokenInputs, fingerprint};
pub use write_error::WriteError;

#[cfg(test)]
mod tests;

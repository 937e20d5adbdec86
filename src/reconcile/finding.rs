//! The findings of `cube-operator check`, as data. `status` makes the sentences.

mod consumers;
mod credential;
mod installation;
mod network;

pub(crate) use consumers::ConsumerFact;
pub(crate) use credential::{InputFact, KeyFact, LoginFact, SpecFact, StatusFact, TargetFact};
pub(crate) use installation::{CheckError, DefinitionError, InstallationFact, Right, ScopeFact};
pub(crate) use network::{FailedStep, NetworkFact, NetworkStep};

use crate::api_error::ApiError;

/// One line of the report.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) mark: Mark,
    pub(crate) fact: Fact,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As it should be.
    Good,
    /// It works, but deserves attention.
    Notice,
    /// A fault.
    Bad,
    /// Not checked, or not there and not needed.
    Unseen,
}

/// The facts, by topic.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    Installation(InstallationFact),
    Scope(ScopeFact),
    Status(StatusFact),
    Spec(SpecFact),
    Input(InputFact),
    Login(LoginFact),
    Network(NetworkFact),
    Target(TargetFact),
    Consumer(ConsumerFact),
    /// Something could not be read, so nothing is known of it.
    Unreadable(ApiError),
}

impl Finding {
    pub(crate) fn good(fact: impl Into<Fact>) -> Self {
        Self::new(Mark::Good, fact)
    }

    pub(crate) fn notice(fact: impl Into<Fact>) -> Self {
        Self::new(Mark::Notice, fact)
    }

    pub(crate) fn bad(fact: impl Into<Fact>) -> Self {
        Self::new(Mark::Bad, fact)
    }

    pub(crate) fn unseen(fact: impl Into<Fact>) -> Self {
        Self::new(Mark::Unseen, fact)
    }

    fn new(mark: Mark, fact: impl Into<Fact>) -> Self {
        let fact = fact.into();
        Self { mark, fact }
    }
}

/// Each topic becomes the fact of the same name.
macro_rules! facts {
    ($($topic:ident: $data:ty,)*) => {
        $(impl From<$data> for Fact {
            fn from(data: $data) -> Self {
                Self::$topic(data)
            }
        })*
    };
}

facts! {
    Installation: InstallationFact,
    Scope: ScopeFact,
    Status: StatusFact,
    Spec: SpecFact,
    Input: InputFact,
    Login: LoginFact,
    Network: NetworkFact,
    Target: TargetFact,
    Consumer: ConsumerFact,
    Unreadable: ApiError,
}

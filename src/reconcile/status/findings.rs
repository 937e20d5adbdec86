//! The sentences of `cube-operator check`. A fault ends with its remedy.
//!
//! Where a finding repeats what a condition says, the sentence comes from the same function.

mod consumers;
mod credential;
mod installation;
mod network;

use std::fmt::{self, Display, Formatter};

use crate::{
    api_error::ApiError,
    reconcile::finding::{Fact, Finding},
};

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.fact {
            Fact::Installation(fact) => fact.fmt(f),
            Fact::Scope(fact) => fact.fmt(f),
            Fact::Status(fact) => fact.fmt(f),
            Fact::Spec(fact) => fact.fmt(f),
            Fact::Input(fact) => fact.fmt(f),
            Fact::Login(fact) => fact.fmt(f),
            Fact::Network(fact) => fact.fmt(f),
            Fact::Target(fact) => fact.fmt(f),
            Fact::Consumer(fact) => fact.fmt(f),
            Fact::Unreadable(error) => f.write_str(&unreadable(error)),
        }
    }
}

fn unreadable(error: &ApiError) -> String {
    if error.is_refusal() {
        format!("{error}: ask for that right, or run this in the operator's pod")
    } else {
        format!("{error}: run the check again")
    }
}

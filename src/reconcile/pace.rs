//! Times and limits: the next refresh, the next attempt after a failure, and the request budget of each client.

pub(super) mod budget;
pub(super) mod delays;
pub(super) mod lookup;
pub(super) mod retry;
pub(super) mod schedule;
pub(super) mod slot;

pub use budget::{Budget, ClientKey, Lesson, Permit, PermitRequest, Wait};
pub use lookup::{Lookup, LookupBudget, LookupStep};
pub use slot::Slot;
pub(crate) use slot::deadline;

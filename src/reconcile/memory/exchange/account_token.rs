//! The memory of a token of a ServiceAccount that was not issued.

use jiff::Timestamp;

use crate::reconcile::{
    memory::Versions,
    pace::{delays, schedule::is_early},
    source::{AccountRole, NoAccountToken},
    time::later,
};

/// A refusal of the API server to issue a token. While it holds, no reconcile asks again, nor takes a permit that others need.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct AccountTokenMemory(Option<Box<NotIssued>>);

#[derive(Clone, Debug)]
struct NotIssued {
    role: AccountRole,
    why: NoAccountToken,
    of: Versions,
    at: Timestamp,
}

impl AccountTokenMemory {
    /// Which token was not issued with these inputs a moment ago, why, and when to ask again.
    pub(in crate::reconcile) fn refused(
        &self,
        versions: &Versions,
        now: Timestamp,
    ) -> Option<(AccountRole, &NoAccountToken, Timestamp)> {
        let refused = self
            .0
            .as_deref()
            .filter(|refused| refused.of == *versions)?;
        let again = later(refused.at, delays::UNWATCHED);
        is_early(again, now).then_some((refused.role, &refused.why, again))
    }

    pub(in crate::reconcile) fn refuse(
        &mut self,
        role: AccountRole,
        why: NoAccountToken,
        of: Versions,
        at: Timestamp,
    ) {
        self.0 = Some(Box::new(NotIssued { role, why, of, at }));
    }

    /// A token was issued.
    pub(in crate::reconcile) fn forget(&mut self) {
        self.0 = None;
    }
}

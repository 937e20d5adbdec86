//! The memory of a token of a ServiceAccount that was not issued.

use jiff::Timestamp;

use crate::reconcile::{memory::Versions, pace::delays, source::NoAssertion, time::later};

/// A refusal of the API server to issue a token. While it holds, no reconcile asks again, nor takes a permit that others need.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct AssertionMemory(Option<Box<NotIssued>>);

#[derive(Clone, Debug)]
struct NotIssued {
    why: NoAssertion,
    of: Versions,
    at: Timestamp,
}

impl AssertionMemory {
    /// Why no token was issued with these inputs a moment ago, and when to ask again.
    pub(in crate::reconcile) fn refused(
        &self,
        versions: &Versions,
        now: Timestamp,
    ) -> Option<(&NoAssertion, Timestamp)> {
        let refused = self
            .0
            .as_deref()
            .filter(|refused| refused.of == *versions)?;
        let again = later(refused.at, delays::UNWATCHED);
        (now < again).then_some((&refused.why, again))
    }

    pub(in crate::reconcile) fn refuse(&mut self, why: NoAssertion, of: Versions, at: Timestamp) {
        self.0 = Some(Box::new(NotIssued { why, of, at }));
    }

    /// A token was issued.
    pub(in crate::reconcile) fn forget(&mut self) {
        self.0 = None;
    }
}

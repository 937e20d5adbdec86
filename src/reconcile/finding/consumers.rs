//! The pods that use a token.

use crate::consumers::Consumer;

#[derive(Clone, Debug)]
pub(crate) enum ConsumerFact {
    Found(Consumer),
    /// It never sees a refresh, and is restarted after each.
    Restarted(Consumer),
    NoPod {
        secret: String,
    },
    /// A flag says that pods are not checked.
    NotChecked,
}

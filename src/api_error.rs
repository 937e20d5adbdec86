//! What can go wrong with the API server, as data: the verb, the object and the cause. `Display` makes the sentence.
//!
//! Pure, so that the decision can carry it: `kubernetes::error` makes it of kube's errors.

use thiserror::Error;

/// A call to the API server that did not work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cannot {verb} {object}: {cause}")]
pub struct ApiError {
    /// `write`, say.
    pub verb: &'static str,
    /// Kind, namespace and name of the object.
    pub object: String,
    /// Why it did not work.
    pub cause: Cause,
}

/// Why a call did not work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Cause {
    /// No response within so many seconds. Whether a write happened is not known.
    #[error("the API server did not answer within {0} s")]
    Timeout(u64),
    /// The API server's own status.
    #[error(transparent)]
    Status(ApiStatus),
    /// A response that is not JSON of the expected kind. Its text is left out: it may be a Secret.
    #[error("the API server's answer cannot be read")]
    Unreadable,
    /// Every error below, from the outermost to the innermost.
    #[error("{0}")]
    Connection(String),
}

/// A failure as the API server states it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message} ({code} {reason})")]
pub struct ApiStatus {
    /// The API server's words, which name the quota or the policy.
    pub message: String,
    /// The HTTP status.
    pub code: u16,
    /// `Forbidden`, say.
    pub reason: String,
    /// What follows from it.
    pub class: StatusClass,
    /// The namespace of the object does not exist, or is being deleted.
    pub namespace_is_gone: bool,
}

/// What follows from a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusClass {
    /// The object changed under our hands, so that it has to be read again.
    Conflict,
    /// The object or its kind does not exist.
    NotFound,
    /// The API server understood and refused: the same request does not help by itself.
    Refused,
    /// Anything else, such as an overloaded API server.
    Other,
}

impl ApiError {
    /// Whether the object changed under our hands, so that it only has to be read again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.class() == Some(StatusClass::Conflict)
    }

    /// Whether the API server understood and refused: the same request does not help by itself.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.class() == Some(StatusClass::Refused)
    }

    /// Whether the object or its kind does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.class() == Some(StatusClass::NotFound)
    }

    /// Whether the namespace of the object is gone or being deleted: nothing can be written there any more.
    #[must_use]
    pub fn is_namespace_gone(&self) -> bool {
        self.status().is_some_and(|status| status.namespace_is_gone)
    }

    /// The same with another text of the API server.
    pub(crate) fn map_message(mut self, map: impl FnOnce(&str) -> String) -> Self {
        if let Cause::Status(status) = &mut self.cause {
            status.message = map(&status.message);
        }
        self
    }

    fn class(&self) -> Option<StatusClass> {
        self.status().map(|status| status.class)
    }

    fn status(&self) -> Option<&ApiStatus> {
        match &self.cause {
            Cause::Status(status) => Some(status),
            Cause::Timeout(_) | Cause::Unreadable | Cause::Connection(_) => None,
        }
    }
}

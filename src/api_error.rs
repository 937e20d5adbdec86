//! Errors of the API server as data: the verb, the object and the cause. `Display` makes the sentence.
//!
//! The types are pure, so that the decision can carry them; `kubernetes::error` makes them from kube's errors.

use thiserror::Error;

/// A failed call to the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("failed to {verb} {object}: {cause}")]
pub struct ApiError {
    /// The verb of the call, such as `write`.
    pub verb: &'static str,
    /// Kind, namespace and name of the object.
    pub object: String,
    /// The cause of the failure.
    pub cause: Cause,
}

#[cfg(test)]
impl ApiError {
    /// A call that the API server forbids with this message.
    pub(crate) fn forbidden(verb: &'static str, object: &str, message: &str) -> Self {
        Self {
            verb,
            object: object.into(),
            cause: Cause::Status(ApiStatus {
                message: message.into(),
                code: 403,
                reason: "Forbidden".into(),
                class: StatusClass::Refused,
                namespace_is_gone: false,
            }),
        }
    }
}

/// The cause of a failed call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Cause {
    /// There was no response within this many seconds. A write may have happened.
    #[error("the API server did not respond within {0} s")]
    Timeout(u64),
    /// The API server's own status.
    #[error(transparent)]
    Status(ApiStatus),
    /// A response that is not JSON of the expected kind. Its text is left out: it may be a Secret.
    #[error("the API server's response cannot be read")]
    Unreadable,
    /// The response has more than so many MiB, which are not read.
    #[error("the API server's response is larger than {0} MiB")]
    TooLarge(u64),
    /// The connection failed. The text has all causes, from the outermost to the innermost.
    #[error("{0}")]
    Connection(String),
}

/// A failure as the API server states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{message} ({code} {reason})")]
pub struct ApiStatus {
    /// The API server's own message, which names the quota or the policy.
    pub message: String,
    /// The HTTP status.
    pub code: u16,
    /// The API server's reason, such as `Forbidden`.
    pub reason: String,
    /// The consequence for the caller.
    pub class: StatusClass,
    /// True if the namespace of the object does not exist, or is being deleted.
    pub namespace_is_gone: bool,
}

/// The consequence of a status for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusClass {
    /// Another write came first: the object has to be read again.
    Conflict,
    /// The object or its kind does not exist.
    NotFound,
    /// The API server refused the request: repeating it does not help by itself.
    Refused,
    /// The object has been made immutable: only without it can another one be written.
    Immutable,
    /// Anything else, such as an overloaded API server.
    Other,
}

impl ApiError {
    /// Returns whether an object was not read because of its size, which concerns no other object.
    #[must_use]
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self.cause, Cause::TooLarge(_))
    }

    /// Returns whether another write came first, so that the object only has to be read again.
    #[must_use]
    pub(crate) fn is_conflict(&self) -> bool {
        self.class() == Some(StatusClass::Conflict)
    }

    /// Returns whether the API server refused the request, so that repeating it does not help by itself.
    #[must_use]
    pub(crate) fn is_refusal(&self) -> bool {
        let class = self.class();
        class == Some(StatusClass::Refused) || self.is_immutable()
    }
    /// Returns whether the object or its kind does not exist.
    #[must_use]
    pub(crate) fn is_not_found(&self) -> bool {
        self.class() == Some(StatusClass::NotFound)
    }

    /// Returns whether the namespace of the object is gone or being deleted: nothing can be written there any more.
    #[must_use]
    pub(crate) fn is_namespace_gone(&self) -> bool {
        self.status().is_some_and(|status| status.namespace_is_gone)
    }

    /// Returns whether the object has been made immutable.
    #[must_use]
    pub(crate) fn is_immutable(&self) -> bool {
        self.class() == Some(StatusClass::Immutable)
    }

    /// The same error with the API server's message replaced.
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
            Cause::Timeout(_) | Cause::Unreadable | Cause::TooLarge(_) | Cause::Connection(_) => {
                None
            }
        }
    }
}

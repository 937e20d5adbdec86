//! What can go wrong with the API server, naming the verb and the object.

use std::{future::Future, time::Duration};

use kube::core::Status;
use thiserror::Error;

use crate::scrub::Scrubber;

/// kube has no limit of its own for the answer to a single call.
const API_TIMEOUT: Duration = Duration::from_secs(30);

/// A call to the API server that did not work.
#[derive(Debug, Error)]
#[error("cannot {verb} {object}: {}", explain(cause))]
pub struct ApiError {
    verb: &'static str,
    object: String,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Timeout(Duration),
    Kube(Box<kube::Error>),
}

impl ApiError {
    /// Whether the object changed under our hands, so that looking again is all there is to do.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status()
            .is_some_and(|status| status.is_conflict() || status.is_already_exists())
    }

    /// Whether the API server understood and refused: trying the same again does not help by itself.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.status().is_some_and(|status| {
            status.is_forbidden() || status.is_invalid() || status.code == 400
        })
    }

    /// Whether the object or its kind does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status().is_some_and(Status::is_not_found)
    }

    /// Whether the namespace of the object is gone or on its way: nothing can be written there any more.
    #[must_use]
    pub fn is_namespace_gone(&self) -> bool {
        self.status().is_some_and(|status| {
            let details = status.details.as_ref();
            let terminating = details.is_some_and(|details| {
                let mut causes = details.causes.iter();
                causes.any(|cause| cause.reason == "NamespaceTerminating")
            });
            let absent =
                status.code == 404 && details.is_some_and(|details| details.kind == "namespaces");
            terminating || absent
        })
    }

    /// Without the secrets that were to be written: an admission policy may quote what it refuses.
    #[must_use]
    pub fn scrubbed(mut self, scrubber: &Scrubber) -> Self {
        if let Cause::Kube(error) = &mut self.cause
            && let kube::Error::Api(status) = error.as_mut()
        {
            status.message = scrubber.without_secrets(&status.message);
        }
        self
    }

    fn status(&self) -> Option<&Status> {
        match &self.cause {
            Cause::Kube(error) => match error.as_ref() {
                kube::Error::Api(status) => Some(status),
                _ => None,
            },
            Cause::Timeout(_) => None,
        }
    }
}

/// Makes one call, with a limit on its time and a name for its error.
///
/// # Errors
/// If the API server refuses, cannot be reached, or takes longer than 30 s.
pub async fn call<T>(
    verb: &'static str,
    object: impl Into<String>,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ApiError> {
    call_within(API_TIMEOUT, verb, object, request).await
}

/// The same with another limit.
///
/// # Errors
/// If the API server refuses, cannot be reached, or takes longer.
pub async fn call_within<T>(
    limit: Duration,
    verb: &'static str,
    object: impl Into<String>,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ApiError> {
    let cause = match tokio::time::timeout(limit, request).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => Cause::Kube(Box::new(error)),
        Err(_) => Cause::Timeout(limit),
    };
    Err(ApiError {
        verb,
        object: object.into(),
        cause,
    })
}

fn explain(cause: &Cause) -> String {
    match cause {
        Cause::Timeout(limit) => {
            format!("the API server did not answer within {} s", limit.as_secs())
        }
        Cause::Kube(error) => explain_kube(error),
    }
}

/// An error of kube in one line: its own Display of a connection error does not say why.
///
/// The text of a body that could not be read is left out: it may be a Secret.
#[must_use]
pub fn explain_kube(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => {
            format!("{} ({} {})", status.message, status.code, status.reason)
        }
        kube::Error::SerdeError(_) => "the API server's answer cannot be read".into(),
        other => {
            let mut causes = vec![other.to_string()];
            let mut next = std::error::Error::source(other);
            while let Some(cause) = next {
                causes.push(cause.to_string());
                next = cause.source();
            }
            causes.dedup();
            causes.join(": ")
        }
    }
}

/// An error of a watch in one line.
#[must_use]
pub fn explain_watch(error: &kube::runtime::watcher::Error) -> String {
    use kube::runtime::watcher::Error;
    match error {
        Error::InitialListFailed(cause)
        | Error::WatchStartFailed(cause)
        | Error::WatchFailed(cause) => explain_kube(cause),
        Error::WatchError(status) => {
            format!("{} ({} {})", status.message, status.code, status.reason)
        }
        Error::NoResourceVersion => "the list has no resourceVersion".into(),
    }
}

//! Converts kube's errors to [`ApiError`], and limits the time of a call.

use std::{future::Future, time::Duration};

use kube::core::Status;

pub(crate) use crate::api_error::ApiError;
pub(crate) use crate::api_error::Cause;
use crate::{
    api_error::{ApiStatus, StatusClass},
    scrub::visible,
};

/// kube has no limit of its own for the response to a single call.
const API_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes one call, with a limit on its time and a name for its error.
///
/// # Errors
/// If the API server refuses, cannot be reached, or takes longer than 30 s.
pub(crate) async fn call<T>(
    verb: &'static str,
    object: impl Into<String>,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ApiError> {
    call_within(API_TIMEOUT, verb, object, request).await
}

/// Makes one call with this limit on its time.
///
/// # Errors
/// If the API server refuses, cannot be reached, or takes longer.
pub(crate) async fn call_within<T>(
    limit: Duration,
    verb: &'static str,
    object: impl Into<String>,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ApiError> {
    let cause = match tokio::time::timeout(limit, request).await {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(error)) => cause(&error),
        Err(_) => Cause::Timeout(limit.as_secs()),
    };
    Err(ApiError {
        verb,
        object: object.into(),
        cause,
    })
}

/// kube's own Display of a connection error does not say why, so all errors below it are kept.
pub(crate) fn cause(error: &kube::Error) -> Cause {
    match error {
        kube::Error::Api(status) => Cause::Status(classified(status)),
        kube::Error::SerdeError(_) => Cause::Unreadable,
        other => {
            let mut causes = vec![other.to_string()];
            let mut next = std::error::Error::source(other);
            while let Some(cause) = next {
                causes.push(cause.to_string());
                next = cause.source();
            }
            causes.dedup();
            Cause::Connection(causes.join(": "))
        }
    }
}

fn classified(status: &Status) -> ApiStatus {
    let class = if status.is_conflict() || status.is_already_exists() {
        StatusClass::Conflict
    } else if status.is_not_found() {
        StatusClass::NotFound
    } else if is_immutable(status) {
        StatusClass::Immutable
    } else if status.is_forbidden() || status.is_invalid() || status.code == 400 {
        StatusClass::Refused
    } else {
        StatusClass::Other
    };
    ApiStatus {
        // They may come from an admission webhook or policy.
        message: visible(&status.message),
        code: status.code,
        reason: visible(&status.reason),
        class,
        namespace_is_gone: is_namespace_gone(status),
    }
}

/// The API server has no reason of its own for it.
fn is_immutable(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let set = |message: &str| message.contains("field is immutable when `immutable` is set");
    status.is_invalid() && causes.map(|cause| cause.message.as_str()).any(set)
}

fn is_namespace_gone(status: &Status) -> bool {
    let Some(details) = &status.details else {
        return false;
    };
    let mut causes = details.causes.iter();
    let terminating = causes.any(|cause| cause.reason == "NamespaceTerminating");
    terminating || (status.code == 404 && details.kind == "namespaces")
}

/// An error of kube in one line.
pub(crate) fn explain_kube(error: &kube::Error) -> String {
    cause(error).to_string()
}

/// An error of a watch in one line.
pub(crate) fn explain_watch(error: &kube::runtime::watcher::Error) -> String {
    use kube::runtime::watcher::Error;
    match error {
        Error::InitialListFailed(cause)
        | Error::WatchStartFailed(cause)
        | Error::WatchFailed(cause) => explain_kube(cause),
        Error::WatchError(status) => classified(status).to_string(),
        Error::NoResourceVersion => "the list has no resourceVersion".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn error(status: Value) -> ApiError {
        let status: Status = serde_json::from_value(status).unwrap();
        ApiError {
            verb: "write",
            object: "Secret treasury/main-token".into(),
            cause: cause(&kube::Error::Api(Box::new(status))),
        }
    }

    #[test]
    fn a_status_says_what_follows_from_it() {
        for (code, reason, class) in [
            (409, "Conflict", StatusClass::Conflict),
            (409, "AlreadyExists", StatusClass::Conflict),
            (404, "NotFound", StatusClass::NotFound),
            (404, "", StatusClass::Other),
            (403, "Forbidden", StatusClass::Refused),
            (422, "Invalid", StatusClass::Refused),
            (400, "BadRequest", StatusClass::Refused),
            (401, "Unauthorized", StatusClass::Other),
            (429, "TooManyRequests", StatusClass::Other),
            (500, "InternalError", StatusClass::Other),
            (503, "", StatusClass::Other),
        ] {
            let error = error(json!({"code": code, "reason": reason, "message": "no"}));
            let Cause::Status(status) = &error.cause else {
                panic!("{error:?}");
            };
            assert_eq!(status.class, class, "{error}");
            assert!(!error.is_namespace_gone());
        }
    }

    #[test]
    fn an_object_that_was_made_immutable_is_known_by_the_causes() {
        let of = |message: &str| {
            let causes =
                json!([{"reason": "FieldValueForbidden", "field": "data", "message": message}]);
            error(json!({"code": 422, "reason": "Invalid", "details": {"causes": causes}}))
        };
        let immutable = of("Forbidden: field is immutable when `immutable` is set");
        assert!(immutable.is_immutable() && immutable.is_refusal());
        let other = of("Invalid value: \"Opaque\": field is immutable");
        assert!(!other.is_immutable() && other.is_refusal());
    }

    #[test]
    fn a_namespace_that_is_gone_or_being_deleted_is_known_by_its_details() {
        for details in [
            json!({"kind": "namespaces"}),
            json!({"kind": "secrets", "causes": [{"reason": "NamespaceTerminating"}]}),
        ] {
            assert!(error(json!({"code": 404, "details": details})).is_namespace_gone());
        }
        let details = json!({"kind": "secrets"});
        assert!(!error(json!({"code": 404, "details": details})).is_namespace_gone());
    }

    #[test]
    fn an_error_names_verb_object_and_cause() {
        let status = json!({"code": 403, "reason": "Forbidden", "message": "exceeded quota"});
        assert_eq!(
            error(status).to_string(),
            "failed to write Secret treasury/main-token: exceeded quota (403 Forbidden)"
        );
        let timeout = Cause::Timeout(4);
        assert_eq!(
            timeout.to_string(),
            "the API server did not respond within 4 s"
        );
    }
}

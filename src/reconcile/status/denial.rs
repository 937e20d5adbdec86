//! The policy, quota or role that denied a write, if the API server names it, and the remedy that fits.

use crate::{
    api_error::{ApiError, Cause},
    reconcile::{status::message::shortened, write_error::WriteError},
};

/// The cause of a failed write, and its remedy.
pub(super) fn explained(why: &WriteError) -> (String, &'static str) {
    match why {
        WriteError::Api(error) => match Denial::of(error) {
            Some(denial) => (
                format!("writing {} {}", error.object, denial.cause()),
                denial.remedy(),
            ),
            None => (why.to_string(), unexplained(error)),
        },
        WriteError::Altered { .. } => (
            why.to_string(),
            "its owner must leave the Secret as written",
        ),
        WriteError::Immutable { .. } => (why.to_string(), "delete it"),
        WriteError::ForeignState => (why.to_string(), "delete that Secret if nobody uses it"),
    }
}

/// The role, policy or webhook that denied a request, if the API server names it.
pub(super) fn denied_by(error: &ApiError) -> Option<String> {
    Some(match Denial::of(error)? {
        Denial::Policy { name, .. } => format!("denied by ValidatingAdmissionPolicy {name:?}"),
        Denial::Webhook { name, .. } => format!("denied by admission webhook {name:?}"),
        Denial::Role { verb, resource } => {
            format!("the operator's role does not allow to {verb} {resource} there")
        }
        Denial::Quota { .. } => return None,
    })
}

fn unexplained(error: &ApiError) -> &'static str {
    match &error.cause {
        Cause::Status(_) => "ask the cluster's administrator",
        Cause::TooLarge(_) => "make it smaller",
        Cause::Timeout(_) | Cause::Unreadable | Cause::Connection(_) => {
            "if this persists, check the API server"
        }
    }
}

/// The cause of a denied write.
#[derive(Debug, PartialEq, Eq)]
enum Denial<'a> {
    Policy { name: &'a str, words: &'a str },
    Webhook { name: &'a str, words: &'a str },
    Quota { name: &'a str, limited: &'a str },
    Role { verb: &'a str, resource: &'a str },
}

impl<'a> Denial<'a> {
    /// The API server has no fields for it: these are the texts of its admission plugins and of its RBAC authorizer.
    fn of(error: &'a ApiError) -> Option<Self> {
        let Cause::Status(status) = &error.cause else {
            return None;
        };
        let text = status.message.as_str();
        if let Some((name, rest)) = after(text, "ValidatingAdmissionPolicy '", "'") {
            let words = rest
                .split_once("denied request: ")
                .map_or("", |(_, words)| words);
            return Some(Self::Policy { name, words });
        }
        if let Some((name, rest)) = after(text, "admission webhook \"", "\"") {
            let words = rest
                .split_once("denied the request: ")
                .map_or("", |(_, words)| words);
            return Some(Self::Webhook { name, words });
        }
        if let Some((name, rest)) = after(text, "exceeded quota: ", ",") {
            let limited = rest
                .split_once("limited: ")
                .map_or("", |(_, limited)| limited);
            return Some(Self::Quota { name, limited });
        }
        let (verb, rest) = after(text, "\" cannot ", " resource \"")?;
        let (resource, _) = rest.split_once('"')?;
        Some(Self::Role { verb, resource })
    }

    fn cause(&self) -> String {
        match self {
            Self::Policy { name, words } => {
                format!(
                    "was denied by ValidatingAdmissionPolicy {name:?}{}",
                    shown(words)
                )
            }
            Self::Webhook { name, words } => {
                format!("was denied by admission webhook {name:?}{}", shown(words))
            }
            Self::Quota { name, limited: "" } => format!("exceeds ResourceQuota {name:?}"),
            Self::Quota { name, limited } => format!("exceeds ResourceQuota {name:?} ({limited})"),
            Self::Role { verb, resource } => {
                let resource = match *resource {
                    "secrets" => "Secrets",
                    other => other,
                };
                format!("was denied: the operator's role does not allow to {verb} {resource} there")
            }
        }
    }

    fn remedy(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "have that policy changed",
            Self::Webhook { .. } => "have that webhook changed",
            Self::Quota { .. } => "raise it, or delete unused Secrets",
            Self::Role { .. } => "install the chart's roles for this namespace",
        }
    }
}

/// The text between the first `start` and the next `end`, and the rest.
fn after<'a>(text: &'a str, start: &str, end: &str) -> Option<(&'a str, &'a str)> {
    text.split_once(start)?.1.split_once(end)
}

/// The own words of a policy or webhook, quoted and cut.
fn shown(words: &str) -> String {
    if words.is_empty() {
        return String::new();
    }
    format!(" (it says: \"{}\")", shortened(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> String {
        let error = ApiError::forbidden("write", "Secret treasury/main-token", message);
        let (cause, remedy) = explained(&WriteError::Api(error));
        format!("{cause}: {remedy}")
    }

    #[test]
    fn each_cause_of_a_denial_has_its_own_remedy() {
        let start = "secrets \"main-token\" is forbidden: ";
        for (message, expected) in [
            (
                format!("{start}ValidatingAdmissionPolicy 'strict' with binding 'all' denied request: no tokens"),
                "writing Secret treasury/main-token was denied by ValidatingAdmissionPolicy \"strict\" (it says: \"no \
                 tokens\"): have that policy changed",
            ),
            (
                "admission webhook \"check.example.com\" denied the request: no owner".into(),
                "writing Secret treasury/main-token was denied by admission webhook \"check.example.com\" (it says: \"no \
                 owner\"): have that webhook changed",
            ),
            (
                format!("{start}exceeded quota: few, requested: secrets=1, used: secrets=2, limited: secrets=2"),
                "writing Secret treasury/main-token exceeds ResourceQuota \"few\" (secrets=2): raise it, or delete unused \
                 Secrets",
            ),
            (
                "secrets is forbidden: User \"system:serviceaccount:a:b\" cannot create resource \"secrets\" in API group \"\" \
                 in the namespace \"treasury\""
                    .into(),
                "writing Secret treasury/main-token was denied: the operator's role does not allow to create Secrets there: \
                 install the chart's roles for this namespace",
            ),
            (
                "something else".into(),
                "failed to write Secret treasury/main-token: something else (403 Forbidden): ask the cluster's administrator",
            ),
        ] {
            assert_eq!(of(&message), expected);
        }
    }

    #[test]
    fn somebody_elses_words_are_cut() {
        assert_eq!(
            shown(&"a".repeat(61)),
            format!(" (it says: \"{}...\")", "a".repeat(60))
        );
        assert_eq!(shown(""), "");
    }
}

//! Waits until the operator has done what a command asked for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    terminal::Progress,
};
use crate::{
    api::{Condition, ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    clock::now,
    kubernetes::error::call,
};

/// The time after which an operator that has not changed the status is reported.
const SILENCE: SignedDuration = SignedDuration::from_secs(30);

/// The time after which a failure without a request is about what the command has changed.
const SETTLED: SignedDuration = SignedDuration::from_secs(10);

/// The pause between two looks at the status.
const PAUSE: Duration = Duration::from_millis(400);

/// A `CubeCredential` after a change, and how long the operator may take for it.
pub(super) struct Wait<'a> {
    /// The name of the `CubeCredential`.
    pub(super) name: &'a str,
    /// The generation of the spec that the status must be about.
    pub(super) generation: i64,
    /// The status before the change. A failure that it reports already is an old one.
    pub(super) before: &'a CubeCredentialStatus,
    /// True if the operator has to do something whatever the status says already.
    pub(super) demands_action: bool,
    /// The longest time to wait.
    pub(super) limit: SignedDuration,
}

/// The meaning of a status while a command waits.
#[derive(Debug, PartialEq, Eq)]
enum Progressing<'a> {
    /// The operator has not responded to the change.
    Unobserved,
    /// It is working, for the reason that is named.
    Working(&'a str),
    /// A person has to act: the message says how.
    Stopped(&'a str),
}

impl Wait<'_> {
    /// Waits until `goal` finds in the status what the command waits for.
    ///
    /// # Errors
    /// The message of the condition that a person has to solve; or that the operator does not respond, or takes too long.
    pub(super) async fn until<T>(
        &self,
        context: &Context,
        cluster: &Cluster,
        what: &str,
        goal: impl Fn(&CubeCredentialStatus) -> Option<T>,
    ) -> Result<T> {
        let progress = context.terminal.progress(what);
        let start = now();
        loop {
            if let Some(status) = self.read(cluster).await? {
                if let Some(found) = self
                    .is_about_the_change(&status)
                    .then(|| goal(&status))
                    .flatten()
                {
                    return Ok(found);
                }
                self.judge(&status, cluster, start, (what, &progress))?;
            } else if now().duration_since(start) > self.limit {
                return Err(PluginError::new("the API server does not respond"));
            }
            sleep(PAUSE).await;
        }
    }

    /// The status; `None`: the API server does not respond at the moment.
    async fn read(&self, cluster: &Cluster) -> Result<Option<CubeCredentialStatus>> {
        let object = format!("CubeCredential {}/{}", cluster.namespace, self.name);
        let api = cluster.credentials();
        match call("get", object, api.get(self.name)).await {
            Ok(credential) => Ok(Some(credential.status.unwrap_or_default())),
            Err(error) if error.is_refusal() || error.is_not_found() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    fn judge(
        &self,
        status: &CubeCredentialStatus,
        cluster: &Cluster,
        start: Timestamp,
        (what, progress): (&str, &Progress),
    ) -> Result {
        let waited = now().duration_since(start);
        match self.meaning(status) {
            // The operator may have written it a moment before it saw the change.
            Progressing::Stopped(_) if self.may_be_older(status) && waited < SETTLED => {}
            Progressing::Stopped(message) => return Err(self.stopped(message)),
            Progressing::Unobserved if waited >= SILENCE.min(self.limit) => {
                return Err(match needs_a_person(status) {
                    Some(message) if !self.demands_action => self.stopped(message),
                    _ => self.silent(cluster, waited),
                });
            }
            Progressing::Working(_) if waited >= self.limit => {
                return Err(self.too_late(status, cluster));
            }
            Progressing::Working(reason) => progress.say(&format!("{what} ({reason})")),
            Progressing::Unobserved => {}
        }
        Ok(())
    }

    fn meaning<'a>(&self, status: &'a CubeCredentialStatus) -> Progressing<'a> {
        if !self.is_about_the_change(status) || status == self.before {
            return Progressing::Unobserved;
        }
        match needs_a_person(status) {
            Some(message) if self.is_news(status) => Progressing::Stopped(message),
            _ => Progressing::Working(status.reason.as_deref().unwrap_or("Pending")),
        }
    }

    /// Returns whether this failure may be about the time before the change: no request was sent since.
    fn may_be_older(&self, status: &CubeCredentialStatus) -> bool {
        self.demands_action && status.last_attempt_at == self.before.last_attempt_at
    }

    /// Before the operator has observed an object, its generation in the status is -1.
    fn is_about_the_change(&self, status: &CubeCredentialStatus) -> bool {
        status.observed_generation >= Some(self.generation)
    }

    /// Returns whether the failure in this status came after the change.
    fn is_news(&self, status: &CubeCredentialStatus) -> bool {
        let failure = |of: &CubeCredentialStatus| {
            let message = needs_a_person(of).map(str::to_owned);
            (message, of.last_attempt_at, of.observed_generation)
        };
        failure(status) != failure(self.before)
    }

    fn stopped(&self, message: &str) -> PluginError {
        PluginError::new(format!("CubeCredential \"{}\": {message}", self.name))
    }

    fn silent(&self, cluster: &Cluster, waited: SignedDuration) -> PluginError {
        let seconds = waited.as_secs();
        PluginError::new(format!(
            "the operator has not responded to CubeCredential \"{}\" within {seconds}s: check that it runs, with `kubectl get pods -A \
             -l app.kubernetes.io/name=cube-operator`, and that it watches namespace {}",
            self.name, cluster.namespace
        ))
    }

    fn too_late(&self, status: &CubeCredentialStatus, cluster: &Cluster) -> PluginError {
        let message = obstacle(status).map_or("no condition says why", |of| of.message.as_str());
        PluginError::new(format!(
            "CubeCredential \"{}\" is not ready within {:#}: {message}; the operator continues, see `kubectl cube status {} -n {}`",
            self.name, self.limit, self.name, cluster.namespace
        ))
    }
}

/// The message of the condition that a person has to solve.
fn needs_a_person(status: &CubeCredentialStatus) -> Option<&str> {
    let obstacle = obstacle(status)?;
    let stalled = status.condition(ConditionType::Stalled);
    let is_stalled = stalled.is_some_and(|stalled| stalled.status == ConditionStatus::True);
    (is_stalled || Reason::is_solved_by_a_person(&obstacle.reason)).then_some(&*obstacle.message)
}

/// The condition with the cause: Refreshed if the last attempt failed, else Ready if it is not True.
fn obstacle(status: &CubeCredentialStatus) -> Option<&Condition> {
    let refreshed = status.condition(ConditionType::Refreshed);
    let ready = status.condition(ConditionType::Ready);
    let failed = refreshed.filter(|refreshed| refreshed.status == ConditionStatus::False);
    failed.or(ready.filter(|ready| ready.status != ConditionStatus::True))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status(fields: Value) -> CubeCredentialStatus {
        serde_json::from_value(fields).unwrap()
    }

    fn condition(r#type: &str, status: &str, reason: &str) -> Value {
        json!({
            "type": r#type, "status": status, "reason": reason, "message": format!("{reason} says so"),
            "observedGeneration": 2, "lastTransitionTime": "2026-11-21T10:00:00Z",
        })
    }

    fn failing(reason: &str, attempt: &str) -> CubeCredentialStatus {
        let conditions = [
            condition("Ready", "True", "Synced"),
            condition("Refreshed", "False", reason),
        ];
        status(
            json!({"observedGeneration": 2, "reason": reason, "conditions": conditions, "lastAttemptAt": attempt}),
        )
    }

    fn meaning(before: &CubeCredentialStatus, now: &CubeCredentialStatus) -> String {
        let wait = Wait {
            name: "main",
            generation: 2,
            before,
            demands_action: false,
            limit: SignedDuration::from_secs(60),
        };
        format!("{:?}", wait.meaning(now))
    }

    #[test]
    fn a_status_of_an_earlier_generation_is_no_response() {
        let none = CubeCredentialStatus::default();
        for generation in [-1, 1] {
            let old = status(json!({"observedGeneration": generation}));
            assert_eq!(meaning(&none, &old), "Unobserved");
        }
        assert_eq!(meaning(&none, &none), "Unobserved");
        let observed = status(json!({"observedGeneration": 2, "reason": "RateBudget"}));
        assert_eq!(meaning(&none, &observed), "Working(\"RateBudget\")");
    }

    #[test]
    fn a_failure_from_before_the_change_ends_nothing_and_a_new_one_does() {
        let before = failing("RefreshTokenRejected", "2026-11-21T10:00:00Z");
        assert_eq!(meaning(&before, &before), "Unobserved");
        let mut told = before.clone();
        told.state_version = Some("7".into());
        assert_eq!(meaning(&before, &told), "Working(\"RefreshTokenRejected\")");
        let again = failing("RefreshTokenRejected", "2026-11-21T11:00:00Z");
        let stopped = "Stopped(\"RefreshTokenRejected says so\")";
        assert_eq!(meaning(&before, &again), stopped);
        assert_eq!(meaning(&CubeCredentialStatus::default(), &before), stopped);
    }

    #[test]
    fn a_failure_without_a_request_may_be_from_before_the_change() {
        let before = CubeCredentialStatus::default();
        let wait = |demands_action| Wait {
            name: "main",
            generation: 2,
            before: &before,
            demands_action,
            limit: SignedDuration::from_secs(60),
        };
        let mut found = failing("RefreshTokenNotFound", "2026-11-21T10:00:00Z");
        assert!(!wait(true).may_be_older(&found), "a request was sent");
        found.last_attempt_at = None;
        assert!(wait(true).may_be_older(&found));
        assert!(!wait(false).may_be_older(&found));
    }

    #[test]
    fn only_a_failure_that_a_person_has_to_solve_ends_the_wait() {
        let none = CubeCredentialStatus::default();
        for reason in ["Unreachable", "RateLimited", "TargetNotWritable"] {
            let retried = failing(reason, "2026-11-21T10:00:00Z");
            assert_eq!(meaning(&none, &retried), format!("Working({reason:?})"));
        }
        let conditions = [
            condition("Ready", "False", "TargetConflict"),
            condition("Refreshed", "Unknown", "Pending"),
            condition("Stalled", "True", "TargetConflict"),
        ];
        let stalled = status(json!({"observedGeneration": 2, "conditions": conditions}));
        assert_eq!(
            meaning(&none, &stalled),
            "Stopped(\"TargetConflict says so\")"
        );
    }
}

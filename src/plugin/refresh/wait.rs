//! Waits until refresh requests are served.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use kube::{
    Api,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::{
    select,
    time::{interval, sleep},
};

use crate::{
    api::{ConditionStatus, ConditionType, Reason},
    clock::now,
    kubernetes::error::explain_watch,
    plugin::{
        Context,
        cluster::Cluster,
        countdown::{countdown, short},
        error::{PluginError, Result},
        object::Object,
    },
    scrub::visible,
};

/// A status that is older than this may be about the time before the request.
const SETTLED: SignedDuration = SignedDuration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// The state of a request.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Served(String),
    /// A person has to act, for this reason.
    Failed(String),
    /// It is not served yet. The text says why, if something is in the way.
    Waiting(Option<String>),
}

/// Waits for all of them, by name and hash, and returns how many failed.
pub(super) async fn all(
    context: &Context,
    cluster: &Cluster,
    requested: BTreeMap<String, String>,
    timeout: SignedDuration,
) -> Result<usize> {
    let mut pending = Pending {
        context,
        requested,
        begun: now(),
        latest: BTreeMap::new(),
        failed: 0,
    };
    let progress = context.terminal.progress(&pending.what());
    let limit = Duration::from_secs(u64::try_from(timeout.as_secs()).unwrap_or(1));
    let mut over = pin!(sleep(limit));
    let mut ticks = interval(SECOND);
    let api: Api<Object> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut events = pin!(watcher(api, watcher::Config::default()).default_backoff());
    while !pending.requested.is_empty() {
        select! {
            event = events.try_next() => match event {
                Ok(Some(Event::InitApply(object) | Event::Apply(object))) => pending.learn(object),
                Ok(Some(Event::Delete(object))) => pending.lose(object.name()),
                Ok(Some(Event::Init | Event::InitDone)) => {}
                Ok(None) => return Err(PluginError::new("the watch has ended")),
                // The watch resumes when the API server responds again.
                Err(error) => progress.say(&explain_watch(&error)),
            },
            _ = ticks.tick() => pending.look(),
            () = &mut over => {
                pending.give_up(timeout);
                break;
            }
        }
        progress.say(&pending.what());
    }
    Ok(pending.failed)
}

struct Pending<'a> {
    context: &'a Context,
    /// The hashes of the requests that are not decided yet, by the name of the `CubeCredential`.
    requested: BTreeMap<String, String>,
    begun: Timestamp,
    latest: BTreeMap<String, Object>,
    failed: usize,
}

impl Pending<'_> {
    fn what(&self) -> String {
        let names: Vec<_> = self.requested.keys().map(String::as_str).collect();
        match names.as_slice() {
            [one] => format!("waiting for the refresh of {one}"),
            many => format!("waiting for {} refreshes", many.len()),
        }
    }

    fn learn(&mut self, object: Object) {
        if self.requested.contains_key(object.name()) {
            self.latest.insert(object.name().to_owned(), object);
            self.look();
        }
    }

    fn look(&mut self) {
        let is_settled = now().duration_since(self.begun) >= SETTLED;
        let decided = self.latest.iter().filter_map(|(name, object)| {
            let hash = self.requested.get(name)?;
            match outcome(object, hash, is_settled, now()) {
                Outcome::Waiting(_) => None,
                decided => Some((name.clone(), decided)),
            }
        });
        for (name, decided) in decided.collect::<Vec<_>>() {
            self.requested.remove(&name);
            match decided {
                Outcome::Served(how) => {
                    let line = format!("CubeCredential {name:?} refreshed: {how}");
                    self.context.terminal.print(&line);
                }
                Outcome::Failed(why) => self.fail(&name, &format!("was not refreshed: {why}")),
                Outcome::Waiting(_) => {}
            }
        }
    }

    fn lose(&mut self, name: &str) {
        if self.requested.remove(name).is_some() {
            self.fail(name, "was deleted");
        }
    }

    fn give_up(&mut self, timeout: SignedDuration) {
        let within = short(timeout.as_secs());
        for (name, hash) in std::mem::take(&mut self.requested) {
            let outcome = self
                .latest
                .get(&name)
                .map(|object| outcome(object, &hash, true, now()));
            let why = match outcome {
                Some(Outcome::Waiting(Some(why))) => format!(": {why}"),
                _ => ": check that the operator runs, with `kubectl cube check`".into(),
            };
            self.fail(&name, &format!("was not refreshed within {within}{why}"));
        }
    }

    fn fail(&mut self, name: &str, how: &str) {
        self.failed += 1;
        let error = PluginError::new(format!("CubeCredential {name:?} {how}"));
        self.context.terminal.fail(&error);
    }
}

/// The state of the request with this hash, by the status.
fn outcome(object: &Object, hash: &str, is_settled: bool, now: Timestamp) -> Outcome {
    let status = &object.status;
    if status.refresh_request.as_deref() == Some(hash) {
        let secret = object.target();
        return Outcome::Served(match status.expires_at {
            Some(at) => format!(
                "the token in Secret {secret:?} is valid until {at} ({})",
                countdown(at, now)
            ),
            None => format!("the token is in Secret {secret:?}"),
        });
    }
    let refreshed = status.condition(ConditionType::Refreshed);
    let Some(failure) = refreshed.filter(|found| found.status == ConditionStatus::False) else {
        return Outcome::Waiting(None);
    };
    let why = visible(&format!("{}: {}", failure.reason, failure.message));
    let attempted = status.attempted.as_ref();
    let is_of_this_request =
        attempted.is_some_and(|attempted| attempted.refresh_request.as_deref() == Some(hash));
    if Reason::is_solved_by_a_person(&failure.reason) && (is_of_this_request || is_settled) {
        return Outcome::Failed(why);
    }
    Outcome::Waiting(Some(why))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(reason: &str, attempted: &str, served: &str) -> Object {
        let status = if reason.is_empty() { "True" } else { "False" };
        let status: Value = json!({
            "conditions": [{
                "type": "Refreshed", "status": status, "reason": reason, "message": "why", "observedGeneration": 1,
                "lastTransitionTime": "2026-11-21T12:00:00Z",
            }],
            "expiresAt": "1970-01-01T01:00:00Z",
            "refreshRequest": served,
            "failedWith": {"generation": 1, "sourceResourceVersion": "1", "refreshRequest": attempted},
        });
        serde_json::from_value(json!({"metadata": {"name": "main"}, "status": status})).unwrap()
    }

    fn of(object: &Object, is_settled: bool) -> Outcome {
        outcome(object, "mine", is_settled, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_request_is_served_when_the_status_has_its_hash() {
        assert_eq!(
            of(&object("", "", "mine"), false),
            Outcome::Served(
                "the token in Secret \"main-token\" is valid until 1970-01-01T01:00:00Z (1h0m)"
                    .into()
            )
        );
        assert_eq!(of(&object("", "", "other"), true), Outcome::Waiting(None));
    }

    #[test]
    fn a_failure_that_needs_a_person_ends_the_wait_and_one_that_passes_does_not() {
        let failed = Outcome::Failed("InvalidClient: why".into());
        assert_eq!(of(&object("InvalidClient", "mine", ""), false), failed);
        let waiting = Outcome::Waiting(Some("Unreachable: why".into()));
        assert_eq!(of(&object("Unreachable", "mine", ""), true), waiting);
    }

    #[test]
    fn a_failure_from_before_the_request_ends_the_wait_only_if_it_stays() {
        let earlier = object("ClientSecretNotFound", "other", "");
        assert!(matches!(of(&earlier, false), Outcome::Waiting(_)));
        assert!(matches!(of(&earlier, true), Outcome::Failed(_)));
    }
}

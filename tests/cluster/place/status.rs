//! The status and the events of a `CubeCredential`.

use cube_operator::api::{Condition, ConditionType, CubeCredential, CubeCredentialStatus};
use serde_json::Value;

use crate::operator::eventually;

use super::Place;

impl Place {
    /// Waits until the status of a `CubeCredential` fits, and returns it.
    pub(crate) fn wait_for(
        &self,
        name: &str,
        what: &str,
        fits: impl Fn(&CubeCredentialStatus) -> bool,
    ) -> CubeCredentialStatus {
        let mut last = CubeCredentialStatus::default();
        let look = || {
            last = self.status(name);
            fits(&last).then(|| last.clone())
        };
        // The last status helps more than the name of the deadline.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| eventually(what, look)))
            .unwrap_or_else(|_| panic!("CubeCredential {name}, {what}; its last status: {last:#?}"))
    }

    /// The status of a `CubeCredential`.
    pub(crate) fn status(&self, name: &str) -> CubeCredentialStatus {
        let object: CubeCredential =
            serde_json::from_value(self.get("cubecredential", name).expect("it exists")).unwrap();
        object.status.unwrap_or_default()
    }

    /// The events about a `CubeCredential` in the order in which they came: `Warning InvalidClient: note`. The Secrets of most
    /// tests name no hosts; the warning about that is left out.
    pub(crate) fn events(&self, name: &str) -> Vec<String> {
        let field = format!("regarding.name={name}");
        let list = self.kubectl(&[
            "get",
            "events.events.k8s.io",
            "--field-selector",
            &field,
            "-o",
            "json",
        ]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let mut events = list["items"].as_array().unwrap().clone();
        events.retain(|event| event["reason"] != "TokenHostsMissing");
        events.sort_by_key(|event| event["eventTime"].as_str().unwrap().to_owned());
        let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let line = |event| {
            [text(event, "type"), text(event, "reason")].join(" ") + ": " + &text(event, "note")
        };
        events.iter().map(line).collect()
    }

    /// Waits until there is one event of each of these reasons about a `CubeCredential`.
    pub(crate) fn wait_for_events(&self, name: &str, reasons: &[&str]) {
        eventually("each event is there", || {
            let is_there = |reason: &&str| self.event_count(name, reason) == 1;
            reasons.iter().all(is_there).then_some(())
        });
    }

    /// How often an event with this reason came.
    pub(crate) fn event_count(&self, name: &str, reason: &str) -> usize {
        let list = self.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let about = list["items"].as_array().unwrap().iter();
        let about =
            about.filter(|event| event["regarding"]["name"] == name && event["reason"] == reason);
        about
            .map(|event| {
                event["series"]["count"]
                    .as_u64()
                    .map_or(1, |count| usize::try_from(count).unwrap())
            })
            .sum()
    }
}

/// Whether a condition has this status and reason.
pub(crate) fn is(
    of: &CubeCredentialStatus,
    r#type: ConditionType,
    status: &str,
    reason: &str,
) -> bool {
    of.condition(r#type)
        .is_some_and(|found| format!("{:?}", found.status) == status && found.reason == reason)
}

/// All conditions, whole: `Ready=False InvalidClient: message`.
pub(crate) fn told(status: &CubeCredentialStatus) -> Vec<String> {
    let line = |condition: &Condition| {
        let Condition {
            r#type,
            status,
            reason,
            message,
            ..
        } = condition;
        format!("{type:?}={status:?} {reason}: {message}")
    };
    status.conditions.iter().map(line).collect()
}

/// For how many seconds the published token lives.
pub(crate) fn lifetime(status: &CubeCredentialStatus) -> Option<i64> {
    let issued = status.issued_at?;
    Some(status.expires_at?.duration_since(issued).as_secs())
}

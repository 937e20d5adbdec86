//! Requests in the API server's audit log.

use std::{collections::HashSet, fs};

use jiff::Timestamp;
use serde_json::Value;

use super::ControlPlane;
use crate::operator::eventually;

impl ControlPlane {
    /// The complete lines of the log that are wanted.
    fn audited(&self, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let log = fs::read_to_string(self.launcher.fact("audit_log")).unwrap();
        let lines = log.lines().filter(|line| wanted(line));
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The kinds in which a ServiceAccount was given this Secret: `PartialObjectMetadata` has no data.
    pub(crate) fn kinds_of_secret_given_to(
        &self,
        user: &str,
        namespace: &str,
        name: &str,
    ) -> Vec<String> {
        let lines = self.audited(|line| line.contains(user)).into_iter();
        lines
            .filter(|line| {
                let object = &line["objectRef"];
                line["user"]["username"] == user
                    && line["verb"] == "get"
                    && object["resource"] == "secrets"
                    && object["namespace"] == namespace
                    && object["name"] == name
                    && line["responseStatus"]["code"] == 200
            })
            .map(|line| line["responseObject"]["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The queries with which a user has listed and watched a resource.
    pub(crate) fn queries_of(&self, user: &str, resource: &str) -> Vec<String> {
        self.queries_with(user, resource, &["list", "watch"])
    }

    /// The queries of a user's requests about a resource with these verbs.
    pub(crate) fn queries_with(&self, user: &str, resource: &str, verbs: &[&str]) -> Vec<String> {
        let lines = self.audited(|_| true).into_iter();
        let lines = lines.filter(|line| {
            line["user"]["username"] == user
                && line["objectRef"]["resource"] == resource
                && verbs.contains(&line["verb"].as_str().unwrap_or_default())
        });
        let decode = |uri: &str| {
            url::Url::parse(&format!("https://x{uri}")).map(|url| {
                url.query_pairs()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect::<Vec<_>>()
                    .join("&")
            })
        };
        lines
            .map(|line| decode(line["requestURI"].as_str().unwrap_or_default()).unwrap())
            .collect()
    }

    /// When the API server first responded to such a request, by its own clock. The effect of a request can be seen a moment before
    /// the log has it.
    pub(crate) fn first_answer(
        &self,
        verb: &str,
        resource: &str,
        object: (&str, &str),
    ) -> Timestamp {
        eventually(&format!("the log has {verb} {resource} {object:?}"), || {
            self.logged_answer(verb, resource, object)
        })
    }

    fn logged_answer(
        &self,
        verb: &str,
        resource: &str,
        (namespace, name): (&str, &str),
    ) -> Option<Timestamp> {
        let lines = self.audited(|_| true).into_iter();
        let mut answers = lines.filter(|line| {
            let object = &line["objectRef"];
            line["verb"] == verb
                && object["resource"] == resource
                && object["subresource"] == Value::Null
                && object["namespace"] == namespace
                && object["name"] == name
                && line["responseStatus"]["code"].as_u64() < Some(300)
        });
        let answer = answers.next()?;
        Some(answer["stageTimestamp"].as_str().unwrap().parse().unwrap())
    }

    /// The requests that a user made so far: (verb, resource with subresource, name).
    pub(crate) fn requests_of(&self, user: &str) -> Vec<(String, String, String)> {
        let lines = self.audited(|_| true).into_iter();
        // The log has a watch twice: when it starts, and when it ends.
        let mut seen = HashSet::new();
        lines
            .filter(|line| line["user"]["username"] == user)
            .filter(|line| seen.insert(line["auditID"].as_str().unwrap_or_default().to_owned()))
            .map(|line| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let object = &line["objectRef"];
                let resource = match text(&object["subresource"]) {
                    sub if sub.is_empty() => text(&object["resource"]),
                    sub => format!("{}/{sub}", text(&object["resource"])),
                };
                (text(&line["verb"]), resource, text(&object["name"]))
            })
            .collect()
    }
}

//! The Secrets around a `CubeCredential`, by their metadata: whether they exist, who wrote them, and which keys they have. Their
//! values are never requested.

use std::{collections::BTreeSet, fmt::Debug};

use jiff::Timestamp;
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret, ServiceAccount},
};
use kube::{Api, Resource, core::ObjectMeta};
use serde::de::DeserializeOwned;

use crate::{
    api::{CaBundleKind, CaBundleRef, annotation, label},
    kubernetes::error::call,
    plugin::{cluster::Cluster, countdown::countdown, rights::Right},
    reconcile::{Mark, Settings},
};

/// The most keys of a Secret that are named.
const MOST_KEYS: usize = 10;

/// The metadata of a Secret, as far as it can be seen.
pub(super) enum Found {
    Present(Box<ObjectMeta>),
    Absent,
    /// It cannot be seen, for this reason.
    Unseen(String),
}

/// How something is, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) mark: Mark,
    pub(super) message: String,
}

impl Health {
    pub(super) fn new(mark: Mark, message: impl Into<String>) -> Self {
        Self {
            mark,
            message: message.into(),
        }
    }
}

/// Looks at a Secret of the namespace.
pub(super) async fn look(cluster: &Cluster, name: &str) -> Found {
    metadata::<Secret>(cluster, name, "secrets").await
}

async fn metadata<K>(cluster: &Cluster, name: &str, resource: &'static str) -> Found
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let namespace = &cluster.namespace;
    let api: Api<K> = Api::namespaced(cluster.client.clone(), namespace);
    let object = format!("the metadata of {} {namespace}/{name}", K::kind(&()));
    match call("get", object, api.get_metadata_opt(name)).await {
        Ok(Some(found)) => Found::Present(Box::new(found.metadata)),
        Ok(None) => Found::Absent,
        Err(error) => {
            let right = Right::new("get", resource, Some(namespace));
            Found::Unseen(right.explain(error).to_string())
        }
    }
}

/// A Secret that people write, with the keys that are needed of it.
pub(super) fn source(name: &str, keys: &[&str], found: &Found) -> Health {
    let meta = match found {
        Found::Present(meta) => meta,
        Found::Absent => return Health::new(Mark::Bad, format!("Secret {name:?} does not exist")),
        Found::Unseen(why) => {
            return Health::new(Mark::Unseen, format!("Secret {name:?} was not seen: {why}"));
        }
    };
    if !has_label(meta, label::CREDENTIAL) {
        let namespace = meta.namespace.as_deref().unwrap_or_default();
        let remedy = format!(
            "`kubectl label secret {name} -n {namespace} {}=true`",
            label::CREDENTIAL
        );
        return Health::new(
            Mark::Bad,
            format!("Secret {name:?} is missing its label; its owner can add it: {remedy}"),
        );
    }
    let Some(present) = data_keys(meta) else {
        return Health::new(
            Mark::Good,
            format!("Secret {name:?} has the label; its keys are not known"),
        );
    };
    let missing: Vec<_> = keys.iter().filter(|key| !present.contains(**key)).collect();
    if missing.is_empty() {
        let message = format!("Secret {name:?} has the label, and {}", listed(keys));
        return Health::new(Mark::Good, message);
    }
    let message = format!("Secret {name:?} has no {}", listed(&missing));
    Health::new(Mark::Bad, message)
}

/// The Secret with the client. Of two keys for the client secret, one may be missing; the status says which one works.
pub(super) fn client(settings: &Settings, works: Option<&str>, found: &Found) -> Health {
    let present = match found {
        Found::Present(meta) => data_keys(meta).unwrap_or_default(),
        Found::Absent | Found::Unseen(_) => BTreeSet::new(),
    };
    let spare = settings.two_secret_keys().and_then(|(first, second)| {
        match (present.contains(first), present.contains(second)) {
            (true, false) => Some(second),
            (false, true) => Some(first),
            _ => None,
        }
    });
    let keys: Vec<_> = settings
        .client_keys()
        .filter(|key| Some(*key) != spare)
        .collect();
    let health = source(&settings.source.name, &keys, found);
    match works.filter(|_| health.mark == Mark::Good) {
        Some(works) => Health {
            message: format!("{}; the provider last accepted {works:?}", health.message),
            ..health
        },
        None => health,
    }
}

/// A ServiceAccount whose token proves the client or the subject.
pub(super) async fn service_account(cluster: &Cluster, name: &str) -> Health {
    let found = match metadata::<ServiceAccount>(cluster, name, "serviceaccounts").await {
        Found::Present(found) => found,
        Found::Absent => {
            let message = format!("ServiceAccount {name:?} does not exist");
            return Health::new(Mark::Bad, message);
        }
        Found::Unseen(why) => {
            let message = format!("ServiceAccount {name:?} was not seen: {why}");
            return Health::new(Mark::Unseen, message);
        }
    };
    if has_label(&found, label::CREDENTIAL) {
        return Health::new(Mark::Good, format!("ServiceAccount {name:?} has the label"));
    }
    let message = format!(
        "ServiceAccount {name:?} is missing label {}=true",
        label::CREDENTIAL
    );
    Health::new(Mark::Bad, message)
}

/// The object with further CA certificates. Its key is not looked for: a `ConfigMap` may have any number of writers.
pub(super) async fn ca_bundle(cluster: &Cluster, reference: &CaBundleRef) -> Health {
    let name = &reference.name;
    if reference.kind == CaBundleKind::Secret {
        return source(name, &[&reference.key], &look(cluster, name).await);
    }
    match metadata::<ConfigMap>(cluster, name, "configmaps").await {
        Found::Present(_) => Health::new(Mark::Good, format!("ConfigMap {name:?} exists")),
        Found::Absent => Health::new(Mark::Bad, format!("ConfigMap {name:?} does not exist")),
        Found::Unseen(why) => Health::new(
            Mark::Unseen,
            format!("ConfigMap {name:?} was not seen: {why}"),
        ),
    }
}

/// The operator's Secret with the current refresh token.
pub(super) fn state(name: &str, uid: &str, found: &Found) -> Health {
    match found {
        Found::Present(meta) if is_own(meta, uid) => Health::new(
            Mark::Good,
            format!("Secret {name:?} holds the current refresh token"),
        ),
        Found::Present(_) => Health::new(
            Mark::Bad,
            format!("Secret {name:?} does not belong to this CubeCredential"),
        ),
        Found::Absent => Health::new(
            Mark::Unseen,
            format!("Secret {name:?} does not exist yet: it comes with the first refresh"),
        ),
        Found::Unseen(why) => {
            Health::new(Mark::Unseen, format!("Secret {name:?} was not seen: {why}"))
        }
    }
}

/// The Secret that pods use.
pub(super) fn target(name: &str, uid: &str, found: &Found, now: Timestamp) -> Health {
    let meta = match found {
        Found::Present(meta) => meta,
        Found::Absent => {
            let message = format!("Secret {name:?} does not exist: it comes with the first token");
            return Health::new(Mark::Bad, message);
        }
        Found::Unseen(why) => {
            return Health::new(Mark::Unseen, format!("Secret {name:?} was not seen: {why}"));
        }
    };
    if !is_own(meta, uid) {
        return Health::new(
            Mark::Bad,
            format!("Secret {name:?} does not belong to this CubeCredential"),
        );
    }
    let expires_at = annotation(meta, annotation::EXPIRES_AT);
    let Some(expires_at) = expires_at.and_then(|text| text.parse::<Timestamp>().ok()) else {
        let message = format!("Secret {name:?} has lost the record of its token");
        return Health::new(Mark::Notice, message);
    };
    let left = countdown(expires_at, now);
    if expires_at <= now {
        return Health::new(
            Mark::Bad,
            format!("the token in Secret {name:?} expired at {expires_at} ({left})"),
        );
    }
    let keys = data_keys(meta).map(|keys| format!("; it has {}", listed(&Vec::from_iter(keys))));
    let keys = keys.unwrap_or_default();
    Health::new(
        Mark::Good,
        format!("Secret {name:?} has a token until {expires_at} ({left}){keys}"),
    )
}

fn annotation<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a String> {
    meta.annotations.as_ref()?.get(name)
}

fn has_label(meta: &ObjectMeta, name: &str) -> bool {
    let labels = meta.labels.as_ref();
    labels.is_some_and(|labels| label::is_set(labels, name))
}

fn is_own(meta: &ObjectMeta, uid: &str) -> bool {
    annotation(meta, annotation::OWNER_UID).is_some_and(|owner| owner == uid)
}

/// The keys of the data. The API server has no way to read them without their values, but it records who wrote which key.
fn data_keys(meta: &ObjectMeta) -> Option<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for manager in meta.managed_fields.iter().flatten() {
        let Some(fields) = &manager.fields_v1 else {
            continue;
        };
        for part in ["f:data", "f:stringData"] {
            let named = fields.0[part].as_object().into_iter().flatten();
            keys.extend(named.filter_map(|(name, _)| Some(name.strip_prefix("f:")?.to_owned())));
        }
    }
    (!keys.is_empty()).then_some(keys)
}

fn listed(keys: &[impl AsRef<str>]) -> String {
    let shown = keys.iter().take(MOST_KEYS);
    let mut shown: Vec<_> = shown.map(|key| format!("{:?}", key.as_ref())).collect();
    if keys.len() > MOST_KEYS {
        shown.push(format!("{} more", keys.len() - MOST_KEYS));
    }
    match shown.as_slice() {
        [many @ .., last] if many.len() > 1 => format!("{} and {last}", many.join(", ")),
        few => few.join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(meta: &Value) -> Found {
        Found::Present(Box::new(serde_json::from_value(meta.clone()).unwrap()))
    }

    fn client(keys: &[&str]) -> Value {
        let data: serde_json::Map<_, _> = keys
            .iter()
            .map(|key| (format!("f:{key}"), json!({})))
            .collect();
        json!({
            "labels": {"cube-operator.dev/credential": "true"},
            "managedFields": [{"manager": "a", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": data}}],
        })
    }

    const KEYS: [&str; 2] = ["client-id", "client-secret"];

    #[test]
    fn the_keys_of_a_secret_are_known_by_who_wrote_them() {
        let health = source("client", &KEYS, &found(&client(&KEYS)));
        assert_eq!(
            health,
            Health::new(
                Mark::Good,
                "Secret \"client\" has the label, and \"client-id\" and \"client-secret\""
            )
        );
        let health = source("client", &KEYS, &found(&client(&["client-id"])));
        assert_eq!(
            health,
            Health::new(Mark::Bad, "Secret \"client\" has no \"client-secret\"")
        );
    }

    #[test]
    fn of_two_client_secrets_one_may_be_missing_and_the_one_that_works_is_named() {
        let spec = serde_json::from_value(json!({
            "provider": "Cubewire",
            "clientSecretRef": {"name": "client", "clientSecretKey": "client-secret,next"},
        }));
        let settings = Settings::read("treasury", "main", &spec.unwrap()).unwrap();
        let health = |keys: &[&str]| super::client(&settings, Some("next"), &found(&client(keys)));
        let works = "; the provider last accepted \"next\"";
        for (keys, shown) in [
            (vec!["client-id", "next"], "\"client-id\" and \"next\""),
            (
                vec!["client-id", "client-secret"],
                "\"client-id\" and \"client-secret\"",
            ),
            (
                vec!["client-id", "client-secret", "next"],
                "\"client-id\", \"client-secret\" and \"next\"",
            ),
        ] {
            let message = format!("Secret \"client\" has the label, and {shown}{works}");
            assert_eq!(health(&keys), Health::new(Mark::Good, message));
        }
        let message = "Secret \"client\" has no \"client-secret\" and \"next\"";
        assert_eq!(health(&["client-id"]), Health::new(Mark::Bad, message));
    }

    #[test]
    fn keys_that_nobody_recorded_are_not_missed() {
        let mut meta = client(&KEYS);
        meta["managedFields"] = Value::Null;
        assert_eq!(source("client", &KEYS, &found(&meta)).mark, Mark::Good);
    }

    #[test]
    fn a_secret_without_label_or_that_is_absent_or_hidden_says_so() {
        let mut meta = client(&KEYS);
        meta["labels"] = json!({});
        let health = source("client", &KEYS, &found(&meta));
        assert_eq!(health.mark, Mark::Bad);
        assert!(health.message.contains("`kubectl label secret client "));
        assert_eq!(source("client", &KEYS, &Found::Absent).mark, Mark::Bad);
        let unseen = Found::Unseen("you may not".into());
        assert_eq!(source("client", &KEYS, &unseen).mark, Mark::Unseen);
    }

    #[test]
    fn a_target_is_judged_by_its_own_record() {
        let now = Timestamp::UNIX_EPOCH;
        let meta = |owner: &str, expires_at: &str| {
            found(&json!({"annotations": {
                "cube-operator.dev/owner-uid": owner, "cube-operator.dev/expires-at": expires_at,
            }}))
        };
        let mark = |found: &Found| target("t", "own", found, now).mark;
        assert_eq!(mark(&meta("own", "1970-01-01T01:00:00Z")), Mark::Good);
        assert_eq!(mark(&meta("own", "1970-01-01T00:00:00Z")), Mark::Bad);
        assert_eq!(mark(&meta("own", "later")), Mark::Notice);
        assert_eq!(mark(&meta("other", "1970-01-01T01:00:00Z")), Mark::Bad);
        assert_eq!(mark(&Found::Absent), Mark::Bad);
    }

    #[test]
    fn the_keys_of_a_target_are_named_and_its_values_are_not_known() {
        let health = |keys: &[String]| {
            let fields: serde_json::Map<_, _> = keys
                .iter()
                .map(|key| (format!("f:{key}"), json!({})))
                .collect();
            let meta = json!({
                "annotations": {
                    "cube-operator.dev/owner-uid": "own",
                    "cube-operator.dev/expires-at": "1970-01-01T01:00:00Z",
                },
                "managedFields": [{"fieldsV1": {"f:data": fields}}],
            });
            target("t", "own", &found(&meta), Timestamp::UNIX_EPOCH).message
        };
        let start = "Secret \"t\" has a token until 1970-01-01T01:00:00Z (1h0m); it has ";
        let numbered = |count: usize| (10..10 + count).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(health(&["a".into()]), format!("{start}\"a\""));
        assert_eq!(
            health(&numbered(3)),
            format!("{start}\"10\", \"11\" and \"12\"")
        );
        assert!(health(&numbered(32)).ends_with("\"18\", \"19\" and 22 more"));
    }
}

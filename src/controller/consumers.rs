//! Warns people whose pods never see a refresh of the token that they use. It runs beside the reconciles, and nothing waits for it.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt;

use super::reconciler::Reconciler;
use crate::{
    cluster::{Context, ObjectKey, Watched, convert},
    consumers::{Consumer, Consumers, Pod, Warned},
    kubernetes::{error::ApiError, pods},
    reconcile::{Event, EventKind},
};

/// The time between two lists of pods. A token mostly lives for an hour, so people are warned before it expires.
const INTERVAL: Duration = Duration::from_secs(600);

/// Looks for stale consumers immediately and then every ten minutes, until it is cancelled.
pub(super) async fn warn(reconciler: Arc<Reconciler>) {
    reconciler.readiness.complete().await;
    let mut warned = Warned::default();
    loop {
        if let Err(error) = warn_once(&reconciler.context, &mut warned).await {
            let seconds = INTERVAL.as_secs();
            tracing::warn!(%error, retry_seconds = seconds, "failed to list pods that never see a refresh, retrying");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The published targets of each namespace, by the name of the Secret.
type Targets = BTreeMap<String, BTreeMap<String, ObjectKey>>;

async fn warn_once(context: &Context, warned: &mut Warned) -> Result<(), ApiError> {
    let keys = context.all();
    if !warned.is_empty() {
        let uids: HashSet<_> = keys.iter().filter_map(|key| context.uid(key)).collect();
        warned.retain(|uid| uids.contains(&uid));
    }
    for (namespace, targets) in published(context, keys) {
        let mut consumers = Consumers::of(targets.keys());
        let take = |pods: &[Pod]| consumers.add(pods);
        match pods::pages(&context.parts.client, &namespace, pods::PAGE, take).await {
            Ok(()) => {}
            // Only this namespace is affected.
            Err(error) if error.is_too_large() => {
                tracing::warn!(%namespace, %error, "failed to list all pods that never see a refresh");
            }
            // It ends the round, because missing rights or an unavailable API server concern all namespaces.
            Err(error) => return Err(error),
        }
        for (secret, key) in targets {
            let Some(uid) = context.uid(&key) else {
                continue;
            };
            let restarted = context.restarted(&key);
            let stale: Vec<_> = consumers
                .using(&secret)
                .filter(|consumer| !consumer.is_fresh() && !consumer.is_one_of(&restarted))
                .collect();
            for consumer in warned.news(uid, &stale) {
                if let Some(credential) = context.find(&key) {
                    announce(context, &credential, consumer).await;
                }
            }
        }
    }
    Ok(())
}

fn published(context: &Context, keys: Vec<ObjectKey>) -> Targets {
    let mut published = Targets::new();
    for key in keys {
        let object = context.find(&key);
        // Only our own targets count: foreign Secrets are not our business.
        if let Some(target) = object.and_then(|object| convert::status(&object).target) {
            let targets = published.entry(key.namespace().to_owned()).or_default();
            targets.insert(target.name, key);
        }
    }
    published
}

async fn announce(context: &Context, credential: &Watched, consumer: &Consumer) {
    let event = Event {
        kind: EventKind::StaleConsumer,
        note: consumer.note(),
    };
    let pod = ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Pod".into()),
        namespace: credential.namespace(),
        name: Some(consumer.pod.clone()),
        ..ObjectReference::default()
    };
    context.announce(credential, &event, Some(pod)).await;
}

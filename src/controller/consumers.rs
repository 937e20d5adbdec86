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
    cluster::{Context, Watched, convert},
    consumers::{Consumer, Consumers, Pod, Warned},
    kubernetes::{error::ApiError, pods},
    reconcile::{Event, EventKind},
};

/// The time between two lists of pods. A token mostly lives for an hour: people are warned before it expires.
const INTERVAL: Duration = Duration::from_secs(600);

/// Looks for stale consumers immediately and then every ten minutes, until it is cancelled.
pub(super) async fn warn(reconciler: Arc<Reconciler>) {
    reconciler.readiness.complete().await;
    let mut warned = Warned::default();
    loop {
        if let Err(error) = warn_once(&reconciler.context, &mut warned).await {
            let seconds = INTERVAL.as_secs();
            tracing::warn!(%error, retry_seconds = seconds, "cannot look for pods that never see a refresh");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The published targets of each namespace, by the name of the Secret.
type Targets = BTreeMap<String, BTreeMap<String, Arc<Watched>>>;

async fn warn_once(context: &Context, warned: &mut Warned) -> Result<(), ApiError> {
    let credentials = context.all();
    let uids: HashSet<_> = credentials
        .iter()
        .filter_map(|object| object.uid())
        .collect();
    warned.retain(|uid| uids.contains(uid));
    for (namespace, targets) in published(credentials) {
        let mut consumers = Consumers::of(targets.keys());
        // What is missing in one namespace is missing in all: the rights, or the API server.
        let take = |pods: &[Pod]| consumers.add(pods);
        pods::pages(&context.parts.client, &namespace, pods::PAGE, take).await?;
        for (secret, credential) in targets {
            let stale: Vec<_> = consumers
                .using(&secret)
                .filter(|consumer| !consumer.is_fresh())
                .collect();
            for consumer in warned.news(&credential.uid().unwrap_or_default(), &stale) {
                announce(context, &credential, consumer).await;
            }
        }
    }
    Ok(())
}

fn published(credentials: Vec<Arc<Watched>>) -> Targets {
    let mut published = Targets::new();
    for object in credentials {
        // Only a Secret that is ours: what others keep in theirs is not our business.
        if let Some(target) = convert::status(&object).target {
            let namespace = object.namespace().unwrap_or_default();
            let targets = published.entry(namespace).or_default();
            targets.insert(target.name, object);
        }
    }
    published
}

async fn announce(context: &Context, credential: &Watched, consumer: &Consumer) {
    let event = Event {
        kind: EventKind::StaleConsumer,
        note: consumer.to_string(),
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

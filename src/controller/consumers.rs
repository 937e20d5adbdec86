//! Warns people whose pods use a token where no refresh ever gets. Beside the reconciles, and nothing waits for it.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt;

use super::reconciler::Reconciler;
use crate::{
    consumers::{Consumer, Consumers, Pod, Told},
    kubernetes::{
        convert,
        error::ApiError,
        events, pods,
        world::{Watched, World},
    },
    reconcile::{Event, EventKind},
};

/// Between two looks. A token lives for an hour, mostly: people hear of it before it expires.
const INTERVAL: Duration = Duration::from_secs(600);

/// Looks for stale consumers at once and then every ten minutes, for ever.
pub(super) async fn warn(reconciler: Arc<Reconciler>) {
    reconciler.readiness.complete().await;
    let mut told = Told::default();
    loop {
        if let Err(error) = look(&reconciler.world, &mut told).await {
            let seconds = INTERVAL.as_secs();
            tracing::warn!(%error, retry_seconds = seconds, "cannot look for pods that never see a refresh");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The published targets of each namespace, by the name of the Secret.
type Targets = BTreeMap<String, BTreeMap<String, Arc<Watched>>>;

async fn look(world: &World, told: &mut Told) -> Result<(), ApiError> {
    let credentials = world.credentials.state();
    let uids: HashSet<_> = credentials
        .iter()
        .filter_map(|object| object.uid())
        .collect();
    told.retain(|uid| uids.contains(uid));
    for (namespace, targets) in published(credentials) {
        let mut consumers = Consumers::of(targets.keys());
        // What is missing in one namespace is missing in all: the rights, or the API server.
        let take = |pods: &[Pod]| consumers.add(pods);
        pods::pages(&world.client, &namespace, pods::PAGE, take).await?;
        for (secret, credential) in targets {
            let stale: Vec<_> = consumers
                .using(&secret)
                .filter(|consumer| !consumer.is_fresh())
                .collect();
            for consumer in told.news(&credential.uid().unwrap_or_default(), &stale) {
                tell(world, &credential, consumer).await;
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

async fn tell(world: &World, credential: &Watched, consumer: &Consumer) {
    let news = Event {
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
    events::publish(&world.recorder, credential, &news, Some(pod)).await;
}

//! The rights of a process that stands by: it watches nothing yet, so it asks whether it could take over.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use k8s_openapi::api::authorization::v1::ResourceAttributes;
use kube::Client;

use crate::{
    api::GROUP,
    cli::{Consumers, Warning},
    command::check::missing_for_consumers,
    kubernetes::{access::may, error::ApiError},
    last_error::LastError,
};

/// The pause before rights that do not suffice are asked for again.
const PAUSE: Duration = Duration::from_secs(5);
/// The resources of a namespace that are watched.
const WATCHED: [(&str, &str); 2] = [(GROUP, "cubecredentials"), ("", "secrets")];

/// True once the account may watch at least one namespace. Without that, this process must not replace one that works.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights(Arc<AtomicBool>);

impl Rights {
    pub(super) fn suffice(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Asks until they suffice. `None`: for all namespaces.
    pub(super) fn find(
        &self,
        client: Client,
        namespaces: Option<BTreeSet<String>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let found = Arc::clone(&self.0);
        async move {
            let mut last_error = LastError::default();
            loop {
                match may_watch_one(&client, namespaces.as_ref()).await {
                    Ok(true) => return found.store(true, Ordering::Release),
                    Ok(false) => last_error.end(),
                    Err(error) => {
                        let error = error.to_string();
                        if last_error.is_new(&error) {
                            tracing::warn!(%error, "failed to check the rights of this account, retrying");
                        }
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn may_watch_one(
    client: &Client,
    namespaces: Option<&BTreeSet<String>>,
) -> Result<bool, ApiError> {
    let Some(namespaces) = namespaces else {
        return may_watch(client, None).await;
    };
    for namespace in namespaces {
        if may_watch(client, Some(namespace)).await? {
            return Ok(true);
        }
    }
    // A shard without a namespace lacks no right.
    Ok(namespaces.is_empty())
}

async fn may_watch(client: &Client, namespace: Option<&String>) -> Result<bool, ApiError> {
    for (group, resource) in WATCHED {
        for verb in ["list", "watch"] {
            let attributes = ResourceAttributes {
                group: Some(group.into()),
                resource: Some(resource.into()),
                verb: Some(verb.into()),
                namespace: namespace.cloned(),
                ..ResourceAttributes::default()
            };
            if !may(client, attributes).await? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Logs the rights on pods and workloads that the flags need and the account lacks. Everything else works without them.
pub(super) async fn warn_of_missing(
    client: Client,
    namespaces: Option<BTreeSet<String>>,
    warning: Warning,
    consumers: Consumers,
) {
    let namespaces: Vec<Option<String>> = match namespaces {
        None => vec![None],
        Some(some) => some.into_iter().map(Some).collect(),
    };
    for namespace in namespaces {
        let missing = missing_for_consumers(&client, namespace.as_deref(), warning, consumers);
        match missing.await {
            Ok(missing) => {
                for finding in missing {
                    tracing::warn!(missing = %finding, "this account lacks a right that the flags need");
                }
            }
            Err(error) => {
                return tracing::warn!(%error, "failed to check the rights of this account on pods and workloads");
            }
        }
    }
}

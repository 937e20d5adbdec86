//! Takes in the events of provider objects, finds the `CubeCredentials` that a change affects, and reads single objects for those who
//! watch nothing.

use std::{collections::BTreeSet, sync::Arc};

use kube::{Api, Client, runtime::watcher::Event};

use super::{ProviderKey, Providers, provider_key};
use crate::{
    api::{ClusterCubeProvider, CubeProvider, ProviderKind, ProviderRef},
    cluster::{
        affected::Affected,
        arrival::{ProviderResource, WatchedProvider},
        context::Context,
    },
    kubernetes::error::{ApiError, call},
    lock::lock,
    object::ObjectKey,
    reconcile::FoundProvider,
};

/// The effect of an event of a watch on provider objects.
#[derive(Debug)]
pub(crate) enum ProvidersChanged {
    /// These objects have changed.
    Some(Vec<ProviderKey>),
    /// It is now known which objects there are, or that they cannot be listed: it matters to all that name one.
    All,
}

impl Context {
    /// Takes in an event of the watch on provider objects of this kind.
    pub(crate) fn learn_providers<K: ProviderResource>(
        &self,
        event: &Event<WatchedProvider<K>>,
    ) -> ProvidersChanged {
        let bundles = &self.parts.operator_bundles;
        let mut providers = lock(&self.providers);
        let Some(objects) = providers.of(K::KIND) else {
            return ProvidersChanged::Some(Vec::new());
        };
        let board = &self.parts.provider_board;
        let ends_list = matches!(event, Event::InitDone);
        let first = ends_list && !objects.is_listed;
        // The board is the last to know, because a visit may follow then: if the ConfigMap is read after that visit, it is a change of
        // these objects, and another visit follows.
        let changed = objects.learn(event, bundles);
        board.learn(event, bundles);
        if ends_list {
            board.gone(K::KIND, &changed);
        }
        if first {
            ProvidersChanged::All
        } else {
            ProvidersChanged::Some(changed)
        }
    }

    /// ConfigMaps with CA certificates have changed: the `ClusterCubeProvider`s whose certificates are other ones, and those that have
    /// waited for them.
    pub(crate) fn complete_providers(&self) -> (Vec<ProviderKey>, Vec<ProviderKey>) {
        let mut providers = lock(&self.providers);
        let Some(objects) = providers.of(ProviderKind::ClusterCubeProvider) else {
            return (Vec::new(), Vec::new());
        };
        let (changed, found) = objects.complete();
        drop(providers);
        for key in changed.iter().chain(&found) {
            let id = (ProviderKind::ClusterCubeProvider, key.clone());
            self.parts.provider_board.touch(id);
        }
        (changed, found)
    }

    /// The objects of this kind cannot be listed. Those that were known before stay known.
    pub(crate) fn providers_fail(&self, kind: ProviderKind) -> ProvidersChanged {
        let mut providers = lock(&self.providers);
        match providers.of(kind) {
            Some(objects) if !objects.is_listed && !objects.fails => {
                objects.fails = true;
                ProvidersChanged::All
            }
            _ => ProvidersChanged::Some(Vec::new()),
        }
    }

    /// The `CubeCredentials` that name this provider object.
    pub(crate) fn users_of_provider(&self, kind: ProviderKind, provider: &ProviderKey) -> Affected {
        let index = lock(&self.index);
        let users = index.users_of_provider(kind, provider);
        users.map(|entry| entry.key.clone()).collect()
    }

    /// The number of `CubeCredentials` that name this provider object.
    pub(crate) fn count_of_provider(&self, kind: ProviderKind, provider: &ProviderKey) -> usize {
        lock(&self.index).count_of_provider(kind, provider)
    }

    /// All `CubeCredentials` that name a provider object. It serves the first list of these.
    pub(crate) fn users_of_providers(&self, kind: ProviderKind) -> Affected {
        let keys = self.all();
        let index = lock(&self.index);
        let uses = |key: &ObjectKey| index.provider_of(key).is_some_and(|used| used.kind == kind);
        keys.into_iter().filter(uses).collect()
    }
}

/// Reads the provider object that a reference in this namespace leads to, for those who watch nothing.
///
/// # Errors
/// If the API server refuses or cannot be reached.
pub(crate) async fn read_provider(
    client: &Client,
    reference: &ProviderRef,
    namespace: &str,
) -> Result<FoundProvider, ApiError> {
    let (kind, name) = (reference.kind.name(), &reference.name);
    let found = match reference.kind {
        ProviderKind::CubeProvider => {
            let api: Api<WatchedProvider<CubeProvider>> =
                Api::namespaced(client.clone(), namespace);
            let object = format!("{kind} {namespace}/{name}");
            let found = call("get", object, api.get_opt(name)).await?;
            found.map(|found| found.object)
        }
        ProviderKind::ClusterCubeProvider => {
            let api: Api<WatchedProvider<ClusterCubeProvider>> = Api::all(client.clone());
            let object = format!("{kind} {name}");
            let found = call("get", object, api.get_opt(name)).await?;
            found.map(|found| found.object)
        }
    };
    Ok(found.map_or(FoundProvider::Absent, FoundProvider::Present))
}

impl Context {
    /// Reads the provider objects that these credentials name, where no watch shows them, and returns the errors: of such an object
    /// nothing is known. The operator uses these kinds.
    pub(crate) async fn read_providers(&self, kinds: &[ProviderKind]) -> Vec<ApiError> {
        let bundles = Arc::clone(&self.parts.operator_bundles);
        *lock(&self.providers) = Providers::new(kinds, bundles);
        let wanted: BTreeSet<_> = {
            let index = lock(&self.index);
            let keys = self.all();
            let wanted = keys.iter().filter_map(|key| {
                let reference = index.provider_of(key)?;
                let provider = provider_key(reference, key.namespace());
                Some((reference.clone(), provider))
            });
            wanted.collect()
        };
        let mut errors = Vec::new();
        for (reference, provider) in wanted {
            let namespace = provider.namespace();
            match read_provider(&self.parts.client, &reference, namespace).await {
                Ok(found) => lock(&self.providers).put(&reference, namespace, found),
                Err(error) => errors.push(error),
            }
        }
        errors
    }
}

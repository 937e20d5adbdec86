//! Provider objects as they arrive.

use std::{fmt::Debug, marker::PhantomData, sync::Arc};

use kube::{Resource, core::ObjectMeta};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{Object, read};
use crate::{
    api::{
        ClusterCubeProvider, ClusterCubeProviderSpec, CubeProvider, CubeProviderSpec, ProviderKind,
        ProviderStatus,
    },
    kubernetes::kind::kind_of,
    reconcile::{ProviderObject, ReadProvider, ShownProvider, Unusable},
};

/// A watched provider object of one kind. One that cannot be read must not stop the watch on the others.
#[derive(Clone, Debug)]
pub(crate) struct WatchedProvider<K> {
    metadata: ObjectMeta,
    pub(crate) object: ReadProvider,
    /// Empty if it cannot be read: the operator writes it again.
    status: ProviderStatus,
    kind: PhantomData<K>,
}

/// A kind of provider objects.
pub(crate) trait ProviderResource: Resource<DynamicType = ()> {
    /// The spec of the kind.
    type Spec: DeserializeOwned;
    const KIND: ProviderKind;

    fn read(spec: Self::Spec, status: &ProviderStatus) -> Result<ProviderObject, Unusable>;
}

impl ProviderResource for CubeProvider {
    type Spec = CubeProviderSpec;
    const KIND: ProviderKind = ProviderKind::CubeProvider;

    fn read(spec: CubeProviderSpec, status: &ProviderStatus) -> Result<ProviderObject, Unusable> {
        ProviderObject::of_namespace(spec, status)
    }
}

impl ProviderResource for ClusterCubeProvider {
    type Spec = ClusterCubeProviderSpec;
    const KIND: ProviderKind = ProviderKind::ClusterCubeProvider;

    fn read(
        spec: ClusterCubeProviderSpec,
        status: &ProviderStatus,
    ) -> Result<ProviderObject, Unusable> {
        ProviderObject::of_cluster(spec, status)
    }
}

impl<'de, K: ProviderResource> Deserialize<'de> for WatchedProvider<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Object {
            metadata,
            spec,
            status,
        } = Object::deserialize(deserializer)?;
        let status = status.as_deref().and_then(|status| read(status).ok());
        let status: ProviderStatus = status.unwrap_or_default();
        let spec = spec.as_deref().ok_or_else(|| "missing field `spec`".into());
        let object = match spec.and_then(read) {
            Ok(spec) => K::read(spec, &status).map(Arc::new),
            Err(error) => Err(Unusable::Unreadable(error)),
        };
        Ok(Self {
            metadata: metadata.into(),
            object,
            status,
            kind: PhantomData,
        })
    }
}

impl<K> WatchedProvider<K> {
    /// The facts that its status is written from.
    pub(crate) fn shown(&self) -> ShownProvider {
        ShownProvider {
            uid: self.metadata.uid.clone().unwrap_or_default(),
            version: self.metadata.resource_version.clone().unwrap_or_default(),
            generation: self.metadata.generation.unwrap_or_default(),
            object: self.object.clone(),
            bundle: None,
            status: self.status.clone(),
        }
    }
}

impl<K: Resource<DynamicType = ()>> Resource for WatchedProvider<K> {
    kind_of!(K);

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

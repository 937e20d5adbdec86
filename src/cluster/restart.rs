//! Reads the workloads that a credential restarts, and restarts one of them as `kubectl rollout restart` does: an annotation of the
//! pod template changes.

use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment, StatefulSet},
    core::v1::ObjectReference,
};
use kube::{
    Error, Resource,
    api::{GetParams, Patch, PatchParams},
    core::Request,
};
use serde_json::json;

use super::{arrival::Watched, context::Context, watched::spec};
use crate::{
    api::{FIELD_MANAGER, WorkloadKind, WorkloadRef},
    clock::precisely,
    consumers::Rollout,
    kubernetes::{
        bounded,
        error::{ApiError, call},
    },
    object::ObjectKey,
    reconcile::{Event, Outcome, WorkloadReading, WorkloadRestart},
};

impl Context {
    /// The workloads that are restarted after each refresh.
    pub(crate) fn restarted(&self, key: &ObjectKey) -> Vec<WorkloadRef> {
        let object = self
            .find(key)
            .filter(|_| self.parts.access.restarts_workloads);
        let spec = object.as_deref().and_then(spec);
        spec.map(|spec| spec.consumers.restart.clone())
            .unwrap_or_default()
    }

    /// Reads workloads one after the other, without the parts that no restart depends on.
    pub(super) async fn read_workloads(
        &self,
        namespace: &str,
        mark: String,
        workloads: Vec<WorkloadRef>,
    ) -> Outcome {
        let mut readings = Vec::new();
        for workload in workloads {
            let found = self.read_workload(namespace, &workload).await;
            readings.push(WorkloadReading { workload, found });
        }
        Outcome::Workloads { mark, readings }
    }

    async fn read_workload(
        &self,
        namespace: &str,
        workload: &WorkloadRef,
    ) -> Result<Option<Rollout>, ApiError> {
        let read = async {
            let request = requests(namespace, workload.kind)
                .get(&workload.name, &GetParams::default())
                .map_err(Error::BuildRequest)?;
            bounded::read(&self.parts.client, request, |found: Rollout| found).await
        };
        match call("get", object(namespace, workload), read).await {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) => Err(bounded::too_large("get", object(namespace, workload))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Restarts a workload in exactly the version that was judged: a rollout may have begun since.
    pub(super) async fn restart(
        &self,
        namespace: &str,
        restart: WorkloadRestart,
        credential: &Watched,
    ) -> Outcome {
        let WorkloadRestart {
            of,
            mark,
            annotations,
            event,
        } = restart;
        let workload = &of.workload;
        let patch = Patch::Merge(json!({
            "metadata": {"uid": of.uid, "resourceVersion": of.version},
            "spec": {"template": {"metadata": {"annotations": annotations}}},
        }));
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let written = async {
            let request = requests(namespace, workload.kind)
                .patch(&workload.name, &parameters, &patch)
                .map_err(Error::BuildRequest)?;
            bounded::send(&self.parts.client, request).await
        };
        let written = call("patch", object(namespace, workload), written).await;
        if written.is_ok() {
            tracing::info!(
                namespace,
                kind = ?workload.kind,
                workload = workload.name,
                "restarted a workload for a refreshed token"
            );
            let about = reference(namespace, workload, of.uid.clone());
            self.announce(credential, &event, Some(about.clone())).await;
            self.announce_about(&about, &event).await;
        }
        Outcome::Restarted {
            mark,
            of,
            error: written.err(),
        }
    }

    async fn announce_about(&self, workload: &ObjectReference, event: &Event) {
        let announcement = super::event_queue::announcement(event, None, precisely());
        self.parts.recorder.publish(workload, announcement).await;
    }
}

fn requests(namespace: &str, kind: WorkloadKind) -> Request {
    let namespace = Some(namespace);
    Request::new(match kind {
        WorkloadKind::Deployment => Deployment::url_path(&(), namespace),
        WorkloadKind::StatefulSet => StatefulSet::url_path(&(), namespace),
        WorkloadKind::DaemonSet => DaemonSet::url_path(&(), namespace),
    })
}

fn object(namespace: &str, workload: &WorkloadRef) -> String {
    format!("{:?} {namespace}/{}", workload.kind, workload.name)
}

fn reference(namespace: &str, workload: &WorkloadRef, uid: String) -> ObjectReference {
    ObjectReference {
        api_version: Some("apps/v1".into()),
        kind: Some(format!("{:?}", workload.kind)),
        namespace: Some(namespace.to_owned()),
        name: Some(workload.name.clone()),
        uid: Some(uid),
        ..ObjectReference::default()
    }
}

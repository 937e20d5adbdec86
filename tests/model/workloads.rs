//! The workloads of the namespace: what a restart changes of them, and how their rollouts go on.

use std::collections::BTreeMap;

use cube_operator::{
    api::WorkloadRef,
    api_error::{ApiError, ApiStatus, Cause, StatusClass},
    reconcile::{Outcome, WorkloadReading, WorkloadRestart},
};
use serde_json::{Value, json};

use super::cluster::no_response;

#[derive(Default)]
pub(crate) struct Workloads {
    /// By name.
    found: BTreeMap<String, Value>,
    /// The names of those that were restarted, in order, and the tokens that it was for.
    pub(crate) restarted: Vec<(String, String)>,
    /// True if rollouts stay in progress.
    pub(crate) are_slow: bool,
    /// The name of the one whose restart is refused.
    pub(crate) refused: Option<&'static str>,
    /// True if the API server does not respond to the next restart.
    pub(crate) is_unanswered: bool,
}

impl Workloads {
    /// Creates a Deployment whose pods run.
    pub(crate) fn deploy(&mut self, name: &str) {
        let deployment = json!({
            "metadata": {"uid": format!("{name}-uid"), "resourceVersion": "1", "generation": 1},
            "spec": {"replicas": 1, "template": {"metadata": {}}},
        });
        self.found.insert(name.into(), deployment);
        self.complete(name);
    }

    /// Changes fields of a Deployment.
    pub(crate) fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Value)) {
        edit(self.found.get_mut(name).expect("it exists"));
    }

    /// The rollout of a Deployment is complete.
    pub(crate) fn complete(&mut self, name: &str) {
        self.edit(name, |deployment| {
            let generation = deployment["metadata"]["generation"].clone();
            deployment["status"] = json!({
                "observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
                "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
            });
        });
    }

    pub(super) fn read(&self, workloads: &[WorkloadRef]) -> Vec<WorkloadReading> {
        let reading = |workload: &WorkloadRef| {
            let found = self.found.get(&workload.name).cloned();
            WorkloadReading {
                workload: workload.clone(),
                found: Ok(found.map(|found| serde_json::from_value(found).expect("a Deployment"))),
            }
        };
        workloads.iter().map(reading).collect()
    }

    pub(super) fn restart(&mut self, restart: WorkloadRestart) -> Outcome {
        let error = if self.is_unanswered {
            Some(no_response("restart"))
        } else {
            self.try_restart(&restart).err()
        };
        if error.is_none() {
            let name = restart.of.workload.name.clone();
            let restarted = (name.clone(), restart.mark.clone());
            self.restarted.push(restarted);
            if !self.are_slow {
                self.complete(&name);
            }
        }
        Outcome::Restarted {
            mark: restart.mark,
            of: restart.of,
            error,
        }
    }

    fn try_restart(&mut self, restart: &WorkloadRestart) -> Result<(), ApiError> {
        let name = &restart.of.workload.name;
        if self.refused.is_some_and(|refused| refused == name) {
            return Err(failed(403, StatusClass::Refused));
        }
        let deployment = self.found.get_mut(name).expect("it exists");
        if deployment["metadata"]["resourceVersion"] != restart.of.version.as_str() {
            return Err(failed(409, StatusClass::Conflict));
        }
        let generation = deployment["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        deployment["metadata"]["generation"] = json!(generation);
        deployment["metadata"]["resourceVersion"] = json!(generation.to_string());
        let annotations = &mut deployment["spec"]["template"]["metadata"]["annotations"];
        for (name, value) in &restart.annotations {
            annotations[name.as_str()] = json!(value);
        }
        Ok(())
    }
}

/// A patch that the API server does not accept.
pub(crate) fn failed(code: u16, class: StatusClass) -> ApiError {
    ApiError {
        verb: "patch",
        object: "Deployment treasury/web".into(),
        cause: Cause::Status(ApiStatus {
            message: "no".into(),
            code,
            reason: "Forbidden".into(),
            class,
            namespace_is_gone: false,
        }),
    }
}

//! The metrics of a process that has done everything.

use std::time::Duration;

use cube_operator::{
    api::{CubeCredentialStatus, Reason},
    metrics::Metrics,
    object::ObjectKey,
};
use serde_json::json;

pub(crate) fn text() -> String {
    let status: CubeCredentialStatus = serde_json::from_value(json!({
        "issuedAt": "2026-11-23T10:00:00Z", "expiresAt": "2026-11-23T11:00:00Z",
        "refreshAt": "2026-11-23T10:55:00Z",
        "loginExpiresAt": "2026-11-24T10:00:00Z",
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "Synced", "message": "", "observedGeneration": 1,
            "lastTransitionTime": "2026-11-23T10:00:00Z",
        }],
    }))
    .unwrap();
    let metrics = Metrics::of_shard(Some("0/3"));
    metrics.reported(&ObjectKey::new("treasury", "main"), &status);
    metrics.exchanged(Reason::TokenIssued, Duration::ZERO);
    metrics.probed("accepted");
    metrics.reconciled(true, Duration::ZERO);
    metrics.api_requested("get secrets".into());
    metrics.watches("treasury", true);
    metrics.watches_providers("treasury", "CubeProvider", true);
    metrics.pods_refreshed("ok", 1);
    metrics.cluster_provider_named("login", 2);
    metrics.discovered(true);
    metrics.text()
}

//! The metrics of each `CubeCredential`. They are made from one entry at each scrape, so that a condition never has two values,
//! and nothing remains of a deleted object.

use std::{collections::BTreeMap, fmt, sync::Mutex};

use jiff::Timestamp;
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, metrics::MetricType};

use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    lock::lock,
};

/// The shown values, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Credentials(Mutex<BTreeMap<(String, String), Shown>>);

#[derive(Debug)]
struct Shown {
    expires_at: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    login_expires_at: Option<Timestamp>,
    login_fixed: bool,
    failures: i32,
    conditions: Vec<(ConditionType, ConditionStatus, Reason)>,
}

impl Credentials {
    pub(super) fn show(&self, namespace: &str, name: &str, status: &CubeCredentialStatus) {
        let key = (namespace.to_owned(), name.to_owned());
        lock(&self.0).insert(key, Shown::from(status));
    }

    pub(super) fn forget(&self, namespace: &str, name: &str) {
        lock(&self.0).remove(&(namespace.to_owned(), name.to_owned()));
    }
}

impl From<&CubeCredentialStatus> for Shown {
    fn from(status: &CubeCredentialStatus) -> Self {
        let conditions = [ConditionType::Ready, ConditionType::Refreshed].into_iter();
        Self {
            expires_at: status.expires_at,
            issued_at: status.issued_at,
            login_expires_at: status.login_expires_at,
            login_fixed: status.login_fixed,
            failures: status.failures.unwrap_or(0),
            conditions: conditions
                .filter_map(|r#type| {
                    let found = status.condition(r#type)?;
                    // Another client may have written a status that we have not reported yet, so an unknown reason becomes no
                    // label.
                    Some((r#type, found.status, Reason::from_name(&found.reason)?))
                })
                .collect(),
        }
    }
}

impl Collector for Credentials {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let all = lock(&self.0);
        let seconds = |time: Option<Timestamp>| time.map(Timestamp::as_second);
        let mut gauge = |name, help, value: &dyn Fn(&Shown) -> Option<i64>| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for ((namespace, name), shown) in &*all {
                if let Some(value) = value(shown) {
                    let labels = [("namespace", namespace), ("name", name)];
                    family.encode_family(&labels)?.encode_gauge(&value)?;
                }
            }
            Ok(())
        };
        gauge(
            "token_expiry_timestamp_seconds",
            "When the published token of a CubeCredential expires",
            &|shown| seconds(shown.expires_at),
        )?;
        gauge(
            "last_success_timestamp_seconds",
            "When the published token of a CubeCredential was issued",
            &|shown| seconds(shown.issued_at),
        )?;
        gauge(
            "consecutive_failures",
            "How many exchanges of a CubeCredential have failed in a row",
            &|shown| Some(shown.failures.into()),
        )?;

        let help = "When the login behind a refresh token ends, and whether no refresh extends it";
        let name = "login_expiry_timestamp_seconds";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for ((namespace, name), shown) in &*all {
            if let Some(end) = seconds(shown.login_expires_at) {
                let labels = [
                    ("namespace", namespace),
                    ("name", name),
                    ("fixed", &shown.login_fixed.to_string()),
                ];
                family.encode_family(&labels)?.encode_gauge(&end)?;
            }
        }

        let help = "Always 1: what a condition of a CubeCredential is, and why";
        let mut family = encoder.encode_descriptor("condition", help, None, MetricType::Gauge)?;
        for ((namespace, name), shown) in &*all {
            for (r#type, status, reason) in &shown.conditions {
                let labels = [
                    ("namespace", namespace),
                    ("name", name),
                    ("condition", &format!("{type:?}")),
                    ("status", &format!("{status:?}")),
                    ("reason", &reason.to_string()),
                ];
                family.encode_family(&labels)?.encode_gauge(&1_i64)?;
            }
        }
        Ok(())
    }
}

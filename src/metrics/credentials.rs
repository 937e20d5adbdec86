//! The metrics of each `CubeCredential`. They are made from one entry at each scrape, so that a condition never has two values,
//! and nothing remains of a deleted object.
//!
//! With ten thousand objects they have megabytes of text, so they are made page by page, as fast as the reader takes them.

use std::{
    collections::BTreeMap,
    fmt::Write,
    num::NonZeroI64,
    ops::Bound,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;

use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    lock::lock,
    object::ObjectKey,
};

/// The first word of the names of all metrics.
pub(super) const PREFIX: &str = "cube_operator";
/// The objects on a page. Each has up to two samples of 130 bytes in a family.
const PAGE: usize = 200;

/// The shown values, by namespace and name, of which none needs an escape in a label. A list brings objects in order, which leaves
/// half of each node of the map empty.
#[derive(Debug, Default)]
pub(super) struct Credentials(Mutex<BTreeMap<ObjectKey, Box<Shown>>>);

/// Seconds since 1970, in eight bytes. The first second of 1970 stands for no time.
type Seconds = Option<NonZeroI64>;

#[derive(Debug)]
struct Shown {
    expires_at: Seconds,
    refresh_at: Seconds,
    issued_at: Seconds,
    login_expires_at: Seconds,
    login_fixed: bool,
    failures: i32,
    ready: Option<(ConditionStatus, Reason)>,
    refreshed: Option<(ConditionStatus, Reason)>,
}

/// There are ten thousand of them, and each size is rounded up to the next multiple of 16 bytes.
const _: () = assert!(size_of::<Shown>() <= 48);

/// A gauge with samples of each object: further labels, and the value.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: fn(&Shown) -> Vec<(String, i64)>,
}

const FAMILIES: [Family; 6] = [
    Family {
        name: "token_expiry_timestamp_seconds",
        help: "Time at which the published token of a CubeCredential expires",
        samples: |shown| time(shown.expires_at),
    },
    Family {
        name: "next_refresh_timestamp_seconds",
        help: "Time of the next planned exchange of a CubeCredential, if one is planned",
        samples: |shown| time(shown.refresh_at),
    },
    Family {
        name: "last_success_timestamp_seconds",
        help: "Time at which the published token of a CubeCredential was issued",
        samples: |shown| time(shown.issued_at),
    },
    Family {
        name: "consecutive_failures",
        help: "Number of consecutive failed exchanges of a CubeCredential",
        samples: |shown| vec![(String::new(), shown.failures.into())],
    },
    Family {
        name: "login_expiry_timestamp_seconds",
        help: "Time at which the login behind a refresh token ends, if the provider states it. fixed is true if the last \
               refresh has not extended it",
        samples: |shown| {
            let fixed = format!(",fixed=\"{}\"", shown.login_fixed);
            let end = shown.login_expires_at.map(|end| (fixed, end.get()));
            end.into_iter().collect()
        },
    },
    Family {
        name: "condition",
        help: "Always 1: status and reason of a condition of a CubeCredential",
        samples: |shown| {
            let ready = condition(ConditionType::Ready, shown.ready);
            let refreshed = condition(ConditionType::Refreshed, shown.refreshed);
            ready.into_iter().chain(refreshed).collect()
        },
    },
];

fn time(value: Seconds) -> Vec<(String, i64)> {
    value
        .map(|value| (String::new(), value.get()))
        .into_iter()
        .collect()
}

fn condition(
    r#type: ConditionType,
    value: Option<(ConditionStatus, Reason)>,
) -> Option<(String, i64)> {
    let (status, reason) = value?;
    let labels = format!(",condition=\"{type:?}\",status=\"{status:?}\",reason=\"{reason}\"");
    Some((labels, 1))
}

impl Credentials {
    pub(super) fn show(&self, key: &ObjectKey, status: &CubeCredentialStatus) {
        lock(&self.0).insert(key.clone(), Box::new(status.into()));
    }

    pub(super) fn forget(&self, key: &ObjectKey) {
        lock(&self.0).remove(key);
    }

    /// All of them as text, in the `OpenMetrics` format.
    pub(super) fn pages(self: Arc<Self>) -> impl Iterator<Item = String> {
        FAMILIES.iter().flat_map(move |family| {
            let credentials = Arc::clone(&self);
            let mut text = family.head();
            let mut next = Some(Bound::Unbounded);
            std::iter::from_fn(move || {
                next = credentials.page(family, next.take()?, &mut text);
                Some(std::mem::take(&mut text))
            })
        })
    }

    /// Writes the samples of the next objects. Returns where to continue.
    fn page(
        &self,
        family: &Family,
        from: Bound<ObjectKey>,
        text: &mut String,
    ) -> Option<Bound<ObjectKey>> {
        let all = lock(&self.0);
        let mut last = None;
        for (key, shown) in all.range((from, Bound::Unbounded)).take(PAGE) {
            let (namespace, name) = key.parts();
            for (labels, value) in (family.samples)(shown) {
                let family = family.name;
                writeln!(
                    text,
                    "{PREFIX}_{family}{{namespace=\"{namespace}\",name=\"{name}\"{labels}}} {value}"
                )
                .expect("writing to a String cannot fail");
            }
            last = Some(key);
        }
        last.cloned().map(Bound::Excluded)
    }
}

impl Family {
    fn head(&self) -> String {
        let Self { name, help, .. } = self;
        format!("# HELP {PREFIX}_{name} {help}.\n# TYPE {PREFIX}_{name} gauge\n")
    }
}

impl From<&CubeCredentialStatus> for Shown {
    fn from(status: &CubeCredentialStatus) -> Self {
        let seconds = |time: Option<Timestamp>| NonZeroI64::new(time?.as_second());
        let condition = |r#type| {
            let found = status.condition(r#type)?;
            // Another client may have written a status that we have not reported yet, so an unknown reason becomes no label.
            Some((found.status, Reason::from_name(&found.reason)?))
        };
        Self {
            expires_at: seconds(status.expires_at),
            refresh_at: seconds(status.refresh_at),
            issued_at: seconds(status.issued_at),
            login_expires_at: seconds(status.login_expires_at),
            login_fixed: status.login_fixed,
            failures: status.failures.unwrap_or(0),
            ready: condition(ConditionType::Ready),
            refreshed: condition(ConditionType::Refreshed),
        }
    }
}

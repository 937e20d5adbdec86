//! Changes that mean nothing: labels, and a restart with its lists. None of them may cost a request.

use std::collections::BTreeMap;

use cube_operator::api::CubeCredential;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};

use super::{
    observed::Snapshot,
    row::{Repair, Retry, Row},
    setup::{Setup, is_well},
};
use crate::{
    operator::{Operator, eventually},
    place::told,
};

/// Labels all `CubeCredentials` and CA bundles, and waits until each has been reconciled.
pub(super) fn touch(setup: &Setup, operator: &Operator, value: &str) {
    let before = operator.reconciles();
    let objects = setup.label_all::<CubeCredential>(value).len();
    setup.label_all::<ConfigMap>(value);
    let count = before + f64::from(u32::try_from(objects).unwrap());
    eventually("all of them are looked at", || {
        (operator.reconciles() >= count).then_some(())
    });
}

/// Labels all Secrets. A process that never saw the version before cannot tell this from another client secret, so the new
/// versions have to be known before the restart.
pub(super) fn touch_secrets(setup: &Setup, rows: &[Row]) {
    let versions = setup.label_all::<Secret>("yes");
    setup.wait_until("the new version is known", rows.iter(), |row, status| {
        let known = status
            .attempted
            .as_ref()
            .map(|attempted| &attempted.source_resource_version);
        known.is_none() || known == versions.get(&format!("{}-client", row.object()))
    });
}

pub(super) fn only_planned_requests_were_sent(
    setup: &Setup,
    rows: &[Row],
    before: &BTreeMap<&'static str, Snapshot>,
) {
    let left = || {
        rows.iter()
            .filter(|row| !matches!(row.repair, Repair::BeforeRestart))
    };
    let (in_time, left): (Vec<_>, Vec<_>) =
        left().partition(|row| matches!(row.repair, Repair::Time));
    setup.wait_until("its next try works", in_time.into_iter(), |row, status| {
        is_well(status) && setup.requests(row).1 == 1
    });
    let (soon, left): (Vec<_>, Vec<_>) = left.into_iter().partition(|row| row.retry.is_soon());
    // Each request is a failure that was counted, so there was none between the planned ones.
    setup.wait_until(
        "as many requests as failures",
        soon.into_iter(),
        |row, status| {
            let failures = usize::try_from(status.failures.unwrap_or_default()).unwrap();
            let asked = failures + usize::from(row.starts_with_token);
            let requests = setup.requests(row);
            requests == (asked, 0) || (row.requests, requests) == (0, (0, 0))
        },
    );
    let rested = |row: &Row| setup.requests(row) == (row.requests, 0);
    setup.wait_until("no more requests", left.iter().copied(), |row, _| {
        rested(row)
    });
    let statuses = setup.statuses();
    // Another process asks the API once more, and so shows another time.
    let changes = |row: &&Row| matches!(row.retry, Retry::Write | Retry::Probe);
    for row in left.into_iter().filter(|row| !changes(row)) {
        let (name, status, before) = (row.name, &statuses[&row.object()], &before[row.name].status);
        assert_eq!(told(status), told(before), "{name}");
        assert_eq!(status.refresh_at, before.refresh_at, "{name}");
        assert!(rested(row), "{name}");
    }
}

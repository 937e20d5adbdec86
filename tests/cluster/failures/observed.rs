//! Compares what people read with the table: conditions, next attempt and events.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use cube_operator::api::{ConditionType::Refreshed, CubeCredentialStatus};
use jiff::Timestamp;

use super::{
    page::Page,
    row::{Repair, Retry, Row},
    setup::{Setup, is_well, next_try},
};
use crate::{operator::DEADLINE, place::told};

/// A status, and the latest time at which its content can have become known.
pub(super) struct Snapshot {
    pub(super) status: CubeCredentialStatus,
    known: Timestamp,
}

/// The beginnings of conditions: `Ready=False InvalidClient`.
pub(super) fn heads(told: &[String]) -> Vec<&str> {
    let head = |line: &String| line.find(':').unwrap_or(line.len());
    told.iter().map(|line| &line[..head(line)]).collect()
}

/// Takes the status of each row as soon as it is as in the table, as some of them change again.
pub(super) fn observe(
    setup: &Setup,
    rows: &[Row],
    page: &mut Page,
) -> BTreeMap<&'static str, Snapshot> {
    start_with_tokens(setup, rows);
    let mut found = BTreeMap::new();
    let start = Instant::now();
    while found.len() < rows.len() {
        let (statuses, now) = (setup.statuses(), Timestamp::now());
        for row in rows {
            let Some(status) = statuses.get(&row.object()) else {
                continue;
            };
            if found.contains_key(row.name) || heads(&told(status)) != heads(&row.conditions) {
                continue;
            }
            if !page.record(setup, row) {
                continue;
            }
            found.insert(row.name, snapshot(status, now));
            setup.apply_after(Some(row.name));
            if matches!(row.repair, Repair::Time) {
                setup.repair_provider_of(row);
            }
        }
        let missing = rows.iter().filter(|row| !found.contains_key(row.name));
        let missing: Vec<_> = missing
            .map(|row| (row.name, statuses.get(&row.object()).map(told)))
            .collect();
        assert!(
            missing.is_empty() || start.elapsed() < 3 * DEADLINE,
            "not as in the table: {missing:#?}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    found
}

/// Waits for the first tokens of rows that start with one, and requests others.
fn start_with_tokens(setup: &Setup, rows: &[Row]) {
    let begin = || rows.iter().filter(|row| row.starts_with_token);
    setup.wait_until("the first token", begin(), |_, status| is_well(status));
    setup.request_refresh(begin(), "again");
}

fn snapshot(status: &CubeCredentialStatus, now: Timestamp) -> Snapshot {
    let flipped = status
        .condition(Refreshed)
        .map(|fact| fact.last_transition_time);
    let is_first = status.failures.is_none_or(|failures| failures == 1);
    Snapshot {
        status: status.clone(),
        known: flipped.filter(|_| is_first).unwrap_or(now),
    }
}

/// Compares whole conditions and the time of the next attempt.
pub(super) fn conditions_are_as_in_the_table(
    setup: &Setup,
    rows: &[Row],
    snapshots: &BTreeMap<&str, Snapshot>,
) {
    let compared = rows.iter().map(|row| {
        let status = &snapshots[row.name].status;
        (told(status), setup.fill(row, status))
    });
    let differing: Vec<_> = compared.filter(|(told, table)| told != table).collect();
    assert!(differing.is_empty(), "not as in the table: {differing:#?}");
    for row in rows {
        is_planned(row, &snapshots[row.name]);
    }
}

fn is_planned(row: &Row, Snapshot { status, known }: &Snapshot) {
    let name = row.name;
    let unplanned = matches!(row.retry, Retry::Recheck | Retry::Never | Retry::Write);
    assert_eq!(status.refresh_at.is_none(), unplanned, "{name}");
    if let Retry::Refresh(lifetime) = row.retry {
        let (issued, expires) = (status.issued_at.unwrap(), status.expires_at.unwrap());
        assert_eq!(expires.duration_since(issued).as_secs(), lifetime, "{name}");
    }
    // Nobody waits for it: the time is in the status, and the simulation proves that a reconcile wakes at it. The failure was
    // known after the request was sent, and before the status was written.
    if let Some((least, most)) = row.retry.bounds(status.failures.unwrap_or(1)) {
        let next = time_of_next_try(status);
        let after = |from: Timestamp| next.duration_since(from).as_secs();
        let after_sending = status.last_attempt_at.map(after);
        assert!(
            after_sending.is_none_or(|seconds| seconds >= least) && after(*known) <= most,
            "{name}: {least} s to {most} s after {known}: {status:#?}"
        );
    }
}

fn time_of_next_try(status: &CubeCredentialStatus) -> Timestamp {
    if let Some(time) = status.refresh_at {
        return time;
    }
    next_try(status).unwrap().parse().unwrap()
}

/// Compares the events. A process that has ended has sent all of them.
pub(super) fn each_change_has_one_event(setup: &Setup, rows: &[Row]) {
    let mut events = setup.events();
    for row in rows {
        let mut events = events.remove(&row.object()).unwrap_or_default();
        if matches!(row.repair, Repair::Time | Repair::BeforeRestart) {
            let repaired = ["Normal Recovered", "Normal TokenIssued"];
            events
                .retain(|event| row.events.contains(event) || !repaired.contains(&event.as_str()));
        }
        assert_eq!(events, row.events, "{}", row.name);
    }
}

pub(super) fn unlabelled_objects_were_not_read(setup: &Setup) {
    let place = &setup.place;
    let user = place.account();
    for secret in [
        "row-unlabelled-client",
        "row-r-unlabelled-login",
        "row-unlabelled-bundle-roots",
        "row-r-foreign-cube-state",
        "row-conflict-token",
    ] {
        let given = place
            .plane
            .kinds_of_secret_given_to(&user, &place.namespace, secret);
        assert!(!given.is_empty(), "{secret} was looked at");
        let metadata = |kind: &String| kind == "PartialObjectMetadata";
        assert!(given.iter().all(metadata), "{secret}: {given:?}");
    }
}

//! The test that runs all rows at once.

use std::collections::BTreeSet;

use cube_operator::api::Reason;

use super::{
    apply_repairs::{repair_all, repair_before_restart},
    irrelevant_changes::{only_planned_requests_were_sent, touch, touch_secrets},
    observed::{
        conditions_are_as_in_the_table, each_change_has_one_event, observe,
        unlabelled_objects_were_not_read,
    },
    page::Page,
    row::Row,
    rows::rows,
    setup::Setup,
    words::messages_are_short_plain_and_stand_once,
};
use crate::operator::Operator;

/// The library that checks certificates would log its own words about them, as errors.
fn no_name_in_a_certificate_is_logged(operator: &Operator) {
    let mut lines = operator.lines().into_iter();
    let told = lines.find(|line| line["level"] == "ERROR");
    assert_eq!(told, None);
}

#[test]
fn every_reason_is_in_the_table() {
    let told: BTreeSet<_> = rows().iter().flat_map(Row::reasons).collect();
    assert_eq!(told, Reason::ALL.map(|reason| reason.to_string()).into());
}

#[test]
fn every_failure_explains_itself_is_not_made_worse_and_ends_as_soon_as_it_is_mended() {
    let rows: &'static [Row] = Box::leak(rows().into_boxed_slice());
    let setup = Setup::new(rows);
    let mut operator = setup.operator();
    setup.apply_after(None);

    let mut page = Page::default();
    let snapshots = observe(&setup, rows, &mut page);
    conditions_are_as_in_the_table(&setup, rows, &snapshots);
    messages_are_short_plain_and_stand_once(&setup, &snapshots);
    unlabelled_objects_were_not_read(&setup);
    no_name_in_a_certificate_is_logged(&operator);
    repair_before_restart(&setup, rows);

    touch_secrets(&setup, rows);
    touch(&setup, &operator, "before");
    operator.terminate();
    assert!(operator.wait().success());
    each_change_has_one_event(&setup, rows);
    operator = setup.operator();
    touch(&setup, &operator, "after");
    only_planned_requests_were_sent(&setup, rows, &snapshots);

    repair_all(&setup, &operator, rows);
    page.check();
}

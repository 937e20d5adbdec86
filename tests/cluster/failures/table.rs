//! All rows at once.

use std::collections::BTreeSet;

use cube_operator::api::Reason;

use super::{
    answers,
    book::Book,
    cure::{cure, cure_early},
    local,
    look::{
        each_change_was_told_once, everything_explains_itself, look,
        nobody_was_shown_what_has_no_label,
    },
    others,
    row::Row,
    stage::Stage,
    wake::{nothing_was_asked_for_but_what_was_planned, touch, touch_secrets},
};
use crate::operator::Operator;

fn rows() -> Vec<Row> {
    let tables = [answers::rows(), local::rows(), others::rows()];
    tables.into_iter().flatten().collect()
}

/// The library that judges a certificate logs what it holds against it, in its words.
fn no_name_in_a_certificate_is_logged(operator: &Operator) {
    let mut lines = operator.lines().into_iter();
    let told = lines.find(|line| line["target"].as_str().unwrap().starts_with("rustls"));
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
    let stage = Stage::new(rows);
    let mut operator = stage.operator();
    stage.set_after(None);

    let mut book = Book::default();
    let snapshots = look(&stage, rows, &mut book);
    everything_explains_itself(&stage, rows, &snapshots);
    nobody_was_shown_what_has_no_label(&stage);
    no_name_in_a_certificate_is_logged(&operator);
    cure_early(&stage, rows);

    touch_secrets(&stage, rows);
    touch(&stage, &operator, "before");
    operator.terminate();
    assert!(operator.wait().success());
    each_change_was_told_once(&stage, rows);
    operator = stage.operator();
    touch(&stage, &operator, "after");
    nothing_was_asked_for_but_what_was_planned(&stage, rows, &snapshots);

    cure(&stage, &operator, rows);
    book.check();
}

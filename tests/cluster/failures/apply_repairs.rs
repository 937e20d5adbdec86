//! Repairs every row, and counts the requests that follow.

use cube_operator::api::Grant;
use serde_json::json;

use super::{
    row::{Repair, Row},
    rows::writes::{NO_CHANGE, NO_NEW},
    setup::{Setup, is_well},
};
use crate::{
    operator::{Operator, eventually},
    place::told,
};

/// Repairs the rows that would keep the process from ending.
pub(super) fn repair_before_restart(setup: &Setup, rows: &[Row]) {
    setup.allow(NO_CHANGE);
    let early = rows
        .iter()
        .filter(|row| matches!(row.repair, Repair::BeforeRestart));
    setup.wait_until("its answer is stored", early, |_, status| is_well(status));
}

/// Repairs everything else: each row works immediately.
pub(super) fn repair_all(setup: &Setup, operator: &Operator, rows: &[Row]) {
    let before: Vec<_> = rows.iter().map(|row| setup.requests(row)).collect();
    for row in rows {
        setup.repair_provider_of(row);
    }
    no_pause_is_cut_short(setup, operator, rows);

    for row in rows {
        match row.repair {
            Repair::Command => run_the_command_in_the_message(setup, row),
            Repair::Marks(secret) => set_the_marks_in_the_message(setup, row, secret),
            Repair::Deletion(objects) => {
                drop(setup.place.kubectl(&[&["delete"], objects].concat()));
            }
            _ => {}
        }
    }
    setup.allow(NO_NEW);
    setup.wait_for_policy(false);
    let rows_with =
        |wanted: fn(&Repair) -> bool| rows.iter().filter(move |row| wanted(&row.repair));
    setup.repair(rows_with(Repair::is_in_the_objects));
    setup.request_refresh(rows_with(Repair::needs_a_request), "mended");

    setup.wait_until("it works", rows.iter(), |row, status| {
        is_well(status) && setup.requests(row).1 >= row.requests_after_repair
    });
    for (row, (asked, _)) in rows.iter().zip(before) {
        let name = row.name;
        let (asked_now, well) = setup.requests(row);
        // Such a Secret is looked at every minute.
        let may_be_looked_at = matches!(row.repair, Repair::Deletion(_));
        if row.retry.is_soon() || may_be_looked_at {
            // The planned attempt may have come before the requested one.
            assert!(well <= row.requests_after_repair + 1, "{name}: {well}");
        } else {
            assert_eq!(
                (asked_now, well),
                (asked, row.requests_after_repair),
                "{name}"
            );
        }
        let sent = format!("{}-{name}", row.sends);
        let sent = (row.grant == Grant::RefreshToken).then_some(sent);
        assert_eq!(setup.sent_at_first(row), sent, "{name}");
    }
}

fn no_pause_is_cut_short(setup: &Setup, operator: &Operator, rows: &[Row]) {
    let paused = || {
        let paused = rows
            .iter()
            .filter(|row| matches!(row.repair, Repair::Pause));
        paused.filter(|row| !row.retry.is_soon())
    };
    let requests = || paused().map(|row| setup.requests(row)).collect::<Vec<_>>();
    let before = (requests(), operator.reconciles());
    setup.request_refresh(paused(), "in-vain");
    for row in paused() {
        let edit = json!({"spec": {"description": "in vain"}});
        setup.place.patch("cubecredential", &row.object(), &edit);
    }
    let count = before.1 + f64::from(u32::try_from(before.0.len()).unwrap());
    eventually("they are looked at", || {
        (operator.reconciles() >= count).then_some(())
    });
    assert_eq!(requests(), before.0);
}

/// One command after the other, between backquotes.
fn run_the_command_in_the_message(setup: &Setup, row: &Row) {
    let message = told(&setup.statuses()[&row.object()])[1].clone();
    let commands = message.split('`').nth(1).expect("a command");
    for command in commands.split(" && ") {
        let command = command.strip_prefix("kubectl ").unwrap();
        // A person pastes it as it is, without choosing a namespace.
        let arguments: Vec<_> = command.split(' ').collect();
        setup.place.plane.kubectl(&arguments);
    }
}

/// The annotation comes first, because a Secret with the label alone may be sent anywhere.
fn set_the_marks_in_the_message(setup: &Setup, row: &Row, secret: &str) {
    let message = told(&setup.statuses()[&row.object()])[1].clone();
    for (verb, word) in [("annotate", "annotation "), ("label", "label ")] {
        let (_, mark) = message.split_once(word).expect(word);
        let mark = mark.split(' ').next().unwrap();
        let mark = mark.trim_end_matches([':', ',']);
        setup
            .place
            .kubectl(&[verb, "secret", secret, mark, "--overwrite"]);
    }
}

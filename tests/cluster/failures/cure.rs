//! What helps, and how soon.

use cube_operator::api::Grant;
use serde_json::json;

use super::{
    others::{NO_CHANGE, NO_NEW},
    row::{Cure, Row},
    stage::{Stage, is_well},
};
use crate::{
    operator::{Operator, eventually},
    place::told,
};

/// What would hold the end of the process up.
pub(super) fn cure_early(stage: &Stage, rows: &[Row]) {
    stage.permit(NO_CHANGE);
    let early = rows.iter().filter(|row| matches!(row.cure, Cure::Early));
    stage.wait_until("its answer is stored", early, |_, status| is_well(status));
}

/// Everything is mended, and works at once.
pub(super) fn cure(stage: &Stage, operator: &Operator, rows: &[Row]) {
    let before: Vec<_> = rows.iter().map(|row| stage.requests(row)).collect();
    for row in rows {
        stage.mend_provider_of(row);
    }
    no_pause_is_cut_short(stage, operator, rows);

    for row in rows {
        match row.cure {
            Cure::Command => run_what_the_message_says(stage, row),
            Cure::Deletion(objects) => drop(stage.place.kubectl(&[&["delete"], objects].concat())),
            _ => {}
        }
    }
    stage.permit(NO_NEW);
    stage.wait_for_policy(false);
    let rows_with = |wanted: fn(&Cure) -> bool| rows.iter().filter(move |row| wanted(&row.cure));
    stage.mend(rows_with(Cure::is_in_the_objects));
    stage.ask(rows_with(Cure::needs_a_request), "mended");

    stage.wait_until("it works", rows.iter(), |row, status| {
        is_well(status) && stage.requests(row).1 >= row.asks_again
    });
    for (row, (asked, _)) in rows.iter().zip(before) {
        let name = row.name;
        let (asked_now, well) = stage.requests(row);
        if row.next.is_soon() {
            // Perhaps by the planned try, and then by the request.
            assert!(well <= row.asks_again + 1, "{name}: {well}");
        } else {
            assert_eq!((asked_now, well), (asked, row.asks_again), "{name}");
        }
        let sent = format!("{}-{name}", row.sends);
        let sent = (row.grant == Grant::RefreshToken).then_some(sent);
        assert_eq!(stage.sent_at_first(row), sent, "{name}");
    }
}

fn no_pause_is_cut_short(stage: &Stage, operator: &Operator, rows: &[Row]) {
    let paused = || {
        let paused = rows.iter().filter(|row| matches!(row.cure, Cure::Pause));
        paused.filter(|row| !row.next.is_soon())
    };
    let requests = || paused().map(|row| stage.requests(row)).collect::<Vec<_>>();
    let before = (requests(), operator.reconciles());
    stage.ask(paused(), "in-vain");
    for row in paused() {
        let edit = json!({"spec": {"description": "in vain"}});
        stage.place.patch("cubecredential", &row.object(), &edit);
    }
    let count = before.1 + f64::from(u32::try_from(before.0.len()).unwrap());
    eventually("they are looked at", || {
        (operator.reconciles() >= count).then_some(())
    });
    assert_eq!(requests(), before.0);
}

/// `... run COMMAND; ...`
fn run_what_the_message_says(stage: &Stage, row: &Row) {
    let message = told(&stage.statuses()[&row.object()])[0].clone();
    let rest = message.split("run kubectl ").nth(1).expect("a command");
    let arguments: Vec<_> = rest.split(';').next().unwrap().split(' ').collect();
    // As it is pasted: in whatever namespace.
    stage.place.plane.kubectl(&arguments);
}

//! `events.md`, from the documentation of the events.

use cube_operator::reconcile::EventKind;

use super::{Table, check, code, prose};

fn table(is_warning: bool) -> Table {
    let mut table = Table::new(&["event", "meaning"]);
    for event in EventKind::CHANGES {
        if event.is_warning() == is_warning {
            table.row([code(&event.reason()), prose(event.meaning())]);
        }
    }
    table
}

#[test]
fn events_are_listed() {
    let page = format!(
        "# Events\n\n\
         Events mark changes, and never routine work: a refresh that works makes none. `kubectl describe cubecredential NAME` shows \
         them, and `kubectl events --for cubecredential/NAME` those of the last hour. Warnings are published immediately. Most normal \
         events are published one after the other, and no token waits for them, so they may come late when thousands of tokens are \
         issued together; each has the time of the change that it reports. A process that ends publishes those that wait for 5 s \
         more, and one that is killed loses them: the status and its conditions have all that matters.\n\n\
         ## Normal\n\n{}\n## Warnings\n\n{}\n\
         Each [reason](conditions.md#reasons) of a failure is a warning too, once when it begins. It stands for the whole failure: \
         its retries make no further events.\n",
        table(false).0,
        table(true).0
    );
    check("events.md", "src/reconcile/event.rs", &page);
}

//! A decision and an outcome cost few allocations: a guard by counts, as a time would depend on the machine. Some are left for
//! the next field, but not for a copy of what was observed.

use std::hint::black_box;

use super::world::{World, seconds};
use crate::reconcile::{Outcome, Session, Slot, Turn, absorb, decide};

/// The allocations of this work.
fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    allocation_counter::measure(|| drop(black_box(work()))).count_total
}

#[test]
fn a_decision_that_nothing_is_due_allocates_little() {
    let mut world = World::ready();
    let observed = world.observe();
    let count = allocations(|| decide(&observed, world.now));
    assert!(count <= 130, "{count}");
}

#[test]
fn a_decision_that_a_refresh_is_due_allocates_little() {
    let mut world = World::ready();
    let observed = world.observe();
    let count = allocations(|| decide(&observed, world.now + seconds(3_400)));
    assert!(count <= 130, "{count}");
}

#[test]
fn taking_in_a_source_allocates_little() {
    let mut world = World::ready();
    let mut observed = world.observe();
    let due = world.now + seconds(3_400);
    let mut session = Session::begin(observed.clone());
    let outcome = loop {
        match session.next(|| true, due) {
            Turn::Read(read) => break world.objects.read(&read, session.observed()),
            Turn::TakeSlot { .. } => drop(session.absorb(Outcome::Slot(Slot::Taken), due)),
            turn => panic!("not in this test: {turn:?}"),
        }
    };
    let count = allocations(|| absorb(&mut observed, outcome, due));
    assert!(count <= 20, "{count}");
}

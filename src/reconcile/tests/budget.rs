//! Token requests of one client: how many, in which order, and what people read while they wait.

mod grace;
mod pauses;
mod queue;
mod reporting;

use std::{cell::RefCell, rc::Rc};

use super::world::{World, seconds};
use crate::reconcile::Budget;

/// Credentials of one client in one process.
fn worlds(count: usize) -> Vec<World> {
    let budget = Rc::new(RefCell::new(Budget::new(seconds(12), World::new().now)));
    (0..count)
        .map(|number| {
            let mut world = World::new();
            world.process.budget = Rc::clone(&budget);
            world.uid = number.to_string();
            world
        })
        .collect()
}

fn settle(worlds: &mut [World]) {
    for world in worlds {
        world.settle();
    }
}

/// Another process, which knows what stands in the status of all.
fn restart(worlds: &mut [World]) {
    let budget = Rc::new(RefCell::new(Budget::new(seconds(12), worlds[0].now)));
    for world in &mut *worlds {
        world.restart();
        world.process.budget = Rc::clone(&budget);
        world.recall_pause();
    }
}

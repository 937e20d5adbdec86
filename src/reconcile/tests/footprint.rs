//! The memory of a credential between two reconciles.

use allocation_counter::measure;

use super::{probes, world::World};
use crate::reconcile::Memory;

/// The bytes of a memory, with what is on the heap.
fn bytes(world: &World) -> i64 {
    let memory = world.process.memory.as_ref().unwrap();
    let mut copy = None;
    let heap = measure(|| copy = Some(memory.clone())).bytes_current;
    heap + i64::try_from(size_of::<Memory>()).unwrap()
}

#[test]
fn little_is_remembered_of_a_credential_with_a_live_token() {
    let (client, login) = (bytes(&World::ready()), {
        let mut world = World::signed_in();
        world.settle();
        bytes(&world)
    });
    assert!(
        client <= 430 && login <= 500,
        "{client} bytes for client credentials, {login} for a refresh token"
    );
}

#[test]
fn a_probe_takes_memory_only_while_its_api_does_not_accept_a_token() {
    assert_eq!(bytes(&probes::ready()), bytes(&World::ready()));
    let held_back = bytes(&probes::refused());
    assert!(
        held_back > bytes(&probes::ready()) && held_back <= 2_000,
        "{held_back}"
    );
}

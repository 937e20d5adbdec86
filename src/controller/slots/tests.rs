use allocation_counter::measure;
use futures::FutureExt;

use super::*;

/// Many objects, and what they got.
#[derive(Default)]
struct World(Slots);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl World {
    fn take(&mut self, namespace: &str, name: &str, deadline: i64) -> Slot {
        let key = ObjectKey::new(namespace, name);
        let uid = format!("{namespace}/{name}");
        self.0.take(&key, uid.as_str().into(), at(deadline), at(0))
    }

    /// How many of these objects got a slot.
    fn take_many(&mut self, namespace: &str, count: usize) -> usize {
        let slots = (0..count).map(|number| self.take(namespace, &number.to_string(), 1000));
        slots.filter(|slot| *slot == Slot::Taken).count()
    }

    fn end(&mut self, uid: &str) -> Vec<String> {
        let granted = self.0.end(uid.into(), Ending::Done);
        granted
            .into_iter()
            .map(|key| key.name().to_owned())
            .collect()
    }
}

const LARGEST_PART: usize = 52;
const WAITS: Slot = Slot::Later {
    since: Timestamp::UNIX_EPOCH,
};

#[test]
fn a_namespace_gets_a_part_and_twenty_together_do_not_get_all() {
    let mut world = World::default();
    assert_eq!(world.take_many("0", 1500), LARGEST_PART);
    for greedy in 1..20 {
        world.take_many(&greedy.to_string(), 1500);
        let innocent = format!("innocent-{greedy}");
        assert_eq!(world.take(&innocent, "first", 0), Slot::Taken);
        world.end(&format!("{innocent}/first"));
    }
}

#[test]
fn a_free_slot_goes_to_the_namespace_with_the_fewest_and_there_to_the_first_token_to_expire() {
    let mut world = World::default();
    let mut namespaces = 0;
    while world.0.fair.in_progress() < ALL {
        world.take_many(&format!("greedy-{namespaces}"), 2);
        namespaces += 1;
    }
    assert_eq!(world.take("innocent", "later", 900), WAITS);
    assert_eq!(world.take("innocent", "first", 300), WAITS);
    assert_eq!(world.end("greedy-0/0"), ["first"]);
    assert_eq!(world.take("innocent", "first", 300), Slot::Taken);
}

#[test]
fn a_slot_is_kept_for_the_object_that_it_was_granted_to() {
    let mut world = World::default();
    world.take_many("a", LARGEST_PART);
    assert_eq!(world.take("a", "next", 0), WAITS);
    assert_eq!(world.take("a", "last", 1), WAITS);
    assert_eq!(world.end("a/0"), ["next"]);
    // It was granted while the reconcile that had asked was still in progress.
    assert_eq!(world.0.end("a/next".into(), Ending::Waits), []);
    assert_eq!(world.take("a", "newcomer", 0), WAITS);
    assert_eq!(world.take("a", "next", 0), Slot::Taken);
    assert_eq!(world.end("a/next"), ["newcomer"]);
}

#[test]
fn a_slot_that_is_not_used_goes_to_the_next() {
    for give_up in [
        |slots: &mut Slots| slots.end("a/next".into(), Ending::Done),
        |slots: &mut Slots| slots.end("a/next".into(), Ending::Interrupted),
        |slots: &mut Slots| slots.forget("a/next".into()),
    ] {
        let mut world = World::default();
        world.take_many("a", LARGEST_PART);
        world.take("a", "next", 0);
        world.take("a", "last", 1);
        assert_eq!(world.end("a/0"), ["next"]);
        assert_eq!(give_up(&mut world.0), [ObjectKey::new("a", "last")]);
    }
}

#[test]
fn responses_that_cannot_be_stored_take_slots_from_their_own_namespace_alone() {
    let mut world = World::default();
    for number in 0..LARGEST_PART {
        assert_eq!(world.take("a", &number.to_string(), 0), Slot::Taken);
        world.0.set_aside(format!("a/{number}").as_str().into());
    }
    assert!(!world.0.any_taken());
    assert_eq!(world.take_many("b", LARGEST_PART), LARGEST_PART);
    assert_eq!(world.take("a", "next", 0), WAITS);
    world.0.forget("a/0".into());
    assert!(world.end("b/0").is_empty());
    assert_eq!(world.end("a/0"), ["next"]);
}

#[test]
fn an_exchange_that_follows_a_stored_response_takes_a_slot_again() {
    let mut world = World::default();
    world.take("a", "x", 0);
    world.0.set_aside("a/x".into());
    assert_eq!(world.take("a", "x", 0), Slot::Taken);
    assert_eq!(world.0.free(), ALL - 1);
    world.end("a/x");
    assert_eq!((world.0.free(), world.0.uses.len()), (ALL, 0));
}

#[test]
fn a_deleted_object_keeps_its_slot_until_its_exchange_has_ended() {
    let mut world = World::default();
    world.take_many("a", LARGEST_PART);
    world.take("a", "next", 0);
    assert_eq!(world.0.forget("a/0".into()), []);
    assert_eq!(world.end("a/0"), ["next"]);
}

#[tokio::test]
async fn they_are_finished_when_the_last_exchange_has_ended_although_others_wait() {
    let exchanges = Exchanges::new(HashMap::new());
    let take = |name: &str| exchanges.take(&ObjectKey::new("a", name), name.into(), at(0));
    assert!(exchanges.finished().now_or_never().is_some());
    let names: Vec<_> = (0..=LARGEST_PART)
        .map(|number| number.to_string())
        .collect();
    let taken = names.iter().filter(|name| take(name) == Slot::Taken);
    let taken: Vec<_> = taken.collect();
    assert_eq!(taken.len(), LARGEST_PART);
    let mut finished = pin!(exchanges.finished());
    for name in taken {
        assert!(finished.as_mut().now_or_never().is_none());
        exchanges.end(name.as_str().into(), Ending::Done);
    }
    assert!(finished.now_or_never().is_some());
}

#[test]
fn those_that_wait_take_little_memory_and_none_afterwards() {
    const WAITING: usize = 5_000;
    let object = |number| {
        let uid = format!("0b5c7a80-1d3e-4f5a-9b6c-{number:012}");
        (ObjectKey::new("a", &uid), Uid::from(&*uid))
    };
    let mut world = World::default();
    world.take_many("a", LARGEST_PART);
    let objects: Vec<_> = (0..WAITING).map(object).collect();
    let take = || {
        for (key, uid) in &objects {
            assert_eq!(world.0.take(key, *uid, at(0), at(0)), WAITS);
        }
    };
    let each = measure(take).bytes_current / i64::try_from(WAITING).unwrap();
    assert!(each <= 185, "{each} bytes");
    for (_, uid) in &objects {
        world.0.end(*uid, Ending::Done);
    }
    for number in 0..LARGEST_PART {
        world.end(&format!("a/{number}"));
    }
    assert_eq!(world.0.uses.capacity(), 0);
}

#[test]
fn nothing_is_kept_of_an_object_without_an_exchange() {
    let mut world = World::default();
    world.take_many("a", LARGEST_PART + 1);
    for number in (0..=LARGEST_PART).rev() {
        world.end(&format!("a/{number}"));
    }
    assert!(world.0.uses.is_empty());
    assert_eq!(world.0.fair.in_progress(), 0);
}

#[tokio::test]
async fn a_response_that_was_set_aside_is_stored_when_its_reconcile_has_ended() {
    let exchanges = Exchanges::new(HashMap::new());
    exchanges.take(&ObjectKey::new("a", "x"), "x".into(), at(0));
    assert!(exchanges.stored().now_or_never().is_some());
    exchanges.set_aside("x".into());
    assert!(exchanges.finished().now_or_never().is_some());
    let mut stored = pin!(exchanges.stored());
    assert!(stored.as_mut().now_or_never().is_none());
    exchanges.end("x".into(), Ending::Done);
    assert!(stored.now_or_never().is_some());
}

use std::time::Duration;

use super::*;
use crate::clock::instant;

/// A queue at a time of its own.
struct World {
    queue: Queue,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self {
            queue: Queue::default(),
            now: instant(),
        }
    }

    fn add(&mut self, namespace: &str, name: &str) {
        self.add_by(namespace, name, 0);
    }

    fn add_by(&mut self, namespace: &str, name: &str, deadline: i64) {
        let deadline = Timestamp::from_second(deadline).unwrap();
        self.queue
            .add(ObjectKey::new(namespace, name), "uid".into(), deadline);
    }

    fn after(&self, seconds: u64) -> Instant {
        self.now + Duration::from_secs(seconds)
    }

    fn pass(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        let awake = std::iter::from_fn(|| self.queue.awake(self.now));
        awake.map(|key| key.name().to_owned()).collect()
    }

    fn begin_all(&mut self) -> Vec<Run> {
        let uid_of = |_: &ObjectKey| Some("uid".into());
        std::iter::from_fn(|| self.queue.next(uid_of)).collect()
    }
}

fn names(runs: &[Run]) -> Vec<&str> {
    runs.iter().map(|run| run.key.name()).collect()
}

/// The most workers of one namespace.
const MOST: usize = 12;

#[test]
fn fifteen_hundred_objects_of_one_namespace_leave_workers_to_others() {
    let mut world = World::new();
    for number in 0..1500 {
        world.add("neighbour", &number.to_string());
    }
    assert_eq!(world.begin_all().len(), MOST);
    for number in 0..1500 {
        world.add("innocent", &number.to_string());
    }
    assert_eq!(world.begin_all().len(), 3);
    world.add("third", "first");
    assert_eq!(names(&world.begin_all()), ["first"]);
}

#[test]
fn where_many_wait_the_namespace_with_the_fewest_comes_next() {
    let mut world = World::new();
    let mut running = Vec::new();
    for namespace in ["a", "b", "c"] {
        for number in 0..100 {
            world.add(namespace, &number.to_string());
        }
        running.extend(world.begin_all());
    }
    assert_eq!(running.len(), WORKERS);
    world.add("innocent", "first");
    assert!(world.begin_all().is_empty());
    assert_eq!(world.queue.end(running.remove(0), None), None);
    assert_eq!(names(&world.begin_all()), ["first"]);
}

#[test]
fn reconciles_begin_only_when_those_with_a_new_token_have_written_it() {
    let mut world = World::new();
    for number in 0..60 {
        world.add("a", &number.to_string());
    }
    let mut exchanging = Vec::new();
    for _ in 0..2 {
        let begun = world.begin_all();
        for run in &begun {
            world.queue.leave_worker(run);
        }
        exchanging.extend(begun);
    }
    for run in &exchanging {
        world.queue.take_worker(run);
        // Taking it twice counts once.
        world.queue.take_worker(run);
    }
    for (written, run) in (1..).zip(exchanging) {
        assert_eq!(world.begin_all().len(), usize::from(written > MOST + 1));
        world.queue.end(run, None);
    }
    assert_eq!(world.begin_all().len(), 1);
}

#[test]
fn a_reconcile_that_waits_for_a_provider_holds_no_worker() {
    let mut world = World::new();
    for number in 0..40 {
        world.add("a", &number.to_string());
    }
    let mut begun = 0;
    for run in world.begin_all() {
        begun += 1;
        world.queue.leave_worker(&run);
        // Leaving twice, and ending without a worker, counts once.
        world.queue.leave_worker(&run);
        world.queue.end(run, None);
    }
    let (second, third) = (world.begin_all(), world.begin_all());
    assert_eq!((begun, second.len(), third.len()), (MOST, MOST, 0));
}

#[test]
fn tokens_about_to_expire_come_first() {
    let mut world = World::new();
    world.add_by("a", "later", 300);
    world.add_by("a", "soon", 100);
    world.add_by("a", "later still", 900);
    assert_eq!(names(&world.begin_all()), ["soon", "later", "later still"]);
}

#[test]
fn an_object_is_in_the_queue_once_and_runs_once() {
    let mut world = World::new();
    for _ in 0..3 {
        world.add("a", "one");
    }
    let mut runs = world.begin_all();
    assert_eq!(names(&runs), ["one"]);
    world.add("a", "one");
    assert!(world.begin_all().is_empty(), "it still runs");
    // It had asked for a delay, and the event that came meanwhile is not lost.
    let again = world.queue.end(runs.remove(0), Some(world.after(60)));
    assert_eq!(again, Some(ObjectKey::new("a", "one")));
    assert_eq!(world.queue.next_awake(), None);
}

#[test]
fn an_object_sleeps_until_its_time_or_the_next_event() {
    let mut world = World::new();
    world.add("a", "one");
    world.add("a", "two");
    for (run, seconds) in world.begin_all().into_iter().zip([10, 20]) {
        let wake_at = Some(world.after(seconds));
        world.queue.end(run, wake_at);
    }
    assert_eq!(world.queue.next_awake(), Some(world.after(10)));
    assert_eq!(world.pass(9), [""; 0]);
    assert_eq!(world.pass(1), ["one"]);
    world.add("a", "two");
    assert_eq!(names(&world.begin_all()), ["two"]);
    assert_eq!(world.pass(60), [""; 0], "the event replaced the delay");
}

#[test]
fn a_new_object_does_not_wait_for_the_reconcile_of_a_deleted_one_by_its_name() {
    let mut world = World::new();
    world.add("a", "one");
    let mut old = world.begin_all();
    let key = ObjectKey::new("a", "one");
    world
        .queue
        .add(key, "another uid".into(), Timestamp::UNIX_EPOCH);
    let new = world.queue.next(|_| Some("another uid".into())).unwrap();
    assert_eq!(new.key.name(), "one");
    // The end of the old one changes nothing for the new one.
    world.queue.end(old.remove(0), Some(world.after(1)));
    assert_eq!(world.queue.next_awake(), None);
    world.queue.end(new, Some(world.after(2)));
    assert_eq!(world.queue.next_awake(), Some(world.after(2)));
}

#[test]
fn an_object_that_is_gone_is_passed_over() {
    let mut world = World::new();
    world.add_by("a", "gone", 0);
    world.add_by("a", "there", 1);
    let uid_of = |key: &ObjectKey| (key.name() == "there").then(|| "uid".into());
    assert_eq!(world.queue.next(uid_of).unwrap().key.name(), "there");
    assert_eq!(world.queue.ready.in_progress(), 1);
    assert_eq!(world.queue.objects.len(), 1);
}

#[test]
fn nothing_is_kept_of_an_object_that_waits_for_an_event() {
    let mut world = World::new();
    world.add("a", "one");
    for run in world.begin_all() {
        world.queue.end(run, None);
    }
    assert!(world.queue.objects.is_empty() && world.queue.working.is_empty());
    assert_eq!(world.queue.ready.in_progress(), 0);
}

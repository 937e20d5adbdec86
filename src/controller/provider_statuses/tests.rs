use super::queue::{REST, SETTLE};
use super::*;
use crate::cluster::ObjectKey;

fn id(namespace: &str, name: &str) -> ProviderId {
    let key = ObjectKey::new(namespace, name);
    (ProviderKind::CubeProvider, key)
}

fn begin_all(queue: &mut Queue) -> Vec<String> {
    let begun = std::iter::from_fn(|| queue.begin_next());
    begun
        .map(|(_, key)| format!("{}/{}", key.namespace, key.name))
        .collect()
}

#[test]
fn an_object_that_changes_in_a_loop_is_visited_once_in_each_rest() {
    let (mut queue, begun) = (Queue::default(), instant());
    let mut visits = 0;
    for step in 0..600 {
        let now = begun + Duration::from_millis(100) * step;
        queue.touch(id("a", "loop"), now);
        queue.wake(now);
        while let Some(id) = queue.begin_next() {
            visits += 1;
            queue.end(id, None, now);
        }
    }
    // In a minute.
    assert_eq!(visits, 12);
}

#[test]
fn a_change_during_a_visit_is_followed_by_another_one() {
    let (mut queue, now) = (Queue::default(), instant());
    queue.touch(id("a", "main"), now);
    assert_eq!(begin_all(&mut queue), [""; 0], "more may follow");
    queue.wake(now + SETTLE);
    assert_eq!(begin_all(&mut queue), ["a/main"]);
    queue.touch(id("a", "main"), now + SETTLE);
    queue.end(id("a", "main"), None, now + SETTLE);
    queue.wake(now + SETTLE + REST);
    assert_eq!(begin_all(&mut queue), ["a/main"]);
    queue.end(id("a", "main"), None, now + SETTLE + REST);
    queue.wake(now + SETTLE + REST * 2);
    assert_eq!(begin_all(&mut queue), [""; 0]);
}

#[test]
fn the_objects_of_a_namespace_do_not_delay_those_of_another() {
    let (mut queue, now) = (Queue::default(), instant());
    for number in 0..1000 {
        queue.touch(id("greedy", &number.to_string()), now);
    }
    queue.wake(now + SETTLE);
    assert_eq!(begin_all(&mut queue).len(), 2, "the visits of a namespace");
    queue.touch(id("other", "main"), now + SETTLE);
    queue.wake(now + SETTLE * 2);
    assert_eq!(begin_all(&mut queue), ["other/main"]);
}

#[test]
fn a_visit_that_asks_for_another_one_gets_it_then_and_a_change_comes_before() {
    let (mut queue, now) = (Queue::default(), instant());
    let long = Duration::from_secs(3600);
    queue.touch(id("a", "main"), now);
    queue.wake(now + SETTLE);
    assert_eq!(begin_all(&mut queue).len(), 1);
    queue.end(id("a", "main"), Some(long), now);
    queue.wake(now + REST);
    assert_eq!(begin_all(&mut queue).len(), 0);
    assert_eq!(queue.wakes_at(now), now + long);
    queue.touch(id("a", "main"), now + REST);
    queue.wake(now + REST + SETTLE);
    assert_eq!(begin_all(&mut queue).len(), 1);
}

mod races;

use std::{
    future,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::poll;
use kube::runtime::watcher::Event;
use serde_json::json;

use super::{
    queue::{REST, SETTLE},
    *,
};
use crate::{
    api::CubeProvider,
    cluster::{ObjectKey, WatchedProvider},
    controller::tests::{complete_lists, list, reconciler_at},
    leader::Leadership,
    reconcile::DiscoveryFailure,
};

fn id(namespace: &str, name: &str) -> ProviderId {
    let key = ObjectKey::new(namespace, name);
    (ProviderKind::CubeProvider, key)
}

fn found(work: &Work, id: &ProviderId) -> ShownProvider {
    match work.board.find(id) {
        Visited::Found(shown) => *shown,
        other => panic!("{other:?}"),
    }
}

fn begin_all(queue: &mut Queue) -> Vec<String> {
    let begun = std::iter::from_fn(|| queue.begin_next());
    begun
        .map(|(_, key)| format!("{}/{}", key.namespace(), key.name()))
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

/// A `CubeProvider` with an issuer that is asked nothing here, and a credential that names it.
fn named(leadership: Leadership, requests: &Arc<AtomicUsize>) -> Work {
    let requests = Arc::clone(requests);
    let reconciler = reconciler_at(leadership, move || {
        requests.fetch_add(1, Ordering::SeqCst);
        future::ready(())
    });
    let credential = json!({
        "metadata": {"namespace": "a", "name": "user", "uid": "uid", "resourceVersion": "7"},
        "spec": {"providerRef": {"name": "main"}, "clientSecretRef": {"name": "client"}},
    });
    list(&reconciler, &[serde_json::from_value(credential).unwrap()]);
    complete_lists(&reconciler);
    Work::of(vec![Arc::new(reconciler)])
}

fn define(work: &Work, spec: &serde_json::Value) {
    let object = json!({
        "metadata": {"namespace": "a", "name": "main", "generation": 1}, "spec": spec,
    });
    let object: WatchedProvider<CubeProvider> = serde_json::from_value(object).unwrap();
    let scope = work.scopes.values().next().unwrap();
    scope.context.learn_providers(&Event::Apply(object));
}

#[tokio::test]
async fn a_visit_neither_waits_for_an_issuer_nor_writes_what_was_seen_before_the_read() {
    let requests = Arc::default();
    let work = named(Leadership::alone(), &requests);
    define(&work, &json!({"issuer": "https://login.example.com"}));
    let id = id("a", "main");
    let Visit::LooksUp(wanted) = work.visit(&id).await else {
        panic!("its read is due");
    };
    assert_eq!(requests.load(Ordering::SeqCst), 0);
    // While it is read, the object gets a URL.
    work.with_lookup(&id, |lookup| {
        lookup.ended(wanted, Err(DiscoveryFailure::Hidden), now())
    });
    define(
        &work,
        &json!({"tokenURL": "https://login.example.com/token"}),
    );
    work.visit(&id).await;
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    let shown = found(&work, &id).status;
    assert!(shown.ready().is_none_or(|ready| ready.reason == "Usable"));
}

#[tokio::test]
async fn a_process_that_has_lost_its_leadership_reads_and_writes_nothing() {
    let requests = Arc::default();
    let work = named(Leadership::of(1), &requests);
    let issuer = json!({"issuer": "https://login.example.com"});
    define(&work, &issuer);
    let id = id("a", "main");
    let wanted = found(&work, &id).object.unwrap();
    let wanted = wanted.discovery().unwrap().clone();
    // It waited for its turn.
    work.look_up(&id, wanted.clone()).await;
    work.with_lookup(&id, |lookup| assert!(lookup.failure(&wanted).is_none()));
    assert_eq!(work.visit(&id).await, Visit::Ended(Some(LEADERSHIP_DELAY)));
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_read_waits_for_a_slot_of_its_own() {
    let work = Arc::new(named(Leadership::alone(), &Arc::default()));
    let issuer = json!({"issuer": "https://127.0.0.1"});
    define(&work, &issuer);
    let id = id("a", "main");
    let Visit::LooksUp(wanted) = work.visit(&id).await else {
        panic!("its read is due");
    };
    let slots = [
        work.lookup_slots.take("a").await,
        work.lookup_slots.take("a").await,
    ];
    let mut read = pin!(work.look_up(&id, wanted.clone()));
    assert!(poll!(&mut read).is_pending());
    drop(slots);
    read.await;
    // The network is refused, so nothing was sent.
    work.with_lookup(&id, |lookup| assert!(lookup.failure(&wanted).is_some()));
}

#[test]
fn the_visit_after_a_read_comes_without_a_rest_and_no_turn_is_lost() {
    let (mut queue, now) = (Queue::default(), instant());
    for number in 0..3 {
        queue.touch(id("a", &number.to_string()), now);
    }
    queue.wake(now + SETTLE);
    assert_eq!(begin_all(&mut queue), ["a/0", "a/1"]);
    queue.again(id("a", "0"));
    assert_eq!(begin_all(&mut queue).len(), 1);
    queue.end(id("a", "1"), None, now + SETTLE);
    assert_eq!(begin_all(&mut queue).len(), 1);
}

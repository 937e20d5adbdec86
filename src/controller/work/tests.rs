use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    controller::tests::{complete_lists, list, object_in, reconciler_at, reconciler_that},
    leader::Leadership,
};

/// Lets all tasks run until each of them waits.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// Events of these objects, and no end of them.
fn events(keys: Vec<ObjectKey>) -> impl Stream<Item = ObjectKey> {
    stream::iter(keys).chain(stream::pending())
}

fn begin(reconciler: &Arc<Reconciler>, keys: Vec<ObjectKey>) {
    let (_, granted) = unbounded_channel();
    tokio::spawn(work(Arc::clone(reconciler), events(keys), granted));
}

#[tokio::test]
async fn a_process_that_does_not_lead_reconciles_nothing() {
    for (leadership, reconciles) in [(Leadership::alone(), 1), (Leadership::of(1), 0)] {
        let reconciler = reconciler_that(leadership);
        list(&reconciler, &[object_in("a", "main", "uid")]);
        complete_lists(&reconciler);
        let reconciler = Arc::new(reconciler);
        begin(&reconciler, vec![ObjectKey::new("a", "main")]);
        settle().await;
        assert_eq!(reconciler.states.uids().len(), reconciles);
    }
}

#[tokio::test]
async fn nothing_is_reconciled_before_the_first_lists_are_there_or_after_the_stop() {
    let reconciler = reconciler_that(Leadership::alone());
    list(&reconciler, &[object_in("a", "main", "uid")]);
    let reconciler = Arc::new(reconciler);
    begin(&reconciler, vec![ObjectKey::new("a", "main")]);
    settle().await;
    assert!(reconciler.states.uids().is_empty(), "lists are missing");
    reconciler.stop.cancel();
    complete_lists(&reconciler);
    settle().await;
    assert!(reconciler.states.uids().is_empty(), "it has stopped");
}

#[tokio::test]
async fn a_namespace_gets_most_of_the_workers_and_another_one_gets_some() {
    let (arrived, responses) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let respond = {
        let (arrived, responses) = (Arc::clone(&arrived), Arc::clone(&responses));
        move || {
            arrived.fetch_add(1, Ordering::Relaxed);
            let responses = Arc::clone(&responses);
            async move { responses.acquire().await.expect("it is open").forget() }
        }
    };
    let reconciler = reconciler_at(Leadership::alone(), respond);
    let neighbours =
        (0..100).map(|number| object_in("a", &number.to_string(), &format!("a{number}")));
    let mut objects: Vec<_> = neighbours.collect();
    objects.push(object_in("b", "innocent", "innocent"));
    list(&reconciler, &objects);
    complete_lists(&reconciler);
    let reconciler = Arc::new(reconciler);
    begin(
        &reconciler,
        objects.iter().map(crate::cluster::key).collect(),
    );
    settle().await;
    assert_eq!(arrived.load(Ordering::Relaxed), 12 + 1);
    let begun = reconciler.states.uids();
    assert!(begun.contains(&"innocent".into()), "{begun:?}");
    // The next one begins when one has ended: each is interrupted by its first response, which it cannot read. One of them is the
    // other namespace's.
    responses.add_permits(5);
    settle().await;
    assert_eq!(arrived.load(Ordering::Relaxed), 12 + 1 + 4);
}

/// Both of its events arrive before the reconcile of the earlier object has begun.
#[tokio::test]
async fn an_object_that_is_created_again_is_reconciled_by_one_task() {
    let arrived = Arc::new(AtomicUsize::new(0));
    let hang = {
        let arrived = Arc::clone(&arrived);
        move || {
            arrived.fetch_add(1, Ordering::Relaxed);
            std::future::pending()
        }
    };
    let reconciler = Arc::new(reconciler_at(Leadership::alone(), hang));
    let (progress, _progressed) = unbounded_channel();
    let mut work = Work {
        reconciler: Arc::clone(&reconciler),
        queue: Queue::default(),
        progress,
    };
    for uid in ["first", "second"] {
        list(&reconciler, &[object_in("a", "main", uid)]);
        work.add(ObjectKey::new("a", "main"));
        work.begin();
    }
    settle().await;
    assert_eq!(arrived.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_reconcile_that_panics_does_not_keep_its_object_from_the_next_one() {
    let (progress, mut progressed) = unbounded_channel();
    let mut queue = Queue::default();
    queue.add(ObjectKey::new("a", "main"), "uid".into(), now());
    let run = queue.next(|_| Some("uid".into())).expect("it is ready");
    let job = Job {
        run,
        progress,
        delay: Some(BUG_DELAY),
    };
    let task = tokio::spawn(async move {
        job.uses(Worker::Left);
        panic!("a bug, and the job with it");
    });
    assert!(task.await.is_err_and(|error| error.is_panic()));
    let left = progressed.recv().await;
    assert!(matches!(left, Some(Progress::Worker(_, Worker::Left))));
    let ended = progressed.recv().await;
    assert!(matches!(ended, Some(Progress::Ended(_, Some(BUG_DELAY)))));
}

//! Elections on an API server in memory, on a clock that only waits for them.

mod shards;
mod store;

use proptest::prelude::*;
use tokio::task::JoinHandle;

use super::*;
use store::{Connection, Store};

/// A process that takes part.
struct Candidate {
    connection: Arc<Mutex<Connection>>,
    leadership: Leadership,
    stop: CancellationToken,
    /// Cancelled when its last exchange is over.
    done: CancellationToken,
    process: JoinHandle<Result<(), String>>,
}

impl Candidate {
    fn start(store: &Store, name: &str) -> Self {
        Self::of_shard(store, name, Shard::ALL)
    }

    fn of_shard(store: &Store, name: &str, shard: Shard) -> Self {
        let connection = Arc::new(Mutex::new(Connection::Works));
        let (elections, leadership) = elections(
            &store.client(&connection),
            &"system/leader".parse().unwrap(),
            shard,
            name,
            &Metrics::default(),
        );
        let (stop, done) = (CancellationToken::new(), CancellationToken::new());
        let (stopped, finished, leads) = (stop.clone(), done.clone(), leadership.clone());
        // A process whose lease is lost has no exchange in progress here.
        let lost = async move {
            stopped.cancelled().await;
            while leads.is_current() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let (stopped, exchanged) = (stop.clone(), done.clone());
        let work = async move || {
            exchanged.run_until_cancelled(lost).await;
            exchanged.cancel();
        };
        let process = tokio::spawn(async move { lead(elections, &stopped, &finished, work).await });
        Self {
            connection,
            leadership,
            stop,
            done,
            process,
        }
    }

    fn leads(&self) -> bool {
        self.leadership.is_current()
    }

    /// The end of its process, which comes within a minute.
    async fn end(&mut self) -> Result<(), String> {
        let end = tokio::time::timeout(Duration::from_secs(60), &mut self.process);
        end.await.expect("it ends").unwrap()
    }

    fn set(&self, connection: Connection) {
        *lock(&self.connection) = connection;
    }
}

async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// Two processes; the first one leads.
async fn two() -> (Store, Candidate, Candidate) {
    let store = Store::default();
    let first = Candidate::start(&store, "first");
    pass(1).await;
    let second = Candidate::start(&store, "second");
    pass(60).await;
    (store, first, second)
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_another_stands_by() {
    let (store, first, mut second) = two().await;
    assert!(first.leads() && !second.leads());
    assert!(second.leadership.stands_by());
    assert_eq!(
        (store.holder().as_deref(), store.transitions()),
        (Some("first"), 0)
    );
    let lease = store.spec();
    assert!(lease.renew_time >= lease.acquire_time);
    second.stop.cancel();
    assert_eq!(second.end().await, Ok(()));
    assert_eq!(store.holder().as_deref(), Some("first"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_given_back_after_the_last_exchange_and_taken_immediately() {
    let (store, mut first, second) = two().await;
    first.stop.cancel();
    pass(100).await;
    assert!(first.leads() && !second.leads(), "an exchange is under way");
    first.done.cancel();
    pass(3).await;
    assert_eq!(first.end().await, Ok(()));
    assert!(second.leads());
    assert_eq!(
        (store.holder().as_deref(), store.transitions()),
        (Some("second"), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_process_that_is_gone_is_taken_when_it_ends() {
    let (store, first, second) = two().await;
    first.process.abort();
    pass(12).await;
    assert!(!second.leads() && !first.leads());
    pass(6).await;
    assert!(second.leads());
    assert_eq!(
        (store.holder().as_deref(), store.transitions()),
        (Some("second"), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_restarted_container_leads_immediately() {
    let (store, first, _second) = two().await;
    first.process.abort();
    let again = Candidate::start(&store, "first");
    pass(1).await;
    assert!(again.leads());
    assert_eq!(store.transitions(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_pauses_and_resumes_if_no_other_took_over() {
    for outage in [
        Connection::Down,
        Connection::Silent,
        Connection::LosesResponses,
    ] {
        let (_, first, second) = two().await;
        // The second one has observed the last renewal by then.
        sleep(Duration::from_millis(500)).await;
        first.set(outage);
        second.set(outage);
        pass(11).await;
        assert!(!first.leads(), "{outage:?}");
        pass(100).await;
        // The second one notices first that the outage is over.
        second.set(Connection::Works);
        pass(6).await;
        first.set(Connection::Works);
        pass(6).await;
        assert!(first.leads() && !first.stop.is_cancelled(), "{outage:?}");
        pass(60).await;
        assert!(first.leads() && !second.leads(), "{outage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_ends_no_term() {
    let (_, first, _second) = two().await;
    first.set(Connection::Silent);
    pass(3).await;
    first.set(Connection::Works);
    for _ in 0..60 {
        assert!(first.leads());
        sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_finds_another_one_ends() {
    let (store, mut first, second) = two().await;
    first.set(Connection::Down);
    pass(30).await;
    assert!(second.leads());
    first.set(Connection::Works);
    assert_eq!(
        first.end().await,
        Err(
            "second has taken Lease system/leader, because this process did not renew it in time"
                .into()
        )
    );
    assert!(first.stop.is_cancelled() && !first.leadership.is_current());
    assert!(second.leads());
    assert_eq!(store.holder().as_deref(), Some("second"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_finds_that_another_one_came_and_went_ends() {
    let (store, mut first, mut second) = two().await;
    first.set(Connection::Down);
    pass(30).await;
    second.done.cancel();
    assert_eq!(second.end().await, Ok(()));
    first.set(Connection::Works);
    assert_eq!(
        first.end().await,
        Err("another process has taken Lease system/leader, because this process did not renew it in time".into())
    );
    assert!(first.stop.is_cancelled() && !first.leadership.is_current());
    assert_eq!(store.holder(), None, "it is free for the next one");
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_is_a_moment_late_stands_by() {
    let (store, first, second) = two().await;
    // Both read the lease, and one of them is the first to write.
    let third = Candidate::start(&store, "third");
    second.set(Connection::Slow);
    third.set(Connection::Slow);
    pass(60).await;
    first.process.abort();
    for _ in 0..30 {
        pass(1).await;
        for candidate in [&second, &third] {
            assert!(candidate.leads() || candidate.leadership.stands_by());
        }
    }
    assert!(second.leads() ^ third.leads());
}

#[test]
fn a_term_is_over_when_one_of_two_clocks_says_so() {
    let leadership = Leadership::of(1);
    let now = moment();
    let later = now.after(Duration::from_secs(60));
    for (end, leads) in [
        (later, true),
        (
            Moment {
                instant: now.instant,
                ..later
            },
            false,
        ),
        (
            Moment {
                time: now.time,
                ..later
            },
            false,
        ),
    ] {
        *lock(&leadership.0[0]) = Role::Leads(end);
        assert_eq!(leadership.is_current(), leads, "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_cannot_read_the_lease_does_not_stand_by() {
    let (_, _first, second) = two().await;
    let third = Candidate::start(&Store::default(), "third");
    second.set(Connection::Down);
    third.set(Connection::Down);
    pass(60).await;
    for candidate in [second, third] {
        assert!(!candidate.leads() && !candidate.leadership.stands_by());
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_a_person_gives_to_another_ends_before_its_term() {
    let (store, first, _second) = two().await;
    store.edit(|lease| lease["spec"]["holderIdentity"] = "second".into());
    pass(5).await;
    assert!(first.process.is_finished() && !first.leads());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_a_person_edits_or_deletes_stays_with_its_leader() {
    let (store, first, second) = two().await;
    store.edit(|_| {});
    pass(5).await;
    assert!(first.leads() && !second.leads());
    store.delete();
    pass(60).await;
    assert!(first.leads() && second.leadership.stands_by());
    assert_eq!(store.holder().as_deref(), Some("first"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_lasts_as_long_as_ever_whatever_duration_it_states() {
    for seconds in [1, 3600] {
        let (store, first, second) = two().await;
        first.set(Connection::Down);
        store.edit(|lease| lease["spec"]["leaseDurationSeconds"] = seconds.into());
        pass(12).await;
        assert!(!second.leads(), "{seconds}");
        pass(8).await;
        assert!(second.leads(), "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_deleted_is_not_taken_before_its_leader_has_to_know() {
    let (store, first, second) = two().await;
    second.set(Connection::Down);
    pass(60).await;
    first.set(Connection::Down);
    store.delete();
    second.set(Connection::Works);
    for _ in 0..30 {
        assert!(!(first.leads() && second.leads()));
        pass(1).await;
    }
    assert!(second.leads());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_stopped_while_it_takes_the_lease_gives_it_back() {
    let store = Store::default();
    let mut first = Candidate::start(&store, "first");
    first.set(Connection::Slow);
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(store.holder().as_deref(), Some("first"));
    first.stop.cancel();
    first.done.cancel();
    assert_eq!(first.end().await, Ok(()));
    assert_eq!(store.holder(), None);
}

fn connection() -> impl Strategy<Value = Connection> {
    prop_oneof![
        3 => Just(Connection::Works),
        1 => Just(Connection::Down),
        1 => Just(Connection::Silent),
        1 => Just(Connection::LosesResponses),
        1 => Just(Connection::Slow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn never_two_lead_and_in_the_end_one_does(
        changes in prop::collection::vec((0_usize..3, connection(), 1_u64..20), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = Store::default();
            let start = |name: usize| Candidate::start(&store, &name.to_string());
            let mut candidates = [start(0), start(1), start(2)];
            let mut started = 3;
            let quiet = [(0, Connection::Works, 1), (1, Connection::Works, 1), (2, Connection::Works, 60)];
            for (who, connection, seconds) in changes.into_iter().chain(quiet) {
                candidates[who].set(connection);
                for _ in 0..seconds * 4 {
                    sleep(Duration::from_millis(250)).await;
                    let leaders = candidates.iter().filter(|candidate| candidate.leads());
                    assert!(leaders.count() <= 1);
                }
                for candidate in &mut candidates {
                    if candidate.process.is_finished() {
                        *candidate = start(started);
                        started += 1;
                    }
                }
            }
            assert_eq!(candidates.iter().filter(|candidate| candidate.leads()).count(), 1);
        });
    }
}

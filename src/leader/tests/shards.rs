//! Elections among processes that share the work: each needs the Lease of its shard and the Lease of its shard count.

use super::*;

fn start(store: &Store, name: &str, shard: &str) -> Candidate {
    Candidate::of_shard(store, name, shard.parse().unwrap())
}

/// A leader for each shard of this count.
async fn leaders(store: &Store, count: u32) -> Vec<Candidate> {
    let started: Vec<_> = (0..count)
        .map(|index| {
            start(
                store,
                &format!("{index}-of-{count}"),
                &format!("{index}/{count}"),
            )
        })
        .collect();
    pass(60).await;
    assert!(started.iter().all(Candidate::leads));
    started
}

/// The process stops as after SIGTERM, when its last exchange is over.
async fn terminate(mut candidate: Candidate) {
    candidate.stop.cancel();
    candidate.done.cancel();
    assert_eq!(candidate.end().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn each_shard_has_a_leader_and_all_of_them_hold_the_first_lease_together() {
    let store = Store::default();
    let three = leaders(&store, 3).await;
    let standby = start(&store, "next", "1/3");
    pass(60).await;
    assert!(!standby.leads() && standby.leadership.stands_by());
    assert!(three.iter().all(Candidate::leads));
    assert_eq!(
        (store.holder().as_deref(), store.transitions()),
        (Some("shards-3"), 0)
    );
    for index in 0..3 {
        let own = store.spec_of(&format!("leader-shard-{index}"));
        assert_eq!(own.holder_identity, Some(format!("{index}-of-3")));
    }
    // One of them renews the first lease for all.
    let before = store.writes();
    pass(60).await;
    let rounds = 30;
    assert!((4 * rounds - 5..=4 * rounds + 5).contains(&(store.writes() - before)));
}

#[tokio::test(start_paused = true)]
async fn a_shard_is_taken_over_by_its_standby_and_the_others_go_on() {
    for killed in [true, false] {
        let store = Store::default();
        let mut three = leaders(&store, 3).await;
        let standby = start(&store, "next", "1/3");
        pass(10).await;
        let gone = three.remove(1);
        if killed {
            gone.process.abort();
        } else {
            terminate(gone).await;
        }
        for second in 0..20 {
            assert!(three.iter().all(Candidate::leads), "{second}");
            assert!(!killed || second > 12 || !standby.leads(), "{second}");
            pass(1).await;
        }
        assert!(standby.leads(), "{killed}");
        assert_eq!(store.transitions(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn processes_of_another_count_wait_until_the_last_of_the_first_one_is_gone() {
    let store = Store::default();
    let mut three = leaders(&store, 3).await;
    let two = [start(&store, "new-0", "0/2"), start(&store, "new-1", "1/2")];
    while let Some(last) = three.pop() {
        pass(60).await;
        for new in &two {
            assert!(!new.leads() && new.leadership.stands_by());
        }
        assert!(last.leads());
        assert_eq!(store.holder().as_deref(), Some("shards-3"));
        terminate(last).await;
    }
    pass(12).await;
    assert!(!two.iter().any(Candidate::leads));
    pass(10).await;
    assert!(two.iter().all(Candidate::leads));
    assert_eq!(
        (store.holder().as_deref(), store.transitions()),
        (Some("shards-2"), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn one_process_for_all_and_several_shards_follow_each_other() {
    let store = Store::default();
    let all = Candidate::start(&store, "all");
    pass(10).await;
    let three = ["0/3", "1/3", "2/3"].map(|shard| start(&store, shard, shard));
    pass(60).await;
    assert!(all.leads() && !three.iter().any(Candidate::leads));
    // It gives its lease back, so nobody has to wait.
    terminate(all).await;
    pass(5).await;
    assert!(three.iter().all(Candidate::leads));

    let again = Candidate::start(&store, "again");
    pass(60).await;
    assert!(!again.leads() && again.leadership.stands_by());
    for gone in three {
        terminate(gone).await;
    }
    pass(12).await;
    assert!(!again.leads());
    pass(8).await;
    assert!(again.leads());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_missed_two_changes_of_the_count_ends() {
    let store = Store::default();
    let mut three = leaders(&store, 3).await;
    // Two shards leave the lease of the third one alone.
    let mut asleep = three.remove(2);
    asleep.set(Connection::Down);
    for gone in three {
        terminate(gone).await;
    }
    let two = leaders(&store, 2).await;
    for gone in two {
        gone.process.abort();
    }
    let again = start(&store, "again", "1/3");
    pass(60).await;
    assert!(again.leads());
    // The first lease has the name of its group again.
    asleep.set(Connection::Works);
    assert_eq!(
        asleep.end().await,
        Err(
            "shards-3 has taken Lease system/leader, because this process did not renew it in time"
                .into()
        )
    );
    assert!(!asleep.leadership.is_current());
}

#[tokio::test(start_paused = true)]
async fn processes_that_renew_at_the_same_moment_do_not_hinder_each_other() {
    let store = Store::default();
    // All begin at the same time, and time only passes while all of them wait.
    let five = leaders(&store, 5).await;
    for _ in 0..240 {
        sleep(Duration::from_millis(250)).await;
        assert!(five.iter().all(Candidate::leads));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_lacks_one_of_its_leases_begins_nothing() {
    let store = Store::default();
    let three = leaders(&store, 3).await;
    // Nobody of the group reaches the API server, and then only one of them.
    for candidate in &three {
        candidate.set(Connection::Down);
    }
    pass(11).await;
    assert!(!three.iter().any(Candidate::leads));
    three[1].set(Connection::Works);
    pass(5).await;
    let leads: Vec<_> = three.iter().map(Candidate::leads).collect();
    assert_eq!(leads, [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_group_that_a_person_deletes_or_edits_stays_with_it() {
    let store = Store::default();
    let three = leaders(&store, 3).await;
    let other = start(&store, "other", "0/2");
    pass(10).await;
    store.edit(|_| {});
    pass(60).await;
    store.delete();
    for _ in 0..60 {
        pass(1).await;
        assert!(three.iter().all(Candidate::leads) && !other.leads());
    }
    assert_eq!(store.holder().as_deref(), Some("shards-3"));
}

/// An event in the life of one of the processes.
#[derive(Clone, Debug)]
enum Change {
    Connection(Connection),
    /// It is killed or terminated, and another one with this shard is started in its place.
    Replaced {
        killed: bool,
        by: Shard,
    },
}

fn change() -> impl Strategy<Value = Change> {
    let shard = (1_u32..4, 0_u32..3).prop_map(|(count, index)| Shard::new(index % count, count));
    prop_oneof![
        connection().prop_map(Change::Connection),
        (any::<bool>(), shard).prop_map(|(killed, by)| Change::Replaced {
            killed,
            by: by.unwrap()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_namespace_ever_has_two_leaders_and_in_the_end_each_has_one(
        changes in prop::collection::vec((0_usize..5, change(), 1_u64..20), 1..30),
        last in 1_u32..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = Store::default();
            let mut started = 0;
            let mut begin = |shard: Shard| {
                started += 1;
                (shard, Candidate::of_shard(&store, &started.to_string(), shard))
            };
            let mut processes: Vec<_> = (0..5)
                .map(|number| begin(Shard::new(number % 2, 2).unwrap()))
                .collect();
            let quiet = (0..5_u32).flat_map(|who| {
                let by = Shard::new(who % last, last).unwrap();
                let replaced = Change::Replaced { killed: true, by };
                [(who as usize, replaced, 1), (who as usize, Change::Connection(Connection::Works), 1)]
            });
            let rest = (0, Change::Connection(Connection::Works), 60);
            for (who, change, seconds) in changes.into_iter().chain(quiet).chain([rest]) {
                match change {
                    Change::Connection(connection) => processes[who].1.set(connection),
                    Change::Replaced { killed, by } => {
                        let (_, gone) = std::mem::replace(&mut processes[who], begin(by));
                        gone.stop.cancel();
                        gone.done.cancel();
                        if killed {
                            gone.process.abort();
                        }
                    }
                }
                for _ in 0..seconds * 4 {
                    sleep(Duration::from_millis(250)).await;
                    for namespace in ["default", "treasury", "team-a", "team-b", "kube-system"] {
                        let leaders = processes.iter().filter(|(shard, candidate)| shard.has(namespace) && candidate.leads());
                        assert!(leaders.count() <= 1, "{namespace}");
                    }
                }
                for (shard, candidate) in &mut processes {
                    if candidate.process.is_finished() {
                        (*shard, *candidate) = begin(*shard);
                    }
                }
            }
            let leaders = processes.iter().filter(|(_, candidate)| candidate.leads());
            assert_eq!(leaders.count(), last as usize);
        });
    }
}

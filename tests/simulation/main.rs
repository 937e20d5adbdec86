//! Histories of a stored refresh token: the pure core of the program, step by step, against a modelled API server and a
//! modelled provider, with everything that can go wrong in between. A seed is a history.
//!
//! `make simulate N=1000000` runs as many; `make simulate SEED=7` prints the log of one.

mod checks;
mod effects;
mod faults;
mod history;
#[path = "../model/model.rs"]
#[expect(dead_code, reason = "the unit tests use the rest")]
mod model;
mod operator;
mod pair;
mod proof;
mod shards;
mod world;

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use world::{Figures, World};

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text:?}")),
    )
}

#[test]
fn no_history_loses_replays_or_forgets_a_refresh_token() {
    if let Some(seed) = number("SEED") {
        let (figures, result) = World::new(seed, true).live();
        println!(
            "{figures:?}\n{}",
            result
                .as_ref()
                .err()
                .map_or("nothing is wrong", String::as_str)
        );
        assert!(result.is_ok(), "history {seed} is wrong");
        return;
    }
    let histories = number("SIMULATE").unwrap_or(2_000);
    let first = number("FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    let totals: Vec<Figures> = thread::scope(|scope| {
        let workers: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from))
            .map(|_| scope.spawn(|| work(&next, first + histories)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a history went wrong; see above"))
            .collect()
    });
    let sum = |part: fn(&Figures) -> u64| totals.iter().map(part).sum::<u64>();
    println!(
        "{histories} histories: {} exchanges, {} crashes, {} responses lost, {} tokens sent again, {} logins lost for good reasons",
        sum(|f| f.exchanges),
        sum(|f| f.crashes),
        sum(|f| f.lost_responses),
        sum(|f| f.retries),
        sum(|f| f.lost_logins),
    );
}

fn work(next: &AtomicU64, end: u64) -> Figures {
    let mut total = Figures::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return total;
        }
        let (figures, result) = World::new(seed, false).live();
        if result.is_err() {
            // Once more, with its log.
            next.store(end, Ordering::Relaxed);
            let (_, log) = World::new(seed, true).live();
            panic!(
                "history {seed}:\n{}",
                log.expect_err("it is the same history")
            );
        }
        total.exchanges += figures.exchanges;
        total.crashes += figures.crashes;
        total.lost_responses += figures.lost_responses;
        total.lost_logins += figures.lost_logins;
        total.retries += figures.retries;
    }
}

#[test]
fn of_several_objects_with_one_refresh_token_only_one_ever_sends_it() {
    let histories = number("SIMULATE").unwrap_or(2_000) / 20;
    let first = number("FIRST").unwrap_or(0);
    let (mut contested, mut crashes, mut settled) = (0, 0, 0);
    for seed in first..first + histories {
        let figures = pair::live(seed).unwrap_or_else(|log| panic!("history {seed}:\n{log}"));
        contested += figures.contested;
        crashes += figures.crashes;
        settled += figures.settled;
    }
    println!(
        "{histories} histories: {contested} with two claims at once, {crashes} crashes, {settled} ready at the end"
    );
    assert!(contested > 0 && settled > 0, "they show nothing");
}

#[test]
fn of_several_processes_with_shards_one_at_a_time_serves_a_namespace() {
    let histories = number("SIMULATE").unwrap_or(2_000) / 50;
    let first = number("FIRST").unwrap_or(0);
    let mut total = shards::Figures::default();
    for seed in first..first + histories {
        let figures = shards::live(seed).unwrap_or_else(|log| panic!("history {seed}:\n{log}"));
        total.exchanges += figures.exchanges;
        total.rebalances += figures.rebalances;
        total.crashes += figures.crashes;
        total.overlaps += figures.overlaps;
        total.lost_logins += figures.lost_logins;
    }
    println!("{histories} histories: {total:?}");
    assert!(
        total.rebalances > 0 && total.crashes > 0,
        "they show nothing"
    );
}

//! All tokens expire within one minute, an hour after they were issued together: mass creation an hour ago.
//!
//! Nobody waits an hour for it. The operator's clock is set forward (`clock.c`), so that the first refresh is due a moment after its
//! start.

use std::{path::Path, process::Command, time::Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{NAMESPACE, Run};
use crate::{
    environment::{ROOT, directory, output},
    objects,
    provider::{Expiry, client_id},
};

/// Tokens are refreshed five minutes before they expire, and up to half a minute earlier.
const EARLIEST: SignedDuration = SignedDuration::from_secs(330);

/// The part of a core that the ceiling takes for refreshes.
const SHARE: f64 = 0.5;
/// The seconds between two refreshes of a token that lives for an hour.
const BETWEEN_REFRESHES: f64 = 3_300.0;
/// The seconds for tokens that expire within a minute, so that each of them is replaced a minute before its end.
const FOR_ALL_AT_ONCE: f64 = 240.0;

/// The time of the expiries: a minute for 10,000.
pub(super) fn expiry(size: usize) -> Expiry {
    let seconds = i64::try_from(size.div_ceil(167)).unwrap();
    Expiry {
        from: now() + SignedDuration::from_hours(1),
        width: SignedDuration::from_secs(seconds),
    }
}

pub(super) async fn measure(run: &Run<'_>, is_trial: bool) {
    let expiry = run.site.server.expiry().unwrap();
    // A start takes this long. A trial runs beside other tests.
    let least = if is_trial { 30.0 } else { 4.0 };
    let start = run.figures.get("restart-settled", run.size).unwrap_or(10.0) * 1.3 + least;
    let skew = expiry.from.duration_since(now()) - EARLIEST - SignedDuration::from_secs_f64(start);
    let library = clock();
    let seconds = skew.as_secs().to_string();
    let environment = [("LD_PRELOAD", library.as_str()), ("CLOCK_AHEAD", &seconds)];
    // The next tokens live for an hour.
    run.site.server.set_expiry(None);
    let before = run.site.server.requests(NAMESPACE);
    let operator = run.site.launch(&environment);
    operator.ready();
    run.settled(&operator).await;
    let early = run.site.server.requests(NAMESPACE) - before;
    assert_eq!(early, 0, "the refreshes begin after the start");
    let requests = run.requests().await;
    let (cpu, api_cpu) = (operator.process.cpu(), run.site.api_server().cpu());
    operator.process.forget_peak();
    let begun = Instant::now();
    run.all_exchanged(before, &requests).await;
    println!(
        "        all refreshed within {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    run.settled(&operator).await;
    let requests = run.requests().await.since(&requests);
    let cpu = operator.process.cpu() - cpu;
    run.record_each("refresh-cpu", cpu);
    record_ceiling(run, cpu / 1e3 / run.count());
    run.record_each("refresh-api-cpu", run.site.api_server().cpu() - api_cpu);
    run.record_each("refresh-requests", requests.total());
    println!("        {}", requests.each(run.count()));
    run.record("refresh-peak", operator.process.peak());
    operator.stop();
    run.record("expiry-left", least_time_left(run, expiry, skew).await);
    run.record("expiry-next", width_of_the_next_round(run).await);
}

/// The most credentials that one leader keeps fresh when a refresh costs this many seconds of CPU. One thread does all of them, and
/// half of its time is left for everything else.
fn record_ceiling(run: &Run<'_>, each: f64) {
    let most = |seconds: f64| {
        let most = SHARE * seconds / each;
        // Two digits: the rest is noise.
        let unit = 10_f64.powf((most.log10() - 1.0).floor());
        (most / unit).floor() * unit
    };
    run.record("ceiling", most(BETWEEN_REFRESHES));
    run.record("ceiling-at-once", most(FOR_ALL_AT_ONCE));
}

/// How long before the end of its previous token each target was written, at least.
async fn least_time_left(run: &Run<'_>, expiry: Expiry, skew: SignedDuration) -> f64 {
    let path = format!(
        "/api/v1/namespaces/{NAMESPACE}/secrets?labelSelector=cube-operator.dev%2Fmanaged%3Dtrue"
    );
    let targets = objects::list(&run.site.client, &path).await;
    assert_eq!(targets.len(), run.size);
    let left = targets.iter().map(|target| {
        let name = target["metadata"]["name"].as_str().unwrap();
        let name = name.strip_suffix("-token").unwrap();
        let managers = target["metadata"]["managedFields"].as_array().unwrap();
        let written = managers.iter().map(|manager| time(&manager["time"])).max();
        let expired = expiry.of(&client_id(NAMESPACE, name));
        expired
            .duration_since(written.unwrap() + skew)
            .as_secs_f64()
    });
    left.fold(f64::INFINITY, f64::min)
}

async fn width_of_the_next_round(run: &Run<'_>) -> f64 {
    let all = objects::credentials(&run.site.client, NAMESPACE).await;
    let planned: Vec<_> = all
        .iter()
        .map(|object| time(&object["status"]["refreshAt"]))
        .collect();
    let (first, last) = (planned.iter().min().unwrap(), planned.iter().max().unwrap());
    last.duration_since(*first).as_secs_f64()
}

fn time(text: &Value) -> Timestamp {
    text.as_str().unwrap().parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// Compiles the library that sets the clock forward, with the compiler that Rust links with.
fn clock() -> String {
    let library = directory("clock").join("clock.so");
    let source = Path::new(ROOT).join("tests/bench/clock.c");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .arg(&library)
        .arg(source);
    output(&mut compiler);
    library.to_str().unwrap().to_owned()
}

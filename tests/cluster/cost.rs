//! The requests that a credential costs the API server and the provider, counted in the audit log and in the provider's log.

mod clients;
mod consumers;
mod nothing;
mod requests;

use std::{thread, time::Duration};

use cube_operator::api::ConditionType::Ready;

use crate::{
    operator::eventually,
    place::{Place, is},
};

/// The operator's requests, without its watches, those that it makes once at the start, reads of CA bundles, and the statuses of
/// provider objects, which it writes beside.
fn requests(place: &Place) -> Vec<String> {
    let mut requests = all_requests(place);
    requests.retain(|request| {
        !request.contains(" configmaps ") && !request.contains(" cubeproviders/status ")
    });
    requests
}

/// How often the CA bundle was read.
fn bundle_reads(place: &Place) -> usize {
    let requests = all_requests(place).into_iter();
    requests
        .filter(|request| request == "get configmaps authority")
        .count()
}

fn all_requests(place: &Place) -> Vec<String> {
    let user = place.account();
    let requests = place.plane.requests_of(&user).into_iter();
    let counted = requests.filter(|(verb, resource, _)| {
        !["watch", "list"].contains(&verb.as_str()) && !resource.is_empty()
    });
    counted
        .map(|(verb, resource, name)| {
            // An event's name is made of a time.
            let name = name.split('.').next().unwrap_or_default();
            format!("{verb} {resource} {name}")
        })
        .collect()
}

/// The requests after the first `before`, once there are `count` of them. The effect of a request can be seen a moment before
/// the log has it.
fn later_requests(place: &Place, before: usize, count: usize) -> Vec<String> {
    eventually(&format!("{count} requests"), || {
        let requests = requests(place).split_off(before);
        (requests.len() >= count).then_some(requests)
    })
}

/// Waits until the request budget has a permit for sure, one second after the last request: a refresh that waits for its turn writes a
/// status more.
fn the_budget_fills() {
    thread::sleep(Duration::from_millis(1100));
}

/// The events are the last requests of a first token: two of one that lives for seconds.
fn ready(place: &Place, events: usize) {
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    eventually("the first token is told", || {
        let requests = requests(place).into_iter();
        let told = requests.filter(|request| request == "create events main");
        (told.count() == events).then_some(())
    });
}

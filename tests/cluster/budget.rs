//! Token requests of one client, from the provider's own log: never more than the provider allows.

mod strangers;

use std::{thread, time::Duration};

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    operator::eventually,
    place::{Place, is, told},
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// Cubewire's limit, less one.
const MOST_IN_A_MINUTE: usize = 9;
const CUBEWIRE: [&str; 2] = ["--token-request-interval", "12s"];

/// The largest number of these times (in seconds) within one minute.
fn busiest_minute(times: &[f64]) -> usize {
    let in_minute = |start: f64| {
        let minute = start..start + 60.0;
        times.iter().filter(|time| minute.contains(time)).count()
    };
    times
        .iter()
        .map(|start| in_minute(*start))
        .max()
        .unwrap_or(0)
}

fn apply_many(place: &Place, count: usize) {
    let items: Vec<_> = (0..count)
        .map(|number| place.credential(&format!("many-{number}")))
        .collect();
    place.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}));
}

/// How many `CubeCredentials` have a condition `Ready` with this reason.
fn count(place: &Place, reason: &str) -> usize {
    let list = place.kubectl(&["get", "cubecredentials", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let ready = |item: &Value| {
        let conditions = item["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        conditions
            .iter()
            .any(|found| found["type"] == "Ready" && found["reason"] == reason)
    };
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| ready(item))
        .count()
}

#[test]
fn two_hundred_credentials_of_one_client_stay_within_the_providers_limit_also_over_a_kill() {
    let place = Place::new();
    let operator = place.operator_with(&CUBEWIRE, &[]);
    place.apply(&place.source());
    apply_many(&place, 200);
    eventually("all wait but those that were served", || {
        let (ready, waiting) = (count(&place, "Synced"), count(&place, "RateBudget"));
        (ready > 0 && ready + waiting == 200).then_some(())
    });
    // The next process does not know what was sent, so it starts with one request.
    drop(operator);
    let operator = place.operator_with(&CUBEWIRE, &[]);
    // Each is reconciled once for the list, and once for its new place in the status.
    eventually("they wait again", || {
        (operator.reconciles() >= 390.0).then_some(())
    });
    // A minute has to pass to be counted. The rest of an hour is simulated in src/reconcile/tests/budget.rs.
    let first = place.server.times_of(&place.namespace)[0];
    let now = || {
        let times = place.server.times_of(&place.namespace);
        times.last().unwrap() - first
    };
    let calls = api_calls(&place);
    let sent = place.exchanges().len();
    while now() < 61.0 {
        thread::sleep(Duration::from_secs(1));
    }
    let times = place.server.times_of(&place.namespace);
    assert!(busiest_minute(&times) <= MOST_IN_A_MINUTE, "{times:?}");
    assert!(place.exchanges().iter().all(|status| *status == 200));
    // Waiting costs no API request: all of them are for credentials that were served.
    let calls = api_calls(&place) - calls;
    let served = times.len() - sent;
    assert!(
        calls <= 8 * (served + 1),
        "{calls} calls for {served} exchanges"
    );
}

/// How many API requests the operator has made, without its watches.
fn api_calls(place: &Place) -> usize {
    let user = place.account();
    let requests = place.plane.requests_of(&user).into_iter();
    requests
        .filter(|(verb, resource, _)| verb != "watch" && verb != "list" && !resource.is_empty())
        .count()
}

#[test]
fn credentials_that_wait_say_so_and_are_served_in_turn() {
    let place = Place::new();
    // All six are there when the operator starts, so that they ask for their turns at the same time.
    place.apply(&place.source());
    apply_many(&place, 6);
    let operator = place.operator_with(&["--token-request-interval", "5s"], &[]);
    let waiting = eventually("one waits", || {
        let names = (0..6).map(|number| format!("many-{number}"));
        names
            .into_iter()
            .find(|name| is(&place.status(name), Ready, "False", "RateBudget"))
    });
    let status = place.status(&waiting);
    if let Some(at) = status
        .refresh_at
        .filter(|_| is(&status, Ready, "False", "RateBudget"))
    {
        // Why depends on whether the first of them has its token already.
        let message = format!("Refreshed=Unknown RateBudget: waiting until {at}: ");
        let told = told(&status);
        assert!(told[1].starts_with(&message), "{told:?}");
        for (told, condition) in
            told.iter()
                .zip(["Ready=False", "Refreshed=Unknown", "Reconciling=True"])
        {
            assert!(
                told.starts_with(&format!("{condition} RateBudget: ")),
                "{told}"
            );
        }
        assert_eq!(told.len(), 3);
    }
    eventually("all are served", || {
        (count(&place, "Synced") == 6).then_some(())
    });
    assert_eq!(place.exchanges(), [200; 6]);
    let waits = operator.metric("cube_operator_budget_waits_total").unwrap();
    assert!(
        (3.0..=5.0).contains(&waits),
        "{waits} of six, as three at most may be sent at once"
    );
    assert_eq!(place.event_count(&waiting, "RateBudget"), 0);
    assert!(!operator.log().contains("RateBudget"), "it is no failure");
}

#[test]
fn a_rate_limit_pauses_every_credential_of_the_client_also_after_a_restart() {
    let place = Place::new();
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::json(429, "").header("Retry-After", "600")
    });
    place.trust("scripted", &authority);
    place.apply(&place.source());
    let operator = place.operator();
    let url = provider.url("/token");
    place.apply(&place.credential_at("first", &url, "scripted"));
    place.wait_for("first", "RateLimited", |status| {
        is(status, Refreshed, "False", "RateLimited")
    });
    let until = place.status("first").refresh_at.unwrap();

    let paused = |name: &str| {
        place.apply(&place.credential_at(name, &url, "scripted"));
        let status = place.wait_for(name, "paused", |status| {
            is(status, Ready, "False", "RateBudget")
        });
        assert!(status.refresh_at.unwrap() >= until);
        let message = format!(
            "Refreshed=Unknown RateBudget: waiting until {}: the provider asked this client to pause: no action needed",
            status.refresh_at.unwrap()
        );
        assert_eq!(told(&status)[1], message);
    };
    paused("second");
    drop(operator);
    let _operator = place.operator();
    paused("third");
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn providers_that_hang_do_not_delay_the_client_of_another() {
    let place = Place::new();
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::silence());
    place.trust("scripted", &authority);
    place.apply(&place.source());
    let _operator = place.operator();
    let items: Vec<_> = (0..40)
        .map(|number| {
            let url = provider.url(&format!("/{number}"));
            place.credential_at(&format!("hangs-{number}"), &url, "scripted")
        })
        .collect();
    place.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}));
    eventually("more hang than there are workers", || {
        (provider.requests().len() > 16).then_some(())
    });
    place.apply(&place.credential("main"));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    let failed = count(&place, "NoResponse");
    assert!(
        failed < 40,
        "it did not wait until they had failed: {failed}"
    );
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn a_client_that_is_refused_again_and_again_does_not_delay_another_one() {
    let place = Place::new();
    let _operator = place.operator_with(&CUBEWIRE, &[]);
    place.apply(&place.source());
    let mut broken = place.source();
    broken["metadata"]["name"] = json!("broken");
    broken["stringData"]["client-id"] = json!("nobody");
    place.apply(&broken);
    for number in 0..5 {
        let mut credential = place.credential(&format!("broken-{number}"));
        credential["spec"]["clientSecretRef"] = json!({"name": "broken"});
        place.apply(&credential);
    }
    place.ready_main();
    assert_eq!(place.exchanges(), [200]);
    let broken = place.server.answers_to("nobody");
    assert!(broken.len() <= 3, "{broken:?}");
}

//! Several processes with one Lease: who makes token requests, and who takes over when.

use std::{thread::sleep, time::Duration};

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::json;

use crate::{
    commands::run,
    environment::{ControlPlane, TokenServer},
    login::{Login, STATE},
    operator::{Operator, eventually},
    place::{CLIENT_SECRET, Place, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// The Lease that the chart's role is for.
fn lease(place: &Place) -> String {
    format!("{}/cube-operator", place.namespace)
}

/// An operator in a pod by this name; it is ready, but may stand by.
fn candidate(place: &Place, pod: &str) -> Operator {
    place.operator_with(
        &[
            "--lease",
            &lease(place),
            "--identity",
            &format!("{pod}-uid"),
        ],
        &[("POD_NAME", pod)],
    )
}

fn leads(operator: &Operator) -> bool {
    operator.metric("cube_operator_leader") == Some(1.0)
}

fn wait_until_it_leads(operator: &Operator) {
    eventually("it leads", || leads(operator).then_some(()));
}

/// Two operators; the first one leads, and has made the first exchange of `main`.
fn two(place: &Place) -> (Operator, Operator) {
    let first = candidate(place, "first");
    wait_until_it_leads(&first);
    let second = candidate(place, "second");
    place.ready_main();
    (first, second)
}

/// The holder of the lease, and how often it has changed.
fn held(place: &Place) -> (String, i64) {
    let lease = place.get("lease", "cube-operator").unwrap();
    let holder = lease["spec"]["holderIdentity"].as_str();
    let transitions = lease["spec"]["leaseTransitions"].as_i64();
    (holder.unwrap_or("nobody").to_owned(), transitions.unwrap())
}

fn exchanged(place: &Place, times: usize) {
    eventually(&format!("{times} exchanges"), || {
        (place.exchanges().len() == times).then_some(())
    });
}

#[test]
fn one_leads_and_the_next_takes_over_without_an_exchange() {
    let place = Place::new();
    let (first, second) = two(&place);
    assert_eq!(held(&place), ("first_first-uid".into(), 0));
    assert!(!leads(&second));
    let waits = second
        .lines()
        .into_iter()
        .find(|line| line["lease"] == lease(&place));
    assert_eq!(
        waits.unwrap()["message"],
        "standing by: first_first-uid is leading"
    );
    for does in ["watch secrets", "watch cubecredentials", "patch secrets"] {
        let metric = format!("cube_operator_api_requests_total{{operation=\"{does}\"}}");
        assert_eq!(
            second.metric(&metric),
            None,
            "who stands by watches nothing"
        );
    }

    // After a SIGKILL the lease has to expire first.
    drop(first);
    wait_until_it_leads(&second);
    assert_eq!(held(&place), ("second_second-uid".into(), 1));
    place.request("of-the-second");
    exchanged(&place, 2);

    // A restarted container is the same pod.
    drop(second);
    let mut second = candidate(&place, "second");
    wait_until_it_leads(&second);
    assert_eq!(held(&place), ("second_second-uid".into(), 1));

    // On SIGTERM the process releases the lease.
    let third = candidate(&place, "third");
    second.terminate();
    assert_eq!(second.wait().code(), Some(0));
    let before = held(&place);
    assert!(
        before.0 == "nobody" || before.0 == "third_third-uid",
        "{before:?}"
    );
    wait_until_it_leads(&third);
    assert_eq!(held(&place), ("third_third-uid".into(), 2));
    place.request("of-the-third");
    exchanged(&place, 3);
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn an_exchange_that_is_under_way_is_finished_before_the_lease_is_given_back() {
    let server: &'static TokenServer = Box::leak(Box::new(TokenServer::start(3600)));
    let place = Place::at(ControlPlane::shared(), server);
    let (mut first, second) = two(&place);
    server.hold(true);
    place.request("slow");
    exchanged(&place, 2);
    first.terminate();
    first.wait_for_log("no new one begins");
    assert_eq!(held(&place), ("first_first-uid".into(), 0));
    server.hold(false);
    assert_eq!(first.wait().code(), Some(0));
    let issued = place.status("main").refresh_request;
    assert!(issued.is_some(), "it is published and told");
    wait_until_it_leads(&second);
    place.request("next");
    exchanged(&place, 3);
}

#[test]
fn a_state_that_cannot_be_written_keeps_the_process_and_not_the_lease() {
    let place = Login::with(&[]);
    let mut first = candidate(&place, "first");
    wait_until_it_leads(&first);
    let second = candidate(&place, "second");
    let seed = place.begin();
    place.server.hold(true);
    place.request("slow");
    place.wait_for_refreshes(2);
    place.patch("secret", STATE, &json!({"immutable": true}));
    place.server.hold(false);
    place.wait_until_refused("StateNotWritable");

    first.terminate();
    wait_until_it_leads(&second);
    let (mut source, mut innocent) = (place.source(), place.credential("innocent"));
    let id = format!("{}-innocent", place.namespace);
    place.server.create_client(&id, CLIENT_SECRET);
    source["metadata"]["name"] = json!("innocent");
    source["stringData"]["client-id"] = json!(id);
    innocent["spec"]["clientSecretRef"]["name"] = json!("innocent");
    place.apply(&source);
    place.apply(&innocent);
    place.wait_for("innocent", "it has a token", |status| {
        is(status, Ready, "True", "Synced")
    });

    // The token that the first process has received is in its memory alone, until the state can be written again.
    assert_eq!(first.get("/livez").0, 200);
    // The second process would begin with the old token if it were the first to find that the state is gone.
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"suspend": true}}),
    );
    place.wait_for("main", "it is suspended", |status| {
        is(status, Refreshed, "Unknown", "Suspended")
    });
    place.kubectl(&["delete", "secret", STATE]);
    assert_eq!(first.wait().code(), Some(0));
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"suspend": false}}),
    );
    place.refresh("of-the-second");
    place.assert_unbroken(&seed, 3);
}

#[test]
fn the_next_leader_waits_as_the_one_before_was_to() {
    let place = Place::new();
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |request| {
        if request.target == "/limited" {
            Reply::json(429, "").header("Retry-After", "600")
        } else {
            Reply::json(401, r#"{"error": "invalid_client"}"#)
        }
    });
    place.trust("scripted", &authority);
    place.apply(&place.source());
    let first = candidate(&place, "first");
    for (name, reason) in [("limited", "RateLimited"), ("refused", "InvalidClient")] {
        let url = provider.url(&format!("/{name}"));
        place.apply(&place.credential_at(name, &url, "scripted"));
        place.wait_for(name, reason, |status| {
            is(status, Refreshed, "False", reason)
        });
    }
    let told = || ["limited", "refused"].map(|name| place.status(name));
    let before = told();
    let second = candidate(&place, "second");
    drop(first);
    wait_until_it_leads(&second);
    eventually("it has looked at both", || {
        (second.reconciles() >= 2.0).then_some(())
    });
    assert_eq!(told(), before);
    assert_eq!(provider.requests().len(), 2);
    // The pause holds for every request of this client.
    let url = provider.url("/limited");
    place.apply(&place.credential_at("other", &url, "scripted"));
    let other = place.wait_for("other", "paused", |status| {
        is(status, Refreshed, "Unknown", "RateBudget")
    });
    assert!(other.refresh_at >= before[0].refresh_at);
    assert_eq!(provider.requests().len(), 2);
}

#[test]
fn a_leader_that_was_asleep_begins_nothing_when_it_wakes_up() {
    let place = Place::new();
    let (mut first, second) = two(&place);
    first.signal("STOP");
    wait_until_it_leads(&second);
    place.request("of-the-second");
    exchanged(&place, 2);
    let status = place.wait_for("main", "the request is served", |status| {
        status.refresh_request.is_some()
    });
    // The process may not know yet that it has lost the lease.
    place.request("of-both");
    first.signal("CONT");
    assert_eq!(first.wait().code(), Some(1));
    assert!(first.log().contains("second_second-uid has taken Lease"));
    eventually("the second request is served", || {
        let now = place.status("main").refresh_request;
        (now.is_some() && now != status.refresh_request).then_some(())
    });
    assert_eq!(place.exchanges().len(), 3);
    assert!(leads(&second));
}

#[test]
fn an_outage_of_the_api_server_ends_no_leader() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let place = Place::at(plane, TokenServer::shared());
    let operator = candidate(&place, "only");
    place.ready_main();
    plane.stop_api_server();
    eventually("its term ends", || (!leads(&operator)).then_some(()));
    plane.start_api_server();
    wait_until_it_leads(&operator);
    assert_eq!(held(&place), ("only_only-uid".into(), 0));
    place.request("afterwards");
    exchanged(&place, 2);
}

#[test]
fn whoever_may_not_have_the_lease_is_not_ready_and_makes_no_exchange() {
    let place = Place::new();
    let operator = candidate(&place, "only");
    place.ready_main();
    let check = || {
        let arguments = [
            "check",
            "--namespaces",
            &place.namespace,
            "--lease",
            &lease(&place),
        ];
        run(&place.kubeconfig, &arguments, &[]).1
    };
    let good = format!("✓ may get, create, patch Lease {}\n", lease(&place));
    assert!(check().contains(&good), "{}", check());

    let binding = place.get("rolebinding", "cube-operator-leader").unwrap();
    place.kubectl(&["delete", "rolebinding", "cube-operator-leader"]);
    eventually("its term ends", || (!leads(&operator)).then_some(()));
    let bad = format!(
        "✗ may not get, create, patch Lease {}, so a process with this account may not lead: install the chart's roles\n",
        lease(&place)
    );
    assert!(check().contains(&bad), "{}", check());
    place.request("in-vain");
    let arguments = ["--lease", &lease(&place), "--namespaces", &place.namespace];
    let second = Operator::launch(
        env!("CARGO_BIN_EXE_cube-operator").as_ref(),
        &place.kubeconfig,
        &arguments,
        &[],
    );
    let missing = (503, "waiting for the Lease: the log says why\n".to_owned());
    second.wait_for_log("failed to take part in leader election");
    assert_eq!(second.get("/readyz"), missing);
    assert_eq!(second.get("/livez").0, 200);
    drop(second);
    // Only time can show that nothing happens. A slow machine cannot fail this.
    sleep(Duration::from_secs(3));
    assert_eq!(place.exchanges().len(), 1);

    place.apply(&json!({
        "apiVersion": binding["apiVersion"], "kind": "RoleBinding",
        "metadata": {"name": "cube-operator-leader"},
        "roleRef": binding["roleRef"], "subjects": binding["subjects"],
    }));
    wait_until_it_leads(&operator);
    exchanged(&place, 2);
}

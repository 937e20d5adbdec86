//! What a stored refresh token survives: SIGTERM, SIGKILL, an API server that is away, and a second operator.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use cube_operator::api::ConditionType::{Ready, Refreshed};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    environment::{ControlPlane, TokenServer, fingerprint},
    login::{Login, STATE, Stored},
    operator::eventually,
    place::{CLIENT_SECRET, is, next_try, told},
};

#[test]
fn sigterm_lets_a_refresh_finish_store_and_publish_its_token() {
    let place = Login::with(&[]);
    let mut operator = place.operator();
    let seed = place.begin();
    place.server.hold(true);
    place.request("slow");
    place.wait_for_refreshes(2);
    for times in 1..=2 {
        operator.terminate();
        eventually("SIGTERM is told", || {
            let log = operator.log();
            (log.matches("no new one is started").count() == times).then_some(())
        });
        assert_eq!(operator.get("/livez").0, 200);
    }
    assert_eq!(
        place.state().record["generation"],
        json!(1),
        "the answer is still to come"
    );
    place.server.hold(false);
    assert_eq!(operator.wait().code(), Some(0));
    place.assert_unbroken(&seed, 2);
    assert!(place.served("slow").is_some());
}

#[test]
fn an_answer_survives_an_api_server_that_is_away_for_twenty_seconds() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let server = Box::leak(Box::new(TokenServer::start_with(&[])));
    let place = Login::on(plane, server, Some(CLIENT_SECRET));
    let operator = place.operator();
    let seed = place.begin();
    server.hold(true);
    place.request("into the dark");
    place.wait_for_refreshes(2);
    plane.stop_api_server();
    server.hold(false);
    let alive = || assert_eq!(operator.get("/livez"), (200, "ok\n".into()));
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        alive();
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        operator.log().contains("refresh token state not written"),
        "the answer came in the outage"
    );
    plane.start_api_server();
    eventually("it is stored and published", || {
        alive();
        place.served("into the dark")
    });
    place.assert_unbroken(&seed, 2);
}

#[test]
fn two_operators_never_send_the_same_refresh_token() {
    let place = Login::at(TokenServer::shared());
    let operators = ["one", "two"]
        .map(|identity| place.operator_with(&["--identity", identity], &[("POD_NAME", identity)]));
    let seed = place.begin();
    for number in 1..=20 {
        place.request(&format!("request {number}"));
    }
    eventually("the last request is served", || place.served("request 20"));
    // Both look once more, and find nothing to do.
    for (number, operator) in operators.iter().enumerate() {
        place.after_reconcile(operator, || {
            drop(place.kubectl(&[
                "label",
                "cubecredential",
                "main",
                "--overwrite",
                &format!("n=l{number}"),
            ]));
        });
    }
    let sent: Vec<_> = place
        .refreshes()
        .into_iter()
        .map(|refresh| refresh.sent)
        .collect();
    println!("20 requests, 2 operators: {} refreshes", sent.len());
    assert!((2..=21).contains(&sent.len()), "{}", sent.len());
    assert_eq!(sent.iter().collect::<HashSet<_>>().len(), sent.len());
    place.assert_unbroken(&seed, sent.len());
    place.wait_until_good();
}

#[test]
fn the_claim_of_a_pod_that_is_gone_is_waited_for_and_its_request_repeated_once() {
    let place = Login::with(&["--grace", "120"]);
    let first = place.operator_with(&["--identity", "first"], &[]);
    place.begin();
    place.server.hold(true);
    place.request("by the first");
    place.wait_for_refreshes(2);
    drop(first);
    place.server.hold(false);
    let claim = place.state().record["claim"].clone();
    assert_eq!(claim["by"], "first");
    let until: Timestamp = claim["until"].as_str().unwrap().parse().unwrap();
    let _second = place.operator_with(&["--identity", "second"], &[]);
    let status = place.wait_for("main", "the claim is told", |status| {
        is(status, Refreshed, "Unknown", "Pending")
    });
    assert_eq!(
        told(&status)[1],
        format!(
            "Refreshed=Unknown Pending: another process of the operator has claimed the refresh token; what came of it is looked at \
             when its claim ends, at {}",
            next_try(&status)
        )
    );
    assert!(is(&status, Ready, "True", "Synced"));
    assert_eq!(status.refresh_at, Some(until));
    eventually("it is served", || place.served("by the first"));
    let seen = place.refreshes();
    assert_eq!(seen.len(), 3);
    assert_eq!(
        (&seen[1].sent, &seen[1].issued),
        (&seen[2].sent, &seen[2].issued)
    );
    assert!(seen[2].at >= until, "{until}, {seen:#?}");
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn an_answer_that_the_api_server_refuses_is_kept_and_no_signal_ends_the_process_before_it_is_stored()
 {
    let place = Login::at(TokenServer::shared());
    let mut operator = place.operator();
    let seed = place.begin();
    let policy = format!("frozen-{}", place.namespace);
    let (kind, version) = (
        "ValidatingAdmissionPolicy",
        "admissionregistration.k8s.io/v1",
    );
    place.apply(&json!({
        "apiVersion": version, "kind": kind, "metadata": {"name": policy},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place.namespace}},
                "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["secrets"],
                }],
            },
            "matchConditions": [{"name": "state", "expression": format!("object.metadata.name == '{STATE}'")}],
            "validations": [{
                "expression": "object.data['refresh-token'] == oldObject.data['refresh-token']",
                "messageExpression": "'no new tokens, not ' + object.data['refresh-token']",
            }],
        },
    }));
    place.apply(&json!({
        "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": {"name": policy},
        "spec": {"policyName": policy, "validationActions": ["Deny"]},
    }));
    eventually("the policy is in force", || {
        let probe = r#"{"stringData": {"refresh-token": "probe"}}"#;
        let patch = [
            "patch",
            "secret",
            STATE,
            "--dry-run=server",
            "--type=merge",
            "-p",
            probe,
        ];
        (!place.kubectl_works(&patch)).then_some(())
    });

    place.request("against the policy");
    let status = place.wait_until_refused("StateNotWritable");
    let message = &told(&status)[1];
    let scrubbed = "denied request: no new tokens, not ... (422 Invalid)";
    assert!(message.contains(scrubbed), "{message}");
    for times in 1..=2 {
        operator.terminate();
        eventually("SIGTERM is told", || {
            let log = operator.log();
            (log.matches("no new one is started").count() == times).then_some(())
        });
    }
    let tries = || {
        operator
            .log()
            .matches("refresh token state not written")
            .count()
    };
    let before = tries();
    eventually("it is tried again", || (tries() > before).then_some(()));
    assert_eq!(operator.get("/livez"), (200, "ok\n".into()));
    place.kubectl(&["delete", &format!("{kind}Binding"), &policy]);
    assert_eq!(operator.wait().code(), Some(0));
    place.assert_unbroken(&seed, 2);
    assert!(place.served("against the policy").is_some());
    place.kubectl(&["delete", kind, &policy]);
}

#[test]
fn a_refresh_is_stored_although_its_object_was_deleted_meanwhile() {
    let place = Login::with(&[]);
    let operator = place.operator();
    let seed = place.begin();
    let retain = json!({"spec": {"target": {"deletionPolicy": "Retain"}}});
    place.patch("cubecredential", "main", &retain);
    eventually("nobody owns the state", || {
        let state = place.get("secret", STATE).unwrap();
        state["metadata"]["ownerReferences"].is_null().then_some(())
    });
    place.server.hold(true);
    place.request("the last one");
    place.wait_for_refreshes(2);
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.server.hold(false);
    let issued = place.refreshes()[1].issued.clone();
    eventually("it is stored", || {
        (fingerprint(&place.state().refresh_token) == issued).then_some(())
    });
    let mut object = place.main();
    object["spec"]["target"] = retain["spec"]["target"].clone();
    place.apply(&object);
    place.wait_until_good();
    place.assert_unbroken(&seed, 2);
    drop(operator);
}

#[test]
fn changes_are_seen_soon_after_an_outage_of_the_api_server() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let server = Box::leak(Box::new(TokenServer::start_with(&[])));
    let place = Login::on(plane, server, Some(CLIENT_SECRET));
    let _operator = place.operator();
    place.begin();
    plane.stop_api_server();
    std::thread::sleep(Duration::from_secs(20));
    plane.start_api_server();
    let start = Instant::now();
    place.request("afterwards");
    eventually("the request is served", || place.served("afterwards"));
    // The pauses of the watches are 5 s at most; kube's own were up to a minute.
    assert!(start.elapsed() < Duration::from_secs(30));
}

/// What many kills came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    rounds: u32,
    /// A claim was stored, and what came of it was not.
    in_mid_exchange: u32,
    /// Of these, the server had committed: the new refresh token was nowhere but on its way.
    in_the_window: u32,
    /// Of these, the login was lost.
    losses_in_the_window: u32,
    other_losses: u32,
}

impl Figures {
    #[expect(clippy::print_stdout, reason = "all that is known of a loss")]
    /// Counts a round. `before` is the state that the killed process left, `lost` is the reason if no token came.
    fn count(&mut self, place: &Login, before: &Stored, lost: Option<&str>) {
        let current = fingerprint(&before.refresh_token);
        let mut refreshes = place.refreshes();
        // As they came; they are logged as they end.
        refreshes.sort_by_key(|refresh| refresh.at);
        let sent: Vec<_> = refreshes
            .iter()
            .filter(|refresh| refresh.sent == current)
            .collect();
        let claimed = before.record["claim"].is_object();
        // Once by the killed process, once by the next.
        let window = claimed && sent.len() > 1 && sent[0].committed == 200;
        self.rounds += 1;
        self.in_mid_exchange += u32::from(claimed);
        self.in_the_window += u32::from(window);
        let Some(lost) = lost else { return };
        let after = place.state();
        let unavoidable = window
            && lost == "RefreshTokenLost"
            && after.refresh_token == before.refresh_token
            && refreshes.iter().all(|later| later.sent != sent[0].issued);
        if unavoidable {
            self.losses_in_the_window += 1;
        } else {
            self.other_losses += 1;
            println!("{lost}: {:#} {refreshes:#?}", after.record);
        }
    }
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
/// Kills the operator at a random moment of a refresh and starts it again, so many times.
fn kills(rounds: u32, grace: &str, seed: u64) -> Figures {
    let start = Instant::now();
    let place = Login::with(&["--grace", grace]);
    let operator = || place.operator_with(&["--identity", "the-pod"], &[]);
    let mut running = operator();
    place.begin();
    place.server.delay(0.1, 0.1);
    let mut random = seed;
    let mut figures = Figures::default();
    for round in 1..=rounds {
        let request = format!("round-{round}");
        place.request(&request);
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(random % 400));
        drop(running);
        let before = place.state();
        running = operator();
        let lost = eventually(
            &format!("{request} is served, or the login is lost"),
            || {
                if place.served(&request).is_some() {
                    return Some(None);
                }
                let status = place.status("main");
                ["RefreshTokenLost", "RefreshTokenRejected"]
                    .into_iter()
                    .find(|reason| is(&status, Refreshed, "False", reason))
                    .map(Some)
            },
        );
        figures.count(&place, &before, lost);
        if lost.is_some() {
            place.apply(&place.seed(&place.sign_in()));
            eventually("a new sign-in helps", || place.served(&request));
        }
        assert_eq!(place.call_api("main-token"), 200, "{request}");
    }
    println!(
        "grace {grace} s, seed {seed}, {:.0?}: {figures:?}",
        start.elapsed()
    );
    figures
}

/// With a grace period no login is ever lost, and without one only in the window that no client can close.
fn chaos(rounds: u32, seed: u64) {
    let patient = kills(rounds, "120", seed);
    assert_eq!(
        (patient.losses_in_the_window, patient.other_losses),
        (0, 0),
        "{patient:?}"
    );
    let strict = kills(rounds, "0", seed + 1);
    assert_eq!(strict.other_losses, 0, "{strict:?}");
    assert_eq!(
        strict.losses_in_the_window, strict.in_the_window,
        "{strict:?}"
    );
}

#[test]
fn sigkill_loses_a_login_only_where_the_server_has_no_grace_and_its_answer_was_not_stored_yet() {
    chaos(10, 1);
}

#[test]
#[ignore = "takes minutes: make chaos"]
fn chaos_two_hundred_kills() {
    let seed = std::env::var("CHAOS_SEED").map_or(2, |seed| seed.parse().unwrap());
    chaos(100, seed);
}

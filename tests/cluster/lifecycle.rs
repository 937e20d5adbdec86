//! Changes by hand (refresh requests, suspend, another target, deletion), and the life of the process.

use std::path::Path;

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{Place, READS, is},
    scripted::{Authority, LOCAL, Provider, Reply, held},
};

fn exchanged(place: &Place, times: usize) {
    eventually(&format!("{times} exchanges"), || {
        (place.exchanges().len() == times).then_some(())
    });
    place.wait_for("main", "Refreshed", |status| {
        is(status, Refreshed, "True", "TokenIssued")
    });
}

#[test]
fn a_refresh_request_is_served_once_also_across_restarts() {
    let place = Place::new();
    let mut operator = place.operator();
    place.apply(&place.source());
    let mut credential = place.credential("main");
    credential["metadata"]["annotations"] =
        json!({"cube-operator.dev/refresh-requested-at": "at creation"});
    place.apply(&credential);
    exchanged(&place, 1);
    let served = place.status("main").refresh_request;
    assert!(served.is_some());

    place.request("once");
    exchanged(&place, 2);
    let status = place.wait_for("main", "served", |status| status.refresh_request != served);
    assert!(status.refresh_request.is_some());
    eventually("an event", || {
        place
            .events("main")
            .contains(
                &"Normal RefreshRequested: a token was issued as requested by annotation".into(),
            )
            .then_some(())
    });

    for _ in 0..2 {
        operator.terminate();
        assert!(operator.wait().success());
        // Not even a wiped status repeats it, as the target has its own copy.
        place.wipe_status("main");
        operator = place.operator();
        place.wait_for("main", "Ready", |status| {
            is(status, Ready, "True", "Synced")
        });
    }
    place.after_reconcile(&operator, || {
        drop(place.kubectl(&["label", "cubecredential", "main", "a=b"]));
    });
    assert_eq!(place.exchanges(), [200, 200]);
}

#[test]
fn suspend_stops_exchanging_and_keeps_what_is_published() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let suspend =
        |on: bool| place.patch("cubecredential", "main", &json!({"spec": {"suspend": on}}));
    suspend(true);
    let status = place.wait_for("main", "suspended", |status| {
        is(status, Refreshed, "Unknown", "Suspended")
    });
    assert!(is(&status, Ready, "True", "Synced"));
    assert_eq!(status.refresh_at, None);
    place.after_reconcile(&operator, || place.request("while suspended"));
    assert_eq!(place.exchanges(), [200]);
    assert_eq!(place.call_api("main-token"), 200);
    // The request waits while it is suspended, and is served afterwards.
    suspend(false);
    exchanged(&place, 2);
}

#[test]
fn a_moved_target_takes_its_token_along_and_the_old_secret_is_deleted() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let token = place.token("main-token");
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"target": {"name": "moved"}}}),
    );
    eventually("the old one is deleted", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    assert_eq!(place.token("moved"), token);
    let answer = |verb, name| {
        place
            .plane
            .first_answer(verb, "secrets", (&place.namespace, name))
    };
    assert!(
        answer("patch", "moved") < answer("delete", "main-token"),
        "there is always one with the token"
    );
    place.wait_for("main", "moved", |status| {
        status
            .target
            .as_ref()
            .is_some_and(|target| target.name == "moved")
    });

    // A type is immutable: the Secret is deleted and created, and keeps its token.
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"target": {"type": "example.com/token"}}}),
    );
    eventually("the new type", || {
        place
            .get("secret", "moved")
            .filter(|secret| secret["type"] == "example.com/token")
    });
    assert_eq!(place.token("moved"), token);
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn a_target_goes_with_its_credential_or_stays_as_the_deletion_policy_says() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let mut kept = place.credential("kept");
    kept["spec"]["target"] = json!({"deletionPolicy": "Retain"});
    place.apply(&kept);
    place.wait_for("kept", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });

    place.kubectl(&["delete", "cubecredential", "main", "kept"]);
    eventually("the target of main is collected", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    assert!(place.get("secret", "kept-token").is_some());
}

#[test]
fn the_owner_reference_follows_a_changed_deletion_policy() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let token = place.token("main-token");
    let uid = place.get("cubecredential", "main").unwrap()["metadata"]["uid"].clone();
    let owned = json!([{
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "name": "main", "uid": uid,
        "controller": true,
    }]);
    let owners =
        || place.get("secret", "main-token").unwrap()["metadata"]["ownerReferences"].clone();
    assert_eq!(owners(), owned);
    for (policy, expected) in [("Retain", Value::Null), ("Delete", owned)] {
        let target = json!({"spec": {"target": {"deletionPolicy": policy}}});
        place.patch("cubecredential", "main", &target);
        eventually(policy, || (owners() == expected).then_some(()));
    }
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges(), [200]);
    place.wait_for_events("main", &["TokenIssued"]);
    assert_eq!(
        place.events("main").len(),
        1,
        "what follows from the spec is no repair"
    );
}

#[test]
fn an_operator_is_alive_but_not_ready_and_does_nothing_before_its_first_lists() {
    let place = Place::new();
    let binding = place.revoke(READS);
    place.apply(&place.source());
    place.apply(&place.credential("main"));
    let arguments = [
        "--namespaces",
        &place.namespace,
        "--allow-network",
        "127.0.0.0/8,::1/128",
    ];
    let binary = Path::new(env!("CARGO_BIN_EXE_cube-operator"));
    let operator = Operator::launch(binary, &place.kubeconfig, &arguments, &[]);
    eventually("every list is refused", || {
        let lines = operator.lines();
        let cannot = format!("failed to watch namespace {:?}, retrying", place.namespace);
        let refused = |resource: &&str| {
            let of = |line: &Value| {
                let error = line["error"].as_str().unwrap_or_default();
                line["message"] == cannot && error.starts_with(resource)
            };
            lines.iter().any(of)
        };
        ["cubecredentials", "secrets"]
            .iter()
            .all(refused)
            .then_some(())
    });
    assert_eq!(operator.get("/livez"), (200, "ok\n".into()));
    assert_eq!(
        operator.get("/readyz"),
        (
            503,
            format!(
                "waiting for the first lists\ncannot watch namespace {:?}: the log says why\n",
                place.namespace
            )
        )
    );
    assert_eq!(place.exchanges().len(), 0);

    place.apply(&binding);
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(operator.get("/readyz"), (200, "ok\n".into()));
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn a_failure_is_one_line_of_the_log() {
    let place = Place::new();
    let operator = place.operator();
    place.apply(&place.credential("main"));
    place.wait_for("main", "its client is missing", |status| {
        is(status, Ready, "False", "ClientSecretNotFound")
    });
    let lines = || -> Vec<Value> {
        let lines = operator.lines().into_iter();
        lines.filter(|line| line["name"] == "main").collect()
    };
    eventually("it is told", || (!lines().is_empty()).then_some(()));
    place.after_reconcile(&operator, || {
        place.kubectl(&["label", "cubecredential", "main", "again=true"]);
    });
    let lines = lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["condition"], "Refreshed");
    assert_eq!(lines[0]["reason"], "ClientSecretNotFound");
}

#[test]
fn sigterm_lets_a_running_exchange_finish_and_begins_no_other() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let (release, script) = held(Reply::token("slow"));
    let provider = Provider::start(&authority.certificate(&LOCAL), script);
    place.apply(&place.source());
    place.trust("scripted", &authority);
    let mut operator = place.operator();
    place.apply(&place.credential_at("main", &provider.url("/"), "scripted"));
    eventually("the token is asked for", || {
        (provider.requests().len() == 1).then_some(())
    });
    operator.terminate();
    let stopping = |times: usize| {
        eventually("SIGTERM is told", || {
            let log = operator.log();
            (log.matches("no new one begins").count() == times).then_some(())
        });
    };
    stopping(1);
    // Kubernetes kills a process whose probes fail, so they have to succeed. A second SIGTERM changes nothing.
    assert_eq!(operator.get("/livez").0, 200);
    operator.terminate();
    stopping(2);
    place.apply(&place.credential_at("late", &provider.url("/"), "scripted"));
    drop(release);
    assert_eq!(operator.wait().code(), Some(0));
    assert_eq!(place.token("main-token"), "slow");
    assert!(is(&place.status("main"), Ready, "True", "Synced"));
    assert_eq!(place.event_count("main", "TokenIssued"), 1);
    assert_eq!(provider.requests().len(), 1);
    assert!(place.get("secret", "late-token").is_none());
}

#[test]
fn each_first_token_has_its_event_although_the_process_is_told_to_stop_after_the_last_exchange() {
    let place = Place::new();
    let authority = Authority::new("private");
    let script = |_: &_| Reply::token("issued");
    let provider = Provider::start(&authority.certificate(&LOCAL), script);
    place.apply(&place.source());
    place.trust("scripted", &authority);
    let names: Vec<_> = (0..20).map(|number| format!("main-{number}")).collect();
    // A client each, because one of them has to wait between two requests.
    let items = names.iter().map(|name| {
        let url = provider.url(&format!("/{name}"));
        place.credential_at(name, &url, "scripted")
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items.collect::<Vec<_>>()});
    place.apply(&list);
    let mut operator = place.operator();
    eventually("each token is there", || {
        let issued = operator.metric("cube_operator_exchanges_total{reason=\"TokenIssued\"}");
        (issued == Some(20.0)).then_some(())
    });
    operator.terminate();
    assert_eq!(operator.wait().code(), Some(0));
    for name in &names {
        assert!(is(&place.status(name), Ready, "True", "Synced"), "{name}");
        assert_eq!(place.event_count(name, "TokenIssued"), 1, "{name}");
    }
}

#[test]
fn health_and_metrics_are_served() {
    let place = Place::new();
    let operator = place.operator();
    let status = place.ready_main();
    assert_eq!(operator.get("/livez"), (200, "ok\n".into()));
    assert_eq!(operator.get("/readyz"), (200, "ok\n".into()));
    assert_eq!(operator.get("/elsewhere").0, 404);
    assert_eq!(
        operator.metric("cube_operator_exchanges_total{reason=\"TokenIssued\"}"),
        Some(1.0)
    );
    let expiry = format!(
        "cube_operator_token_expiry_timestamp_seconds{{namespace=\"{}\",name=\"main\"}}",
        place.namespace
    );
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    let expires_at = status.expires_at.unwrap().as_second() as f64;
    assert_eq!(operator.metric(&expiry), Some(expires_at));
    place.kubectl(&["delete", "cubecredential", "main"]);
    eventually("nothing is shown of a deleted one", || {
        operator.metric(&expiry).is_none().then_some(())
    });
}

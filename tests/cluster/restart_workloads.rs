//! Workloads whose pods never see a refresh are restarted after it, if their owner asks.

use serde_json::{Value, json};

use crate::{
    consumers::in_variable,
    operator::{Operator, eventually},
    place::Place,
};

const AT: &str = "cube-operator.dev/restarted-at";

impl Place {
    /// The chart and an operator with `restartWorkloads`, and a token that is published.
    fn restarting(&self) -> Operator {
        self.reinstall("restartWorkloads=true");
        let operator = self.operator_with(&["--restart-workloads"], &[]);
        self.ready_main();
        operator
    }

    /// Has these workloads restarted after each refresh.
    fn restart(&self, workloads: &Value) {
        let consumers = json!({"spec": {"consumers": {"restart": workloads}}});
        self.patch("cubecredential", "main", &consumers);
        self.wait_for("main", "the restarts begin with the next token", |status| {
            status.restarted_for.is_some() && status.restarted_for == status.token_fingerprint
        });
    }

    /// The annotations of a workload's pod template.
    fn restarted(&self, kind: &str, name: &str) -> Value {
        self.get(kind, name).unwrap()["spec"]["template"]["metadata"]["annotations"].clone()
    }

    fn wait_until_restarted(&self, kind: &str, name: &str) -> Value {
        eventually(&format!("{kind} {name} is restarted"), || {
            let annotations = self.restarted(kind, name);
            annotations[AT].is_string().then_some(annotations)
        })
    }
}

/// A workload without pods, whose rollout is complete as soon as its controller has seen it.
fn workload(kind: &str, name: &str) -> Value {
    let mut spec = json!({
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}, "annotations": {"theirs": "kept"}},
            "spec": {"containers": [{"name": "app", "image": "example.com/app"}]},
        },
    });
    if kind != "DaemonSet" {
        spec["replicas"] = json!(0);
    }
    spec["template"]["spec"]["containers"][0]["env"] = in_variable()["env"].clone();
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn named(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name})
}

#[test]
fn workloads_of_each_kind_are_restarted_after_a_refresh_and_for_nothing_else() {
    let place = Place::new();
    let operator = place.restarting();
    let all = [
        ("Deployment", "web"),
        ("StatefulSet", "db"),
        ("DaemonSet", "agent"),
    ];
    for (kind, name) in all {
        place.apply(&workload(kind, name));
    }
    let named: Vec<_> = all.iter().map(|(kind, name)| named(kind, name)).collect();
    place.restart(&json!(named));
    drop(operator);
    let operator = place.operator_with(&["--restart-workloads"], &[]);
    place.unlabel_target_until_repaired();
    place.wipe_status("main");
    place.wait_for("main", "the status is back", |status| {
        status.restarted_for.is_some()
    });
    for (kind, name) in all {
        let annotations = place.restarted(kind, name);
        assert_eq!(annotations, json!({"theirs": "kept"}), "{kind}");
    }

    place.refresh_main("one");
    let status = place.status("main");
    let mark = format!(
        "{} {}",
        status.issued_at.unwrap(),
        status.token_fingerprint.clone().unwrap()
    );
    let uid = place.get("cubecredential", "main").unwrap()["metadata"]["uid"].clone();
    let of_main = format!("cube-operator.dev/restarted-for-{}", uid.as_str().unwrap());
    for (kind, name) in all {
        let annotations = place.wait_until_restarted(kind, name);
        assert_eq!(annotations[&of_main], mark.as_str(), "{kind}");
        assert_eq!(annotations["theirs"], "kept", "{kind}");
    }
    place.wait_for("main", "all are restarted", |found| {
        found.restarted_for == status.token_fingerprint
    });
    for (kind, name) in all {
        let note = format!(
            "Normal WorkloadRestarted: {kind} \"{name}\" is restarted, because the token in Secret \"main-token\" was refreshed"
        );
        for about in ["main", name] {
            let has_event = || place.events(about).contains(&note).then_some(());
            eventually(&format!("{about}: {note}"), has_event);
        }
    }
    drop(operator);
    let before = place.restarted("Deployment", "web");
    let operator = place.operator_with(&["--restart-workloads"], &[]);
    place.after_reconcile(&operator, || {
        place.kubectl(&["label", "cubecredential", "main", "a=b"]);
    });
    assert_eq!(place.restarted("Deployment", "web"), before, "once");
    assert_eq!(place.exchanges(), [200, 200]);
}

#[test]
fn a_workload_that_cannot_be_restarted_is_named_with_its_cause() {
    let place = Place::new();
    let _operator = place.restarting();
    let mut paused = workload("Deployment", "paused");
    paused["spec"]["paused"] = json!(true);
    place.apply(&paused);
    let mut on_delete = workload("StatefulSet", "on-delete");
    on_delete["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    place.apply(&on_delete);
    // No node runs its pod, so its first rollout is in progress.
    let mut busy = workload("Deployment", "busy");
    busy["spec"]["replicas"] = json!(1);
    place.apply(&busy);
    place.apply(&workload("Deployment", "web"));
    eventually("the controller has seen it", || {
        let web = place.get("deployment", "web")?;
        (web["status"]["observedGeneration"] == 1).then_some(())
    });
    place.restart(&json!([
        named("Deployment", "paused"),
        named("StatefulSet", "on-delete"),
        named("Deployment", "busy"),
        named("DaemonSet", "absent"),
        named("Deployment", "web"),
    ]));
    place.refresh_main("one");
    place.wait_until_restarted("Deployment", "web");
    let expected = [
        "Deployment \"paused\" was not restarted: it is paused",
        "StatefulSet \"on-delete\" was not restarted: its update strategy is OnDelete: use RollingUpdate",
        "Deployment \"busy\" was not restarted: another rollout is in progress: it follows after that",
        "DaemonSet \"absent\" was not restarted: it does not exist",
    ];
    let notes = eventually("each has its event", || {
        let events = place.events("main").into_iter();
        let notes: Vec<_> = events
            .filter_map(|event| {
                let note = event.strip_prefix("Warning WorkloadNotRestarted: ")?;
                Some(note.to_owned())
            })
            .collect();
        (notes.len() >= expected.len()).then_some(notes)
    });
    assert_eq!(notes, expected);
}

#[test]
fn without_the_right_or_the_flag_nothing_is_restarted_and_an_event_says_why() {
    let place = Place::new();
    place.apply(&workload("Deployment", "web"));
    // The roles of an installation without `restartWorkloads`.
    let operator = place.operator_with(&["--restart-workloads"], &[]);
    place.ready_main();
    place.restart(&json!([named("Deployment", "web")]));
    place.refresh_main("one");
    let told = |note: &str| {
        let event = format!("Warning WorkloadNotRestarted: {note}");
        eventually(&event, || {
            place.events("main").contains(&event).then_some(())
        });
    };
    told(
        "Deployment \"web\" was not restarted: the operator's role does not allow to get deployments there",
    );
    place.refresh_main("two");
    assert_eq!(place.event_count("main", "WorkloadNotRestarted"), 1);
    drop(operator);
    let _operator = place.operator();
    let longer = json!({"spec": {"consumers": {"minInterval": "20m"}}});
    place.patch("cubecredential", "main", &longer);
    told(
        "spec.consumers.restart has no effect: the operator was installed without restartWorkloads",
    );
    assert_eq!(
        place.restarted("Deployment", "web"),
        json!({"theirs": "kept"})
    );
}

#[test]
fn a_spec_with_wrong_consumers_is_refused() {
    let place = Place::new();
    let refused = |consumers: Value, message: &str| {
        let mut object = place.credential("main");
        object["spec"]["consumers"] = consumers;
        let error = place.apply_error(&object);
        assert!(error.contains(message), "{error}");
    };
    let many: Vec<_> = (0..17)
        .map(|number| named("Deployment", &format!("web-{number}")))
        .collect();
    refused(
        json!({"restart": many}),
        "Too many: 17: must have at most 16 items",
    );
    refused(
        json!({"restart": [named("Job", "a")]}),
        "Unsupported value: \"Job\"",
    );
    refused(
        json!({"restart": [named("Deployment", "A")]}),
        "a name has lower-case letters",
    );
    let twice = json!([named("Deployment", "web"), named("Deployment", "web")]);
    refused(json!({"restart": twice}), "uplicate");
    for interval in ["59s", "25h", "soon"] {
        refused(
            json!({"minInterval": interval}),
            "consumers.minInterval must be a duration from 1m to 24h, for example 10m or 1h30m",
        );
    }
}

//! The operator's `ServiceAccount` changes nothing of a pod or a workload but its own annotations, and restarts only what the author of
//! the spec may restart.

use serde_json::{Value, json};

use crate::{operator::eventually, place::manifest};

use super::{Users, credential, rule};

const POD: &str = "the operator may change only annotation cube-operator.dev/refreshed-at of a pod";
const WORKLOAD: &str =
    "the operator may change only annotations cube-operator.dev/restarted-... of a pod template";

fn workload(kind: &str) -> Value {
    let name = kind.to_lowercase();
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "labels": {"a": "b"}, "annotations": {"theirs": "kept"}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": {"theirs": "kept", "cube-operator.dev/restarted-at": "never"}},
                "spec": {"containers": [{"name": "app", "image": "example.com/app", "env": [{"name": "A", "value": "b"}]}]},
            },
        },
    })
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "pod", "labels": {"a": "b"}, "finalizers": ["example.com/wait"],
            "annotations": {"theirs": "kept", "cube-operator.dev/refreshed-at": "never"},
        },
        "spec": {
            "automountServiceAccountToken": false,
            "containers": [{"name": "app", "image": "example.com/app"}],
        },
    })
}

fn metadata(fields: &Value) -> Value {
    json!({"metadata": fields})
}

/// A client with a token of the operator's account. It may also read pods and workloads, as kubectl does before it patches.
struct Intruder {
    users: Users,
    account: String,
}

impl Intruder {
    fn new() -> Self {
        let users = Users::with("refreshPods=true,restartWorkloads=true");
        let namespace = &users.place.namespace;
        let account = format!("system:serviceaccount:{namespace}:cube-operator");
        users.apply_binding(namespace, &account, "Role", "hand");
        let intruder = Self { users, account };
        intruder.grant("get");
        eventually("the ServiceAccount", || {
            intruder.users.place.get("serviceaccount", "default")
        });
        intruder
    }

    /// Gives the account this verb on all pods and workloads, and nothing else besides what the chart gives it.
    fn grant(&self, verb: &str) {
        let all = json!(["*"]);
        let rule = json!({"apiGroups": ["", "apps"], "resources": all, "verbs": [verb]});
        self.users.grant("hand", &json!([rule]));
    }

    fn may_patch(&self, (kind, name): (&str, &str), fields: &Value) {
        let patch = ["patch", kind, name, "--type=merge", "-p"];
        let fields = fields.to_string();
        self.users
            .may(&self.account, &[&patch[..], &[&fields]].concat());
    }

    fn may_not_patch(&self, (kind, name): (&str, &str), fields: &Value, message: &str) {
        let patch = ["patch", kind, name, "--type=merge", "-p"];
        let fields = fields.to_string();
        self.may_not(&[&patch[..], &[&fields]].concat(), message);
    }

    fn may_not(&self, arguments: &[&str], message: &str) {
        let account = &self.account;
        self.users.may_not(account, arguments, "consumers", message);
    }
}

#[test]
fn with_the_operators_account_nobody_changes_more_of_a_pod_than_the_operator_does() {
    let intruder = Intruder::new();
    intruder.users.place.apply(&pod());
    let pod = ("pod", "pod");
    let image = json!({"spec": {"containers": [{"name": "app", "image": "example.com/other"}]}});
    intruder.may_not_patch(pod, &image, POD);
    for fields in [
        json!({"labels": {"a": "c"}}),
        json!({"labels": {"new": "c"}}),
        json!({"labels": null}),
        json!({"finalizers": null}),
        json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Secret", "name": "a", "uid": "b"}]}),
        json!({"annotations": {"theirs": "changed"}}),
        json!({"annotations": {"theirs": null}}),
        json!({"annotations": {"new": "c"}}),
        json!({"annotations": {"cube-operator.dev/refreshed-at": null}}),
        json!({"annotations": {"cube-operator.dev/refreshed-at": "x".repeat(65)}}),
        json!({"annotations": {"cube-operator.dev/restarted-at": "now"}}),
        json!({"annotations": {"cube-operator.dev/refreshed-at": "now", "new": "c"}}),
    ] {
        intruder.may_not_patch(pod, &metadata(&fields), POD);
    }
    let mark = json!({"annotations": {"cube-operator.dev/refreshed-at": "now"}});
    intruder.may_patch(pod, &metadata(&mark));
    let place = &intruder.users.place;
    place.patch("pod", "pod", &metadata(&json!({"finalizers": null})));
}

#[test]
fn with_the_operators_account_nobody_changes_more_of_a_workload_than_the_operator_does() {
    let intruder = Intruder::new();
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        intruder.users.place.apply(&workload(kind));
        let name = kind.to_lowercase();
        let of = (name.as_str(), name.as_str());
        let template = |fields: &Value| json!({"spec": {"template": fields}});
        let annotations = |fields: &Value| template(&metadata(&json!({"annotations": fields})));
        for fields in [
            metadata(&json!({"labels": {"a": "c"}})),
            metadata(&json!({"annotations": {"cube-operator.dev/restarted-at": "now"}})),
            metadata(&json!({"annotations": {"theirs": null}})),
            json!({"spec": {"minReadySeconds": 5}}),
            json!({"spec": {"revisionHistoryLimit": 1}}),
            template(
                &json!({"spec": {"containers": [{"name": "app", "image": "example.com/other"}]}}),
            ),
            template(&json!({"spec": {"serviceAccountName": "other"}})),
            template(&json!({"spec": {"hostNetwork": true}})),
            template(&metadata(&json!({"labels": {"app": name, "new": "c"}}))),
            annotations(&json!({"theirs": "changed"})),
            annotations(&json!({"theirs": null})),
            annotations(&json!({"new": "c"})),
            annotations(&json!({"cube-operator.dev/refreshed-at": "now"})),
            annotations(&json!({"cube-operator.dev/restarted-at": null})),
            annotations(&json!({"cube-operator.dev/restarted-for-x": "x".repeat(65)})),
        ] {
            intruder.may_not_patch(of, &fields, WORKLOAD);
        }
        if kind != "DaemonSet" {
            let counted = json!({"annotations": {"deprecated.daemonset.template.generation": "1"}});
            intruder.may_not_patch(of, &metadata(&counted), WORKLOAD);
            intruder.may_not_patch(of, &json!({"spec": {"replicas": 0}}), WORKLOAD);
        }
        let restart = json!({"cube-operator.dev/restarted-at": "now", "cube-operator.dev/restarted-for-x": "y"});
        intruder.may_patch(of, &annotations(&restart));
    }
    // The policy holds for no other account.
    let users = &intruder.users;
    users.may("owner", &["delete", "deployment", "deployment"]);
}

#[test]
fn the_operators_account_has_no_other_right_to_pods_and_workloads_and_could_not_use_one() {
    let intruder = Intruder::new();
    let place = &intruder.users.place;
    let granted = |verb: &str, resource: &str, subresource: &str| {
        let subresource = format!("--subresource={subresource}");
        let account = &intruder.account;
        let asked = [
            "auth",
            "can-i",
            verb,
            resource,
            &subresource,
            "--as",
            account,
        ];
        place.kubectl_works(&asked)
    };
    for (resource, subresources) in [
        ("pods", ["status", "exec", "ephemeralcontainers"]),
        ("deployments.apps", ["status", "scale", "any"]),
    ] {
        assert!(granted("patch", resource, ""), "{resource}");
        for verb in ["create", "update", "delete"] {
            assert!(!granted(verb, resource, ""), "{verb} {resource}");
        }
        for subresource in subresources {
            for verb in ["create", "patch"] {
                assert!(
                    !granted(verb, resource, subresource),
                    "{verb} {subresource}"
                );
            }
        }
    }

    place.apply(&pod());
    place.apply(&workload("Deployment"));
    intruder.grant("*");
    let status = r#"{"status": {"phase": "Failed"}}"#;
    let subresource = "--subresource=status";
    intruder.may_not(&["patch", "pod", "pod", subresource, "-p", status], POD);
    intruder.may_not(&["delete", "pod", "pod"], POD);
    let created = manifest(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "new"},
        "spec": {"containers": [{"name": "app", "image": "example.com/app"}]},
    }));
    intruder.may_not(&["create", "-f", &created], POD);
    intruder.may_not(&["delete", "deployment", "deployment"], WORKLOAD);
    let scale = ["scale", "deployment", "deployment", "--replicas=5"];
    intruder.may_not(&scale, WORKLOAD);
    place.patch("pod", "pod", &metadata(&json!({"finalizers": null})));
}

#[test]
fn an_author_must_be_allowed_to_patch_each_workload_that_is_restarted() {
    let users = Users::new();
    let kinds = ["Deployment", "StatefulSet", "DaemonSet"];
    // As many as the schema allows, so that the cost of the policy is known to fit.
    let all: Vec<_> = (0..16)
        .map(|number| (kinds[number % 3], format!("web-{number}")))
        .collect();
    let mut object = credential("main");
    object["spec"]["consumers"] = json!({"restart": all
        .iter()
        .map(|(kind, name)| json!({"kind": kind, "name": name}))
        .collect::<Vec<_>>()});
    let file = manifest(&object);
    let create = ["create", "--dry-run=server", "-f", &file];
    let rights = |lacking: Option<&str>| {
        let mut rules = vec![
            rule("cubecredentials", &json!(["*"]), None),
            rule("secrets", &json!(["get"]), Some(&["client"])),
        ];
        for (kind, name) in all
            .iter()
            .filter(|(_, name)| Some(name.as_str()) != lacking)
        {
            let resource = format!("{}s", kind.to_lowercase());
            rules.push(json!({
                "apiGroups": ["apps"], "resources": [resource], "resourceNames": [name], "verbs": ["patch"],
            }));
        }
        users.grant("author", &json!(rules));
    };
    for (kind, name) in [&all[0], &all[7], &all[15]] {
        rights(Some(name.as_str()));
        let message = format!(
            "user \"author\" may not patch {kind} \"{name}\" (spec.consumers.restart), so may not let the operator restart it"
        );
        users.may_not("author", &create, "authors", &message);
    }
    rights(None);
    users.may("author", &create);
    users.may("owner", &create);
}

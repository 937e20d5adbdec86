//! After a refresh, each pod that mounts the target gets one annotation. Nothing else waits for that.

use serde_json::{Value, json};

use crate::{
    commands::run,
    consumers::{by_sub_path, in_variable, in_volume},
    operator::{Operator, eventually},
    place::{Place, install},
};

const MARK: &str = "cube-operator.dev/refreshed-at";

impl Place {
    /// Installs the chart for this namespace once more, with these values.
    pub(crate) fn reinstall(&self, values: &str) {
        let namespace = &self.namespace;
        let values = format!(
            "watchNamespaces={{{namespace}}},crds.install=false,aggregateRoles=false,policies.refresh.enabled=false,{values}"
        );
        install(self.plane, namespace, &values);
    }

    /// The chart and an operator with `refreshPods`, and a token that is published.
    fn refreshing(&self) -> Operator {
        self.reinstall("refreshPods=true");
        let operator = self.operator_with(&["--refresh-pods"], &[]);
        self.ready_main();
        operator
    }

    /// Asks for a token by hand, and waits until the status names it.
    pub(crate) fn refresh_main(&self, request: &str) {
        let before = self.status("main").token_fingerprint;
        self.request(request);
        self.wait_for("main", "refreshed", |status| {
            status.token_fingerprint.is_some() && status.token_fingerprint != before
        });
    }

    /// The mark of a pod.
    fn mark(&self, pod: &str) -> Option<String> {
        let pod = self.get("pod", pod).unwrap();
        Some(pod["metadata"]["annotations"][MARK].as_str()?.to_owned())
    }

    /// The operator's requests about pods.
    fn pod_requests(&self) -> Vec<String> {
        let user = self.account();
        let requests = self.plane.requests_of(&user).into_iter();
        let about = requests.filter(|(_, resource, _)| resource.starts_with("pods"));
        about
            .map(|(verb, resource, name)| format!("{verb} {resource} {name}"))
            .collect()
    }
}

/// A pod of two containers with the token in both ways, in a projected volume.
fn projected(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": false,
            "containers": [
                {"name": "app", "image": "example.com/app", "volumeMounts": [{"name": "all", "mountPath": "/all"}]},
                {"name": "other", "image": "example.com/app"},
            ],
            "volumes": [{"name": "all", "projected": {"sources": [{"secret": {"name": "main-token"}}]}}],
        },
    })
}

#[test]
fn pods_that_mount_the_target_are_told_of_a_refresh_and_of_nothing_else() {
    let place = Place::new();
    let operator = place.refreshing();
    place.apply_pod("volume", &in_volume());
    place.apply_pod("sub-path", &by_sub_path());
    place.apply_pod("variable", &in_variable());
    place.apply_pod("another", &json!({}));
    place.apply(&projected("projected"));
    place.apply_pod("finished", &in_volume());
    place.patch_status("pod", "finished", &json!({"phase": "Succeeded"}));
    let told = |what: &str| {
        let patches = place.pod_requests();
        let patches: Vec<_> = patches
            .into_iter()
            .filter(|request| request.starts_with("patch"))
            .collect();
        assert_eq!(patches, [""; 0], "{what}");
    };
    told("the first token");
    place.unlabel_target_until_repaired();
    place.after_reconcile(&operator, || {
        let labels = json!({"spec": {"target": {"labels": {"a": "b"}}}});
        place.patch("cubecredential", "main", &labels);
    });
    told("a repair and a label");

    place.refresh_main("one");
    // The status comes after the pods.
    let status = place.status("main");
    let mark = format!(
        "{} {}",
        status.issued_at.unwrap(),
        status.token_fingerprint.unwrap()
    );
    for pod in ["volume", "projected"] {
        assert_eq!(place.mark(pod).as_ref(), Some(&mark), "{pod}");
    }
    for pod in ["sub-path", "variable", "another", "finished"] {
        assert_eq!(place.mark(pod), None, "{pod}");
    }
    assert_eq!(
        operator.metric("cube_operator_pod_refreshes_total{result=\"ok\"}"),
        Some(2.0)
    );

    // A process that died before its status tells the pods again, and they have the mark already.
    drop(operator);
    let before = place.pod_requests().len();
    let older = json!({"tokenFingerprint": "00000000", "target": {"resourceVersion": "1"}});
    place.patch_status("cubecredential", "main", &older);
    let _operator = place.operator_with(&["--refresh-pods", "--warn-consumers=false"], &[]);
    place.wait_for("main", "the status is right", |status| {
        status.token_fingerprint.as_deref() != Some("00000000")
    });
    assert_eq!(place.pod_requests()[before..], ["list pods "]);
    assert_eq!(place.exchanges(), [200, 200]);
}

#[test]
fn a_credential_that_opts_out_and_an_operator_without_the_flag_leave_pods_alone() {
    let place = Place::new();
    let operator = place.refreshing();
    place.apply_pod("volume", &in_volume());
    let off = json!({"spec": {"consumers": {"refreshMountedPods": false}}});
    place.patch("cubecredential", "main", &off);
    place.refresh_main("one");
    assert_eq!(place.mark("volume"), None);
    drop(operator);
    let on = json!({"spec": {"consumers": {"refreshMountedPods": true}}});
    place.patch("cubecredential", "main", &on);
    let _operator = place.operator();
    place.refresh_main("two");
    assert_eq!(place.mark("volume"), None);
}

#[test]
fn without_the_right_to_patch_pods_a_refresh_works_and_an_event_names_the_right_once() {
    let place = Place::new();
    // The roles of an installation without `refreshPods`.
    let arguments = ["--refresh-pods", "--token-request-interval=1s"];
    let operator = place.operator_with(&arguments, &[]);
    place.ready_main();
    place.apply_pod("volume", &in_volume());
    for request in ["one", "two"] {
        place.refresh_main(request);
    }
    let notes = eventually("the event is there", || {
        let events = place.events("main").into_iter();
        let notes: Vec<_> = events
            .filter(|event| event.contains("PodsNotRefreshed"))
            .collect();
        (!notes.is_empty()).then_some(notes)
    });
    assert_eq!(
        notes,
        [
            "Warning PodsNotRefreshed: pods see the new token after up to 90 s: the operator's role does not allow to patch pods \
             there"
        ]
    );
    assert_eq!(place.exchanges(), [200, 200, 200]);
    assert_eq!(
        operator.metric("cube_operator_pod_refreshes_total{result=\"error\"}"),
        Some(2.0)
    );
    let message = "this account lacks a right that the flags need";
    operator.wait_for_log(message);
    let mut lines = operator.lines().into_iter();
    let line = lines.find(|line| line["message"] == message).unwrap();
    let missing = line["missing"].to_string();
    assert!(
        missing.contains("may not patch pods in namespace"),
        "{missing}"
    );
    let arguments = [
        "check",
        "--namespaces",
        &place.namespace,
        "--allow-network=127.0.0.0/8",
        "--refresh-pods",
        "--restart-workloads",
    ];
    let (code, output, _) = run(&place.kubeconfig, &arguments, &[]);
    assert_eq!(code, Some(1), "{output}");
    for missing in [
        "may not patch pods in",
        "may not get, patch deployments in",
        "may not get, patch statefulsets in",
        "may not get, patch daemonsets in",
    ] {
        assert!(output.contains(missing), "{missing}: {output}");
    }
    place.reinstall("refreshPods=true,restartWorkloads=true");
    eventually("the rights suffice", || {
        let (code, ..) = run(&place.kubeconfig, &arguments, &[]);
        (code == Some(0)).then_some(())
    });
    place.refresh_main("three");
    assert!(place.mark("volume").is_some(), "as soon as it may");
}

#[test]
fn a_policy_that_denies_it_is_named() {
    let place = Place::new();
    let namespace = &place.namespace;
    let name = format!("{namespace}-no-pods");
    let group = "admissionregistration.k8s.io";
    let policy = json!([
        {
            "apiVersion": format!("{group}/v1"), "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["pods"]},
                ]},
                "validations": [{"expression": "false", "message": "no"}],
            },
        },
        {
            "apiVersion": format!("{group}/v1"), "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {
                "policyName": name, "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
            },
        },
    ]);
    place.apply(&json!({"apiVersion": "v1", "kind": "List", "items": policy}));
    let _operator = place.refreshing();
    place.apply_pod("volume", &in_volume());
    eventually("the policy is in force", || {
        let annotate = ["annotate", "pod", "volume", "a=b", "--dry-run=server"];
        (!place.kubectl_works(&annotate)).then_some(())
    });
    place.refresh_main("one");
    let expected = format!(
        "Warning PodsNotRefreshed: pods see the new token after up to 90 s: denied by ValidatingAdmissionPolicy \"{name}\""
    );
    eventually("the event is there", || {
        place.events("main").contains(&expected).then_some(())
    });
    place
        .plane
        .kubectl(&["delete", "validatingadmissionpolicybinding", &name]);
}

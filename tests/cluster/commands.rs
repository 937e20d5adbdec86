//! The commands: what they print, how they end, and where the controller works.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Output, Stdio},
};

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, ROOT, TokenServer, directory},
    operator::{Operator, eventually},
    place::{Place, install, is},
    scripted::CLOSED,
};

/// How a command ended: its exit code, standard output and standard error.
pub(crate) type Ended = (Option<i32>, String, String);

/// Runs the program until it ends.
pub(crate) fn run(kubeconfig: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cube-operator"))
        .args(arguments)
        .env("KUBECONFIG", kubeconfig)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        eventually("the command ends", || child.try_wait().unwrap());
    }));
    if end.is_err() {
        child.kill().unwrap();
    }
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ended = (status.code(), text(stdout), text(stderr));
    assert!(end.is_ok(), "{arguments:?} does not end: {ended:?}");
    ended
}

/// A command that failed with one line.
fn failed(line: impl std::fmt::Display) -> Ended {
    (Some(1), String::new(), format!("cube-operator: {line}\n"))
}

/// What `check` prints of the rights in a namespace, or in all.
fn rights(place: &str) -> String {
    format!(
        "✓ may get, list, watch cubecredentials {place}\n\
         ✓ may patch cubecredentials/status {place}\n\
         ✓ may get, list, watch, create, patch, delete secrets {place}\n\
         ✓ may get, list, watch configmaps {place}\n\
         ✓ may create, patch events {place}\n\
         ✓ may list pods {place}\n"
    )
}

/// What it prints where the definition may not be read.
const SERVED: &str = "✓ the API server answers\n\
                      ✓ CubeCredential is served; whether cubecredentials.cube-operator.dev is the one of this version may not be read\n";

#[test]
fn check_finds_all_that_the_charts_role_grants_and_names_each_verb_that_is_missing() {
    let place = Place::new();
    let inside = format!("in namespace {}", place.namespace);
    let check = || {
        run(
            &place.kubeconfig,
            &["check", "--namespaces", &place.namespace],
            &[],
        )
    };
    let all = rights(&inside) + "- there is no CubeCredential\n";
    assert_eq!(check(), (Some(0), format!("{SERVED}{all}"), String::new()));
    // The flag is an environment variable too.
    let environment = [("CUBE_OPERATOR_NAMESPACES", place.namespace.as_str())];
    assert_eq!(run(&place.kubeconfig, &["check"], &environment), check());

    let granted = place.get("role", "cube-operator").unwrap()["rules"].clone();
    for (resource, verb, found, missing) in [
        (
            "secrets",
            "patch",
            "get, list, watch, create, patch, delete secrets",
            "patch secrets",
        ),
        (
            "cubecredentials/status",
            "patch",
            "patch cubecredentials/status",
            "patch cubecredentials/status",
        ),
        (
            "configmaps",
            "watch",
            "get, list, watch configmaps",
            "watch configmaps",
        ),
        ("pods", "list", "list pods", "list pods"),
    ] {
        let mut rules = granted.clone();
        for rule in rules.as_array_mut().unwrap() {
            // A rule needs a verb: one that means nothing takes the place.
            if rule["resources"] == json!([resource]) {
                let verbs = rule["verbs"].as_array_mut().unwrap();
                *verbs.iter_mut().find(|granted| *granted == verb).unwrap() = json!("none");
            }
        }
        place.patch("role", "cube-operator", &json!({"rules": rules}));
        let lacking = all.replace(
            &format!("✓ may {found} {inside}"),
            &format!(
                "✗ may not {missing} {inside}: install the chart's roles, with this namespace in watchNamespaces if that is set"
            ),
        );
        let expected = (
            Some(1),
            format!("{SERVED}{lacking}"),
            "cube-operator: 1 of the checks above failed\n".to_owned(),
        );
        // The API server's own cache of roles follows a moment later.
        let mut ended = check();
        eventually("the role is in force", || {
            ended = check();
            (ended.0 == expected.0 && ended.1.contains(missing)).then_some(())
        });
        assert_eq!(ended, expected);
        place.patch("role", "cube-operator", &json!({"rules": granted}));
        eventually("the rights are back", || {
            (check().0 == Some(0)).then_some(())
        });
    }
}

#[test]
fn all_namespaces_or_only_some_are_watched_and_without_its_definition_nothing_starts() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    plane.kubectl(&["create", "namespace", "operator"]);
    let kubeconfig = install(plane, "operator", "crds.install=false,aggregateRoles=false");
    let (one, other) = (
        Place::at(plane, TokenServer::shared()),
        Place::at(plane, TokenServer::shared()),
    );
    let networks = ["--allow-network", "127.0.0.0/8"];

    // The rights are there everywhere; the flag alone decides.
    other.apply(&other.source());
    other.apply(&other.credential("main"));
    let operator = Operator::start(
        &kubeconfig,
        &["--namespaces", &one.namespace],
        &[("CUBE_OPERATOR_ALLOW_NETWORK", networks[1])],
    );
    let token = one.ready_main().token_fingerprint;
    assert_eq!(
        other.status("main"),
        cube_operator::api::CubeCredentialStatus::default()
    );
    assert!(other.exchanges().is_empty());
    drop(operator);

    let operator = Operator::start(&kubeconfig, &networks, &[]);
    // The same names in another namespace are other objects.
    let ready = |place: &Place| {
        place.wait_for("main", "Ready", |status| {
            is(status, Ready, "True", "Synced")
        })
    };
    assert_ne!(ready(&other).token_fingerprint, token);
    assert_eq!(ready(&one).token_fingerprint, token);
    assert_eq!((one.exchanges(), other.exchanges()), (vec![200], vec![200]));
    drop(operator);

    // Only its beginning, which is about the installation.
    let rights = rights("in all namespaces");
    let check = || {
        let (code, output, errors) = run(&kubeconfig, &[&["check"], &networks[..]].concat(), &[]);
        let end = output.find("- the network").unwrap_or(output.len());
        assert_eq!(
            output.matches("CubeCredential test-").count(),
            if end == output.len() { 0 } else { 2 }
        );
        (code, output[..end].to_owned(), errors)
    };
    let definition = |line: &str| format!("✓ the API server answers\n{line}\n{rights}");
    let same = definition(
        "✓ CustomResourceDefinition cubecredentials.cube-operator.dev is the one of this version",
    );
    assert_eq!(check(), (Some(0), same, String::new()));

    let crd = "cubecredentials.cube-operator.dev";
    let another = json!([{
        "op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/suspend/default", "value": true,
    }]);
    plane.kubectl(&[
        "patch",
        "crd",
        crd,
        "--type=json",
        "-p",
        &another.to_string(),
    ]);
    let changed = definition(&format!(
        "✗ CustomResourceDefinition {crd} is not the one of version {}: install the chart, or apply the output of `cube-operator \
         crd` of this version",
        env!("CARGO_PKG_VERSION")
    ));
    let one_failed = "cube-operator: 1 of the checks above failed\n";
    assert_eq!(check(), (Some(1), changed, one_failed.to_owned()));

    plane.kubectl(&["delete", "crd", crd]);
    let absent = "this cluster has no CubeCredential of cube-operator.dev/v1alpha1: install the chart, or apply the output of \
                  `cube-operator crd`";
    let expected = (
        Some(1),
        definition(&format!("✗ {absent}")),
        one_failed.to_owned(),
    );
    // It is served for a moment longer.
    eventually("the kind is gone", || (check() == expected).then_some(()));
    assert_eq!(
        run(&kubeconfig, &["run", "--listen", "127.0.0.1:0"], &[]),
        failed(absent)
    );
}

/// A kubeconfig for this server, with a token that none accepts.
fn kubeconfig_for(server: &str) -> String {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": true}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let path = directory("kubeconfig").join("config");
    fs::write(&path, config.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_cluster_that_refuses_is_one_line_that_names_it_and_says_what_to_renew() {
    let (server, _) = ControlPlane::shared().server();
    for command in [&["check"][..], &["run", "--listen", "127.0.0.1:0"]] {
        let expected = failed(format!(
            "the API server at {server}/ refuses: Unauthorized (401 Unauthorized); renew the login of the kubeconfig, or the \
             service account's token"
        ));
        assert_eq!(run(&kubeconfig_for(&server), command, &[]), expected);
    }
}

#[test]
fn an_unreachable_cluster_is_one_line_that_names_it() {
    let server = format!("https://127.0.0.1:{CLOSED}");
    for command in [&["check"][..], &["run", "--listen", "127.0.0.1:0"]] {
        let (code, stdout, stderr) = run(&kubeconfig_for(&server), command, &[]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{command:?}");
        let start = format!("cube-operator: the API server at {server}/ cannot be reached: ");
        assert!(stderr.starts_with(&start), "{stderr}");
        assert!(stderr.contains("Connection refused"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_missing_kubeconfig_is_one_line_that_says_what_to_set() {
    for command in ["check", "run"] {
        let (code, stdout, stderr) = run("/nowhere/config", &[command], &[]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        let start = "cube-operator: no cluster is configured: set KUBECONFIG, or run in a pod with a service account (";
        assert!(stderr.starts_with(start), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_port_that_is_taken_is_one_line_that_names_the_flag() {
    let plane = ControlPlane::shared();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let expected = failed(format!(
        "cannot listen on {address}: Address already in use (os error 98); choose another one with --listen"
    ));
    assert_eq!(
        run(&plane.kubeconfig, &["run", "--listen", &address], &[]),
        expected
    );
    assert_eq!(
        run(
            &plane.kubeconfig,
            &["run"],
            &[("CUBE_OPERATOR_LISTEN", &address)]
        ),
        expected
    );
}

#[test]
fn a_bad_flag_or_environment_variable_is_one_line_that_names_it() {
    for (flag, variable, value, line) in [
        (
            "--namespaces",
            "CUBE_OPERATOR_NAMESPACES",
            "a,B",
            "invalid value 'B' for '--namespaces <NAMESPACES>': a namespace has 1 to 63 lower-case letters, digits and '-'",
        ),
        (
            "--allow-network",
            "CUBE_OPERATOR_ALLOW_NETWORK",
            "10.0.0.0/99",
            "invalid value '10.0.0.0/99' for '--allow-network <CIDR>': invalid IP address syntax",
        ),
        (
            "--allowed-token-hosts",
            "CUBE_OPERATOR_ALLOWED_TOKEN_HOSTS",
            "a.example,*.b.example",
            "invalid value 'a.example,*.b.example' for '--allowed-token-hosts <HOSTS>': \"*.b.example\" is neither host nor host:port",
        ),
        (
            "--listen",
            "CUBE_OPERATOR_LISTEN",
            "8080",
            "invalid value '8080' for '--listen <ADDRESS>': invalid socket address syntax",
        ),
        (
            "--warn-consumers",
            "CUBE_OPERATOR_WARN_CONSUMERS",
            "maybe",
            "invalid value 'maybe' for '--warn-consumers <BOOL>'",
        ),
        (
            "--log-format",
            "CUBE_OPERATOR_LOG_FORMAT",
            "xml",
            "invalid value 'xml' for '--log-format <LOG_FORMAT>'",
        ),
    ] {
        let expected = (Some(2), String::new(), format!("cube-operator: {line}\n"));
        assert_eq!(run("/nowhere/config", &["run", flag, value], &[]), expected);
        assert_eq!(
            run("/nowhere/config", &["run"], &[(variable, value)]),
            expected
        );
    }
    let expected = (
        Some(2),
        String::new(),
        "cube-operator: unexpected argument '--unknown' found\n".to_owned(),
    );
    assert_eq!(run("/nowhere/config", &["run", "--unknown"], &[]), expected);
}

#[test]
fn flags_work_as_environment_variables() {
    let place = Place::new();
    let operator = Operator::start(
        &place.kubeconfig,
        &[],
        &[
            ("CUBE_OPERATOR_NAMESPACES", &place.namespace),
            ("CUBE_OPERATOR_ALLOW_NETWORK", "127.0.0.0/8,::1/128"),
            ("CUBE_OPERATOR_ALLOWED_TOKEN_HOSTS", "localhost"),
            ("POD_NAME", "cube-operator-0"),
        ],
    );
    place.ready_main();
    let started: Vec<Value> = operator.lines();
    assert_eq!(started[0]["namespaces"], format!("[{:?}]", place.namespace));
    let mut elsewhere = place.credential("elsewhere");
    elsewhere["spec"]["tokenURL"] = json!("https://127.0.0.1/");
    place.apply(&elsewhere);
    place.wait_for("elsewhere", "HostNotAllowed", |status| {
        is(status, Ready, "False", "HostNotAllowed")
    });
    let instance = || {
        let list: Value =
            serde_json::from_str(&place.kubectl(&["get", "events.events.k8s.io", "-o", "json"]))
                .unwrap();
        let mut events = list["items"].as_array().unwrap().iter();
        let ours = events.find(|event| event["reportingController"] == "cube-operator");
        ours.map(|event| event["reportingInstance"].clone())
    };
    assert_eq!(eventually("an event is there", instance), "cube-operator-0");
}

#[test]
fn crd_prints_the_definition_that_is_committed_and_that_the_chart_installs() {
    let (code, stdout, stderr) = run("/nowhere/config", &["crd"], &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for file in [
        "crds/cubecredentials.yaml",
        "charts/cube-operator/files/cubecredentials.yaml",
    ] {
        let committed = fs::read_to_string(format!("{ROOT}/{file}")).unwrap();
        assert!(
            stdout == committed,
            "{file} is not what the types say: run make crd"
        );
    }
}

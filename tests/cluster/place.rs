//! The place of one test: a namespace with the chart's ServiceAccount, an OAuth client, and an operator.

use std::{
    fs,
    path::Path,
    process::Output,
    sync::atomic::{AtomicU32, Ordering},
};

use cube_operator::api::{Condition, ConditionType, CubeCredential, CubeCredentialStatus};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, ROOT, TokenServer, directory, output, tool},
    operator::{Operator, eventually},
    scripted::Authority,
};

/// The secret of every test's OAuth client; planted, so that tests can look for it where it must not be. It looks different
/// in a form and in a header.
pub(crate) const CLIENT_SECRET: &str = "Planted client+secret/7c1f&=%\u{e4}";

/// A role of the chart, and a verb and a resource that it permits.
pub(crate) type Right = (&'static str, &'static str, &'static str);
pub(crate) const READS: Right = ("cube-operator", "list", "secrets");
pub(crate) const LEADS: Right = (
    "cube-operator-leader",
    "get",
    "leases.coordination.k8s.io/cube-operator",
);

/// A namespace with all that a test needs.
pub(crate) struct Place {
    /// Where it is.
    pub(crate) plane: &'static ControlPlane,
    /// The token server that its client is registered at.
    pub(crate) server: &'static TokenServer,
    /// Its name, which is also its OAuth client's.
    pub(crate) namespace: String,
    /// The ServiceAccount's kubeconfig.
    pub(crate) kubeconfig: String,
}

impl Place {
    /// A place on the shared control plane with the shared token server.
    pub(crate) fn new() -> Self {
        Self::at(ControlPlane::shared(), TokenServer::shared())
    }

    /// A place with a token server of its own, whose tokens live for so many seconds.
    pub(crate) fn with_lifetime(seconds: u32) -> Self {
        Self::at(
            ControlPlane::shared(),
            Box::leak(Box::new(TokenServer::start(seconds))),
        )
    }

    /// A place on this control plane.
    pub(crate) fn at(plane: &'static ControlPlane, server: &'static TokenServer) -> Self {
        let place = Self::without_client(plane, server);
        server.create_client(&place.namespace, CLIENT_SECRET);
        place
    }

    /// A place on this control plane whose name is not registered at the token server.
    pub(crate) fn without_client(
        plane: &'static ControlPlane,
        server: &'static TokenServer,
    ) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let namespace = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        plane.kubectl(&["create", "namespace", &namespace]);
        let values =
            format!("watchNamespaces={{{namespace}}},crds.install=false,aggregateRoles=false");
        let kubeconfig = install(plane, &namespace, &values);
        let place = Self {
            plane,
            server,
            namespace,
            kubeconfig,
        };
        place.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "authority"}, "data": {"ca.crt": server.ca_pem},
        }));
        place
    }

    /// An operator for this namespace, as the chart would run it.
    pub(crate) fn operator(&self) -> Operator {
        self.operator_with(&[], &[])
    }

    /// An operator with further flags and environment variables.
    pub(crate) fn operator_with(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Operator {
        let mut all = vec![
            "--namespaces",
            &self.namespace,
            "--allow-network",
            "127.0.0.0/8,::1/128",
        ];
        all.extend(arguments);
        Operator::start(&self.kubeconfig, &all, environment)
    }

    /// The same with the release build.
    pub(crate) fn release_operator(&self, binary: &Path) -> Operator {
        let arguments = [
            "--namespaces",
            &self.namespace,
            "--allow-network",
            "127.0.0.0/8,::1/128",
        ];
        Operator::start_binary(binary, &self.kubeconfig, &arguments, &[])
    }

    /// Runs kubectl in this namespace and returns what it printed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.plane
            .kubectl(&[&["--namespace", &self.namespace], arguments].concat())
    }

    /// The same, expected to fail; returns the error.
    pub(crate) fn kubectl_error(&self, arguments: &[&str]) -> String {
        let output = self.kubectl_output(arguments);
        assert!(
            !output.status.success(),
            "{arguments:?} was expected to fail"
        );
        String::from_utf8(output.stderr).unwrap()
    }

    /// Whether kubectl does this without an error.
    pub(crate) fn kubectl_works(&self, arguments: &[&str]) -> bool {
        self.kubectl_output(arguments).status.success()
    }

    fn kubectl_output(&self, arguments: &[&str]) -> Output {
        let mut command = self.plane.as_administrator();
        command.args(["--namespace", &self.namespace]);
        command.args(arguments).output().unwrap()
    }

    /// Applies an object.
    pub(crate) fn apply(&self, object: &Value) {
        let file = manifest(object);
        self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file]);
    }

    /// Applies an object that the API server is expected to refuse; returns its message.
    pub(crate) fn apply_error(&self, object: &Value) -> String {
        self.kubectl_error(&["apply", "--server-side", "-f", &manifest(object)])
    }

    /// A labelled source Secret with this test's client.
    pub(crate) fn source(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "client", "labels": {"cube-operator.dev/credential": "true"}},
            "stringData": {"client-id": self.namespace, "client-secret": CLIENT_SECRET},
        })
    }

    /// A `CubeCredential` with this name for this test's client.
    pub(crate) fn credential(&self, name: &str) -> Value {
        json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
            "metadata": {"name": name},
            "spec": {
                "provider": "Custom",
                "tokenURL": self.server.token_url,
                "clientSecretRef": {"name": "client"},
                "caBundleRef": {"name": "authority"},
            },
        })
    }

    /// A `CubeCredential` for a token endpoint whose authority is in this `ConfigMap`.
    pub(crate) fn credential_at(&self, name: &str, token_url: &str, ca_bundle: &str) -> Value {
        let mut object = self.credential(name);
        object["spec"]["tokenURL"] = json!(token_url);
        object["spec"]["caBundleRef"] = json!({"name": ca_bundle});
        object
    }

    /// Applies a `ConfigMap` by which this authority is trusted.
    pub(crate) fn trust(&self, name: &str, authority: &Authority) {
        self.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name}, "data": {"ca.crt": authority.pem()},
        }));
    }

    /// Applies source and `CubeCredential` `main`, and waits until it is ready.
    pub(crate) fn ready_main(&self) -> CubeCredentialStatus {
        self.apply(&self.source());
        self.apply(&self.credential("main"));
        self.wait_for("main", "Ready is True", |status| {
            is(status, ConditionType::Ready, "True", "Synced")
        })
    }

    /// Takes a right from the operator, and returns the binding that gives it back when it is applied.
    pub(crate) fn revoke(&self, (role, verb, resource): Right) -> Value {
        let mut binding = self.get("rolebinding", role).unwrap();
        binding["metadata"] = json!({"name": role});
        self.kubectl(&["delete", "rolebinding", role]);
        let account = format!("system:serviceaccount:{}:cube-operator", self.namespace);
        // The API server takes a moment to heed it.
        eventually("the right is gone", || {
            let asked = ["auth", "can-i", verb, resource, "--as", &account];
            (!self.kubectl_works(&asked)).then_some(())
        });
        binding
    }

    /// Waits until the status of a `CubeCredential` fits, and returns it.
    pub(crate) fn wait_for(
        &self,
        name: &str,
        what: &str,
        fits: impl Fn(&CubeCredentialStatus) -> bool,
    ) -> CubeCredentialStatus {
        let mut last = CubeCredentialStatus::default();
        let look = || {
            last = self.status(name);
            fits(&last).then(|| last.clone())
        };
        // The last status says more than the deadline.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| eventually(what, look)))
            .unwrap_or_else(|_| panic!("CubeCredential {name}, {what}; its last status: {last:#?}"))
    }

    /// The status of a `CubeCredential`.
    pub(crate) fn status(&self, name: &str) -> CubeCredentialStatus {
        let object: CubeCredential =
            serde_json::from_value(self.get("cubecredential", name).expect("it exists")).unwrap();
        object.status.unwrap_or_default()
    }

    /// An object as JSON, if it exists.
    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let text = self.kubectl(&["get", kind, name, "--ignore-not-found", "-o", "json"]);
        (!text.is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }

    /// Merges these fields into an object.
    pub(crate) fn patch(&self, kind: &str, name: &str, fields: &Value) {
        self.kubectl(&[
            "patch",
            kind,
            name,
            "--type=merge",
            "-p",
            &fields.to_string(),
        ]);
    }

    /// Removes the status of a `CubeCredential`.
    pub(crate) fn wipe_status(&self, name: &str) {
        let wipe = r#"[{"op": "remove", "path": "/status"}]"#;
        self.kubectl(&[
            "patch",
            "cubecredential",
            name,
            "--subresource=status",
            "--type=json",
            "-p",
            wipe,
        ]);
    }

    /// The events about a `CubeCredential` in the order in which they came: `Warning InvalidClient: note`.
    pub(crate) fn events(&self, name: &str) -> Vec<String> {
        let field = format!("regarding.name={name}");
        let list = self.kubectl(&[
            "get",
            "events.events.k8s.io",
            "--field-selector",
            &field,
            "-o",
            "json",
        ]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let mut events = list["items"].as_array().unwrap().clone();
        events.sort_by_key(|event| event["eventTime"].as_str().unwrap().to_owned());
        let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let line = |event| {
            [text(event, "type"), text(event, "reason")].join(" ") + ": " + &text(event, "note")
        };
        events.iter().map(line).collect()
    }

    /// How often an event with this reason came.
    pub(crate) fn event_count(&self, name: &str, reason: &str) -> usize {
        let list = self.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let about = list["items"].as_array().unwrap().iter();
        let about =
            about.filter(|event| event["regarding"]["name"] == name && event["reason"] == reason);
        about
            .map(|event| {
                event["series"]["count"]
                    .as_u64()
                    .map_or(1, |count| usize::try_from(count).unwrap())
            })
            .sum()
    }

    /// The status of the protected resource's answer to the token in a target.
    pub(crate) fn call_api(&self, target: &str) -> u16 {
        let authority = directory("authority").join("ca.crt");
        fs::write(&authority, &self.server.ca_pem).unwrap();
        let script = "import ssl, sys, urllib.request, urllib.error\n\
            request = urllib.request.Request(sys.argv[1], headers={'Authorization': 'Bearer ' + sys.argv[3]})\n\
            trust = ssl.create_default_context(cafile=sys.argv[2])\n\
            try: print(urllib.request.urlopen(request, context=trust).status)\n\
            except urllib.error.HTTPError as error: print(error.code)";
        let mut python = std::process::Command::new("python3");
        python.args([
            "-c",
            script,
            &self.server.resource_url,
            authority.to_str().unwrap(),
            &self.token(target),
        ]);
        output(&mut python).trim().parse().unwrap()
    }

    /// Asks for an exchange of `main` by hand.
    pub(crate) fn request(&self, value: &str) {
        self.request_of("main", value);
    }

    /// Asks for an exchange by hand.
    pub(crate) fn request_of(&self, name: &str, value: &str) {
        let annotation = format!("cube-operator.dev/refresh-requested-at={value}");
        self.kubectl(&[
            "annotate",
            "cubecredential",
            name,
            "--overwrite",
            &annotation,
        ]);
    }

    /// The access token in a target.
    pub(crate) fn token(&self, target: &str) -> String {
        self.value(target, "access-token")
    }

    /// The text under a key of a Secret.
    pub(crate) fn value(&self, name: &str, key: &str) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let secret = self
            .get("secret", name)
            .unwrap_or_else(|| panic!("Secret {name} exists"));
        String::from_utf8(
            STANDARD
                .decode(secret["data"][key].as_str().unwrap())
                .unwrap(),
        )
        .unwrap()
    }

    /// The statuses of the token server's answers to this test's client: one for each exchange.
    pub(crate) fn exchanges(&self) -> Vec<u64> {
        self.server.answers_to(&self.namespace)
    }

    /// Waits until the operator has reconciled once more than before `change`, and is done with it.
    #[expect(clippy::unused_self, reason = "reads like the others")]
    pub(crate) fn after_reconcile(&self, operator: &Operator, change: impl FnOnce()) {
        let before = operator.reconciles();
        change();
        eventually("a reconcile follows the change", || {
            (operator.reconciles() > before).then_some(())
        });
    }
}

/// Installs the chart's ServiceAccount and roles, and returns a kubeconfig with a token of that account.
pub(crate) fn install(plane: &ControlPlane, namespace: &str, values: &str) -> String {
    let rendered = directory("chart").join("rendered.yaml");
    let chart = format!("{ROOT}/charts/cube-operator");
    let yaml = output(tool("helm").args([
        "template",
        "cube-operator",
        &chart,
        "--namespace",
        namespace,
        "--set",
        values,
    ]));
    fs::write(&rendered, yaml).unwrap();
    plane.kubectl(&[
        "apply",
        "--namespace",
        namespace,
        "-f",
        rendered.to_str().unwrap(),
    ]);
    let token = plane.kubectl(&[
        "create",
        "token",
        "cube-operator",
        "--namespace",
        namespace,
        "--duration",
        "1h",
    ]);
    let (server, ca_file) = plane.server();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "operator",
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": ca_file}}],
        "users": [{"name": "u", "user": {"token": token.trim()}}],
        "contexts": [{"name": "operator", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
    });
    let path = directory("kubeconfig").join("config");
    fs::write(&path, config.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Whether a condition has this status and reason.
pub(crate) fn is(
    of: &CubeCredentialStatus,
    r#type: ConditionType,
    status: &str,
    reason: &str,
) -> bool {
    of.condition(r#type)
        .is_some_and(|found| format!("{:?}", found.status) == status && found.reason == reason)
}

/// All that the conditions say, whole: `Ready=False InvalidClient: message`.
pub(crate) fn told(status: &CubeCredentialStatus) -> Vec<String> {
    let line = |condition: &Condition| {
        let Condition {
            r#type,
            status,
            reason,
            message,
            ..
        } = condition;
        format!("{type:?}={status:?} {reason}: {message}")
    };
    status.conditions.iter().map(line).collect()
}

/// The next planned exchange, as messages show it.
pub(crate) fn next_try(status: &CubeCredentialStatus) -> String {
    let time = status.refresh_at.expect("a try is planned");
    time.strftime("%H:%M:%SZ").to_string()
}

/// A file with this object, for kubectl.
pub(crate) fn manifest(object: &Value) -> String {
    let path = directory("manifest").join("object.json");
    fs::write(&path, object.to_string()).unwrap();
    Path::new(&path).to_str().unwrap().to_owned()
}

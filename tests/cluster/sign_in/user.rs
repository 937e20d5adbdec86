//! A user of the cluster, and `kubectl cube` as that user.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::json;

use crate::{
    commands::Ended,
    environment::directory,
    operator::eventually,
    place::{Place, manifest},
};

/// A user with a role in the namespace of a place.
pub(super) struct User {
    kubeconfig: String,
}

impl User {
    /// A user with this role of the cluster and the chart's aggregated roles.
    pub(super) fn with_role(place: &Place, name: &str, role: &str) -> Self {
        let namespace = &place.namespace;
        let rules = json!([{
            "apiGroups": ["cube-operator.dev"], "resources": ["cubecredentials", "cubeproviders"],
            "verbs": if role == "edit" { json!(["get", "list", "watch", "create", "update", "patch", "delete"]) }
                     else { json!(["get", "list", "watch"]) },
        }]);
        let group = "rbac.authorization.k8s.io";
        place.apply(
            &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}),
        );
        // What the chart's aggregated role adds to `edit` and `view`.
        place.apply(&json!({
            "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": {"name": name}, "rules": rules,
        }));
        for (binding, kind, of) in [("own", "Role", name), ("aggregated", "ClusterRole", role)] {
            let binding = json!({
                "apiVersion": format!("{group}/v1"), "kind": "RoleBinding",
                "metadata": {"name": format!("{name}-{binding}"), "namespace": namespace},
                "roleRef": {"apiGroup": group, "kind": kind, "name": of},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
            });
            place.plane.kubectl(&["apply", "-f", &manifest(&binding)]);
        }
        let token = place
            .plane
            .kubectl(&["create", "token", name, "-n", namespace]);
        let (server, ca_file) = place.plane.server();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "user",
            "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": ca_file}}],
            "users": [{"name": "u", "user": {"token": token.trim()}}],
            "contexts": [{"name": "user", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
        });
        let path = directory("kubeconfig").join("config");
        fs::write(&path, config.to_string()).unwrap();
        let user = Self {
            kubeconfig: path.to_str().unwrap().to_owned(),
        };
        // Roles count a moment after they were written.
        let subject = format!("system:serviceaccount:{namespace}:{name}");
        let question = ["auth", "can-i", "get", "cubecredentials", "--as", &subject];
        eventually("the role counts", || {
            place.kubectl_works(&question).then_some(())
        });
        user
    }

    /// Begins `kubectl cube` with these arguments. There is no terminal and no browser.
    pub(super) fn start(&self, arguments: &[&str]) -> Cube {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-cube"))
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            // Finds no browser, so that none is opened.
            .env("PATH", "/nonexistent")
            .env_remove("BROWSER")
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Cube { child, output }
    }
}

/// A running `kubectl cube`; killed when dropped.
pub(super) struct Cube {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Cube {
    /// The next line of its output.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut errors = String::new();
            let stderr = self.child.stderr.as_mut().unwrap();
            stderr.read_to_string(&mut errors).unwrap();
            panic!("it ended: {errors}");
        }
        line.trim_end().to_owned()
    }

    /// Writes a line to its input.
    pub(super) fn write(&mut self, line: &str) {
        let mut stdin = self.child.stdin.take().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    pub(super) fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    /// How it ended: its exit code, and the rest of what it printed.
    pub(super) fn end(mut self) -> Ended {
        let status = eventually("kubectl cube ends", || self.child.try_wait().unwrap());
        let (mut output, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut output).unwrap();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        (status.code(), output, errors)
    }
}

impl Drop for Cube {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The place of one test: a namespace with the chart's ServiceAccount, an OAuth client, and an operator.

mod install;
mod kubectl;
mod objects;
mod status;

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::json;

use crate::{
    environment::{ControlPlane, TokenServer, directory, output},
    operator::{Operator, eventually},
};

pub(crate) use install::install;
pub(crate) use kubectl::manifest;
pub(crate) use status::{is, lifetime, told};

/// The secret of every test's OAuth client; planted, so that tests can look for it where it must not be. It looks different
/// in a form and in a header.
pub(crate) const CLIENT_SECRET: &str = "Planted client+secret/7c1f&=%\u{e4}";

/// A role of the chart, and a verb and a resource that it allows.
pub(crate) type Right = (&'static str, &'static str, &'static str);
pub(crate) const READS: Right = ("cube-operator", "list", "secrets");
pub(crate) const LEADS: Right = (
    "cube-operator-leader",
    "get",
    "leases.coordination.k8s.io/cube-operator",
);

/// A namespace with everything that a test needs.
pub(crate) struct Place {
    /// The cluster of the namespace.
    pub(crate) plane: &'static ControlPlane,
    /// The token server with this test's client.
    pub(crate) server: &'static TokenServer,
    /// The name of the namespace, which is also the id of its OAuth client.
    pub(crate) namespace: String,
    /// The ServiceAccount's kubeconfig.
    pub(crate) kubeconfig: String,
}

impl Place {
    /// A place on the shared control plane with the shared token server.
    pub(crate) fn new() -> Self {
        Self::at(ControlPlane::shared(), TokenServer::shared())
    }

    /// The ServiceAccount of its operator, as the API server names the user.
    pub(crate) fn account(&self) -> String {
        format!("system:serviceaccount:{}:cube-operator", self.namespace)
    }

    /// A place with a token server of its own, whose tokens live for so many seconds, one after the other.
    pub(crate) fn with_lifetimes(seconds: &[u32]) -> Self {
        let server: &'static TokenServer = Box::leak(Box::new(TokenServer::start_with(&[])));
        server.set_lifetimes(seconds);
        Self::at(ControlPlane::shared(), server)
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
        // What these bring is tried in `policies`.
        let values = format!(
            "watchNamespaces={{{namespace}}},clusterProviders=true,crds.install=false,aggregateRoles=false,policies.refresh.enabled=false"
        );
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

    /// The status with which the protected resource responds to the token in a target.
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

    /// The statuses of the token server's responses to this test's client: one for each exchange.
    pub(crate) fn exchanges(&self) -> Vec<u64> {
        self.server.answers_to(&self.namespace)
    }

    /// Makes the change, and waits until one more reconcile has ended.
    #[expect(clippy::unused_self, reason = "reads like the others")]
    pub(crate) fn after_reconcile(&self, operator: &Operator, change: impl FnOnce()) {
        let before = operator.reconciles();
        change();
        eventually("a reconcile follows the change", || {
            (operator.reconciles() > before).then_some(())
        });
    }
}

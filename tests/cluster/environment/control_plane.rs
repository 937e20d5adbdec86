//! A control plane with the chart's CRD: etcd, API server and controllers.

mod audit_log;

use std::{process::Command, sync::OnceLock};

use serde_json::json;

use crate::operator::eventually;

use super::{ROOT, launcher::Launcher, output, tool};

/// A control plane with the chart's CRD.
pub(crate) struct ControlPlane {
    launcher: Launcher,
    /// An administrator's kubeconfig.
    pub(crate) kubeconfig: String,
}

impl ControlPlane {
    /// The one that most tests share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One of its own: for tests that watch all namespaces, count requests, or stop it.
    pub(crate) fn start() -> Self {
        let launcher = Launcher::start("control-plane", &[]);
        let plane = Self {
            kubeconfig: launcher.fact("kubeconfig"),
            launcher,
        };
        plane.kubectl(&[
            "apply",
            "--server-side",
            "-f",
            &format!("{ROOT}/crds/cubecredentials.yaml"),
        ]);
        // A definition is established a moment before the discovery, which kubectl and the controllers go by, knows of it.
        eventually("the kind is served", || {
            let get = ["get", "cubecredentials", "--all-namespaces"];
            plane
                .as_administrator()
                .args(get)
                .output()
                .unwrap()
                .status
                .success()
                .then_some(())
        });
        // Else the garbage collector notices the new kind only after about 40 s.
        plane
            .launcher
            .command(&json!({"cmd": "restart-controllers"}));
        plane
    }

    /// Runs kubectl as an administrator and returns what it printed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        output(self.as_administrator().args(arguments))
    }

    /// kubectl as an administrator.
    pub(crate) fn as_administrator(&self) -> Command {
        let mut command = tool("kubectl");
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// The API server crashes.
    pub(crate) fn stop_api_server(&self) {
        self.launcher.command(&json!({"cmd": "stop-apiserver"}));
    }

    /// It is back, with the same data.
    pub(crate) fn start_api_server(&self) {
        self.launcher.command(&json!({"cmd": "start-apiserver"}));
    }

    /// The address and authority of the API server.
    pub(crate) fn server(&self) -> (String, String) {
        (self.launcher.fact("server"), self.launcher.fact("ca_file"))
    }

    /// A client with an administrator's rights, and what it runs on.
    pub(crate) fn client(&self) -> (tokio::runtime::Runtime, kube::Client) {
        // As main does; only the first test of a process succeeds.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = runtime.block_on(async {
            let file = kube::config::Kubeconfig::read_from(&self.kubeconfig).unwrap();
            let config = kube::Config::from_custom_kubeconfig(
                file,
                &kube::config::KubeConfigOptions::default(),
            )
            .await;
            kube::Client::try_from(config.unwrap()).unwrap()
        });
        (runtime, client)
    }
}

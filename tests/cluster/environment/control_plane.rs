//! A control plane with the chart's CRD: etcd, API server and controllers.

#[path = "control_plane/audit_log.rs"]
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
    /// The control plane that most tests share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A control plane for one test: one that watches all namespaces, counts requests, or stops it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A control plane with these options of `tests/environment.py`.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let launcher = Launcher::start("control-plane", arguments);
        let plane = Self {
            kubeconfig: launcher.fact("kubeconfig"),
            launcher,
        };
        plane.kubectl(&["apply", "--server-side", "-f", &format!("{ROOT}/crds")]);
        // kubectl and the controllers use discovery, which knows the kind a moment after its definition is established.
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
        // Without this the garbage collector notices the new kind only after about 40 s.
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

    /// Stops the API server as a crash would.
    pub(crate) fn stop_api_server(&self) {
        self.launcher.command(&json!({"cmd": "stop-apiserver"}));
    }

    /// Starts the API server again, with the same data.
    pub(crate) fn start_api_server(&self) {
        self.launcher.command(&json!({"cmd": "start-apiserver"}));
    }

    /// The address of the API server, and the file with its CA certificate.
    pub(crate) fn server(&self) -> (String, String) {
        (self.launcher.fact("server"), self.launcher.fact("ca_file"))
    }

    /// The process id of the API server that was started first.
    #[allow(dead_code, reason = "only the bench uses it")]
    pub(crate) fn api_server_process(&self) -> u32 {
        self.launcher.fact("apiserver_process").parse().unwrap()
    }

    /// The directory of its data and logs.
    #[allow(dead_code, reason = "only the bench uses it")]
    pub(crate) fn directory(&self) -> String {
        self.launcher.fact("dir")
    }

    /// A client with an administrator's rights, and the runtime for it.
    pub(crate) fn client(&self) -> (tokio::runtime::Runtime, kube::Client) {
        // `main` does the same; only the first call in a process succeeds.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
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

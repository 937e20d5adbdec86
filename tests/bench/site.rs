//! A control plane with the chart's ServiceAccount and a token server, and the operators that run there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::{
    environment::ControlPlane, install::install, objects, operator::Operator, process::Process,
    provider::TokenServer,
};

/// The namespace of the operator.
const HOME: &str = "cube-system";

/// A control plane, and what belongs to it.
pub(crate) struct Site {
    plane: ControlPlane,
    /// The operator's ServiceAccount.
    kubeconfig: String,
    /// A client with an administrator's rights.
    pub(crate) client: Client,
    pub(crate) server: TokenServer,
    binary: PathBuf,
}

impl Site {
    pub(crate) async fn new(binary: &Path) -> Self {
        let plane = ControlPlane::start_with(&["--audit-log", "false"]);
        let client = connect(&plane.kubeconfig).await;
        objects::create_namespace(&client, HOME).await;
        let kubeconfig = install(&plane, HOME, "crds.install=false");
        Self {
            plane,
            kubeconfig,
            client,
            server: TokenServer::start(),
            binary: binary.to_owned(),
        }
    }

    /// The process of the API server.
    pub(crate) fn api_server(&self) -> Process {
        Process(self.plane.api_server_process())
    }

    /// A client with the operator's rights.
    pub(crate) async fn account(&self) -> Client {
        connect(&self.kubeconfig).await
    }

    /// Starts an operator as the chart does.
    pub(crate) fn launch(&self, environment: &[(&str, &str)]) -> Running {
        let lease = format!("{HOME}/cube-operator");
        // A restarted container of the same pod.
        self.start(&["--lease", &lease, "--identity", "bench"], environment)
    }

    /// Starts an operator that serves one namespace. It has no Lease, so several can run beside each other.
    pub(crate) fn launch_for(&self, namespace: &str) -> Running {
        self.start(&["--namespaces", namespace], &[])
    }

    fn start(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let arguments = [&["--allow-network", "127.0.0.0/8,::1/128"], arguments].concat();
        let environment = [&[("RUST_LOG", "info")], environment].concat();
        let operator = Operator::launch(&self.binary, &self.kubeconfig, &arguments, &environment);
        let process = Process(operator.process());
        Running { operator, process }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The data of ten thousand objects. The processes end with their launcher, a moment later.
        let _ = fs::remove_dir_all(Path::new(&self.plane.directory()).join("etcd"));
    }
}

/// A running operator.
pub(crate) struct Running {
    operator: Operator,
    pub(crate) process: Process,
}

impl Running {
    /// Waits until it is ready. Each look costs the operator a connection.
    pub(crate) fn ready(&self) {
        while self.operator.get("/readyz").0 != 200 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Ends it as the kubelet does.
    pub(crate) fn stop(mut self) {
        self.operator.terminate();
        assert!(self.operator.wait().success());
    }
}

async fn connect(kubeconfig: &str) -> Client {
    let file = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await;
    Client::try_from(config.unwrap()).unwrap()
}

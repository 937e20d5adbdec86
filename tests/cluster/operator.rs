//! The operator as a process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::environment::directory;

/// How long anything may take before a test gives up. No test waits for it to pass.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A running `cube-operator run`; killed when dropped.
pub(crate) struct Operator {
    child: Child,
    log: PathBuf,
    /// Its HTTP endpoint.
    pub(crate) address: String,
}

impl Operator {
    /// Starts it with this kubeconfig, and waits until it is ready.
    pub(crate) fn start(
        kubeconfig: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_cube-operator"));
        let operator = Self::launch(binary, kubeconfig, arguments, environment);
        eventually("the operator is ready", || {
            (operator.get("/readyz").0 == 200).then_some(())
        });
        operator
    }

    /// Starts any build of it without waiting until it is ready.
    pub(crate) fn launch(
        binary: &Path,
        kubeconfig: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let log = directory("operator").join("log");
        let own: &[_] = if arguments.contains(&"--listen") {
            &[]
        } else {
            &["--listen", "127.0.0.1:0"]
        };
        let child = Command::new(binary)
            .arg("run")
            .args(own)
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            // The default would make most tests wait for their second exchange.
            .env("CUBE_OPERATOR_TOKEN_REQUEST_INTERVAL", "1s")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut operator = Self {
            child,
            log,
            address: String::new(),
        };
        operator.address = eventually("the operator logs its address", || {
            operator
                .lines()
                .iter()
                .find_map(|line| Some(line["address"].as_str()?.to_owned()))
        });
        operator
    }

    /// The complete lines of its log.
    pub(crate) fn log(&self) -> String {
        let mut log = fs::read_to_string(&self.log).unwrap();
        log.truncate(log.rfind('\n').map_or(0, |end| end + 1));
        log
    }

    /// Waits until its log has this text. A line comes after the write that it is about, so a test that has seen the write waits too.
    pub(crate) fn wait_for_log(&self, text: &str) {
        eventually(text, || self.log().contains(text).then_some(()));
    }

    /// The entries of its log.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.log()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Status and body of its HTTP endpoint.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        get(&self.address, path)
    }

    /// The value of a metric with its labels, as `/metrics` shows it.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").1;
        let line = text.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(' '))
        })?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// How many reconciles have ended.
    pub(crate) fn reconciles(&self) -> f64 {
        self.metric("cube_operator_reconciles_total{result=\"ok\"}")
            .unwrap_or(0.0)
    }

    /// The id of its process.
    #[allow(dead_code, reason = "only the bench uses it")]
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.memory_kib("VmRSS:")
    }

    /// The largest resident memory so far in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.memory_kib("VmHWM:")
    }

    fn memory_kib(&self, figure: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with(figure))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        eventually("the operator ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the operator\n{}", self.log());
        }
    }
}

/// Status and body of an HTTP endpoint without TLS.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    // With HTTP/1.0 the response is not chunked.
    write!(stream, "GET {path} HTTP/1.0\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    let body = answer.split_once("\r\n\r\n");
    (
        status,
        body.map(|(_, body)| body.to_owned()).unwrap_or_default(),
    )
}

/// Waits until something is there. It looks every 20 ms.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "not within {DEADLINE:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

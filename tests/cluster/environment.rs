//! The control plane and the token servers: processes of `tests/environment.py` that end with their standard input.

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::operator::eventually;

/// The root of the repository.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A new directory of this run.
pub(crate) fn directory(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-{number}-{name}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

/// A tool that `tests/tools/build.sh` makes.
pub(crate) fn tool(name: &str) -> Command {
    let path = Path::new(ROOT).join("target/tools/bin").join(name);
    assert!(
        path.exists(),
        "{} is missing: run tests/tools/build.sh (make test does)",
        path.display()
    );
    Command::new(path)
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A running part of the environment.
struct Launcher {
    _child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    facts: Value,
}

impl Launcher {
    fn start(kind: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new("python3")
            .arg(format!("{ROOT}/tests/environment.py"))
            .arg(kind)
            .arg("--dir")
            .arg(directory(kind))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts tests/environment.py");
        let (stdin, mut stdout) = (
            child.stdin.take().unwrap(),
            BufReader::new(child.stdout.take().unwrap()),
        );
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let facts = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the {kind} did not start; see its message above"));
        Self {
            _child: child,
            pipes: Mutex::new((stdin, stdout)),
            facts,
        }
    }

    fn fact(&self, name: &str) -> String {
        self.facts[name]
            .as_str()
            .unwrap_or_else(|| panic!("environment.py says no {name}"))
            .to_owned()
    }

    fn command(&self, command: &Value) {
        assert_eq!(self.ask(command), json!({"ok": true}), "{command}");
    }

    fn ask(&self, command: &Value) -> Value {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{command}").unwrap();
        let mut line = String::new();
        pipes.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

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

    /// The kinds in which a ServiceAccount was given this Secret: `PartialObjectMetadata` has no data.
    pub(crate) fn kinds_of_secret_given_to(
        &self,
        user: &str,
        namespace: &str,
        name: &str,
    ) -> Vec<String> {
        let log = fs::read_to_string(self.launcher.fact("audit_log")).unwrap();
        let lines = log.lines().filter(|line| line.contains(user));
        lines
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| {
                let object = &line["objectRef"];
                line["user"]["username"] == user
                    && line["verb"] == "get"
                    && object["resource"] == "secrets"
                    && object["namespace"] == namespace
                    && object["name"] == name
                    && line["responseStatus"]["code"] == 200
            })
            .map(|line| line["responseObject"]["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The queries of a user's lists and watches of a resource.
    pub(crate) fn queries_of(&self, user: &str, resource: &str) -> Vec<String> {
        let log = fs::read_to_string(self.launcher.fact("audit_log")).unwrap();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lists = lines.filter(|line| {
            line["user"]["username"] == user
                && line["objectRef"]["resource"] == resource
                && ["list", "watch"].contains(&line["verb"].as_str().unwrap_or_default())
        });
        let decode = |uri: &str| {
            url::Url::parse(&format!("https://x{uri}")).map(|url| {
                url.query_pairs()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect::<Vec<_>>()
                    .join("&")
            })
        };
        lists
            .map(|line| decode(line["requestURI"].as_str().unwrap_or_default()).unwrap())
            .collect()
    }

    /// When the API server first answered such a request, by its own clock, if it did.
    pub(crate) fn first_answer(
        &self,
        verb: &str,
        resource: &str,
        (namespace, name): (&str, &str),
    ) -> Option<Timestamp> {
        let log = fs::read_to_string(self.launcher.fact("audit_log")).unwrap();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut answers = lines.filter(|line| {
            let object = &line["objectRef"];
            line["verb"] == verb
                && object["resource"] == resource
                && object["subresource"] == Value::Null
                && object["namespace"] == namespace
                && object["name"] == name
                && line["responseStatus"]["code"].as_u64() < Some(300)
        });
        let answer = answers.next()?;
        Some(answer["stageTimestamp"].as_str().unwrap().parse().unwrap())
    }

    /// The requests that a user made so far: (verb, resource with subresource, name).
    pub(crate) fn requests_of(&self, user: &str) -> Vec<(String, String, String)> {
        let log = fs::read_to_string(self.launcher.fact("audit_log")).unwrap();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        // A watch is in it twice: when it starts, and when it ends.
        let mut seen = HashSet::new();
        lines
            .filter(|line| line["user"]["username"] == user)
            .filter(|line| seen.insert(line["auditID"].as_str().unwrap_or_default().to_owned()))
            .map(|line| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let object = &line["objectRef"];
                let resource = match text(&object["subresource"]) {
                    sub if sub.is_empty() => text(&object["resource"]),
                    sub => format!("{}/{sub}", text(&object["resource"])),
                };
                (text(&line["verb"]), resource, text(&object["name"]))
            })
            .collect()
    }
}

/// Where browsers are sent to after a sign-in.
const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";

/// A request with a refresh token, as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    /// The fingerprint of the refresh token that came.
    pub(crate) sent: String,
    /// The fingerprint of the one that it was answered with; empty: none.
    pub(crate) issued: String,
    /// What the client got.
    pub(crate) status: u64,
    /// What the server did; 0: nothing.
    pub(crate) committed: u64,
    /// When it came, by a clock that the operator has too.
    pub(crate) at: Timestamp,
}

/// The fingerprint of a token in the server's log.
pub(crate) fn fingerprint(token: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(token);
    let beginning: [u8; 8] = hash[..8].try_into().unwrap();
    format!("{:016x}", u64::from_be_bytes(beginning))
}

/// A django-oauth-toolkit server.
pub(crate) struct TokenServer {
    launcher: Launcher,
    /// Its token endpoint.
    pub(crate) token_url: String,
    /// What its tokens open.
    pub(crate) resource_url: String,
    /// Its private authority.
    pub(crate) ca_pem: String,
}

impl TokenServer {
    /// The one that most tests share; its tokens live for an hour.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<TokenServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(3600))
    }

    /// One of its own.
    pub(crate) fn start(lifetime: u32) -> Self {
        Self::start_with(&["--lifetime", &lifetime.to_string()])
    }

    /// One of its own with these options of `tests/environment.py`.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let launcher = Launcher::start("token-server", arguments);
        Self {
            token_url: launcher.fact("token_url"),
            resource_url: launcher.fact("resource_url"),
            ca_pem: fs::read_to_string(launcher.fact("ca_file")).unwrap(),
            launcher,
        }
    }

    /// Registers a client for the client-credentials grant.
    pub(crate) fn create_client(&self, id: &str, secret: &str) {
        self.launcher
            .command(&json!({"cmd": "create-client", "client_id": id, "client_secret": secret}));
    }

    /// Registers a client that signs users in, public if it has no secret, and a user of the same name.
    pub(crate) fn create_login_client(&self, id: &str, secret: Option<&str>) {
        let mut client = json!({
            "cmd": "create-client", "client_id": id, "grant_type": "authorization-code", "redirect_uris": REDIRECT_URI,
        });
        match secret {
            Some(secret) => client["client_secret"] = json!(secret),
            None => client["client_type"] = json!("public"),
        }
        self.launcher.command(&client);
        let user = json!({"cmd": "create-user", "username": id, "password": "Planted-password-1"});
        self.launcher.command(&user);
    }

    /// Signs the client's user in, and returns the refresh token.
    pub(crate) fn sign_in(&self, id: &str, secret: Option<&str>) -> String {
        let mut command = json!({
            "cmd": "sign-in", "client_id": id, "username": id, "password": "Planted-password-1", "redirect_uri": REDIRECT_URI,
        });
        if let Some(secret) = secret {
            command["client_secret"] = json!(secret);
        }
        let answer = self.launcher.ask(&command);
        let token = answer["refresh_token"].as_str();
        token
            .unwrap_or_else(|| panic!("no sign-in: {}", answer["error"]))
            .to_owned()
    }

    /// From now on token requests wait so many seconds before they are processed, and between commit and answer.
    pub(crate) fn delay(&self, before: f64, after: f64) {
        self.launcher
            .command(&json!({"cmd": "delay", "before": before, "after": after}));
    }

    /// From now on, or not any more, committed token requests wait for their answers.
    pub(crate) fn hold(&self, on: bool) {
        self.launcher.command(&json!({"cmd": "hold", "on": on}));
    }

    /// The next token requests are committed, but answered with 502.
    pub(crate) fn lose_answers(&self, count: u32) {
        self.launcher
            .command(&json!({"cmd": "lose-answers", "count": count}));
    }

    /// Revokes an access or refresh token.
    pub(crate) fn revoke(&self, token: &str) {
        self.launcher
            .command(&json!({"cmd": "revoke", "token": token}));
    }

    /// The refreshes that this client asked for, from the server's own log.
    pub(crate) fn refreshes_of(&self, client_id: &str) -> Vec<Refresh> {
        let log = fs::read_to_string(self.launcher.fact("request_log")).unwrap_or_default();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let own = lines
            .filter(|line| line["client_id"] == client_id && line["grant_type"] == "refresh_token");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        own.map(|line| Refresh {
            sent: text(&line["refresh_token"]),
            issued: text(&line["issued"]),
            status: line["status"].as_u64().unwrap_or_default(),
            committed: line["committed_status"].as_u64().unwrap_or_default(),
            at: Timestamp::UNIX_EPOCH + Duration::from_secs_f64(line["time"].as_f64().unwrap()),
        })
        .collect()
    }

    /// Changes a client's secret.
    pub(crate) fn set_secret(&self, id: &str, secret: &str) {
        self.launcher
            .command(&json!({"cmd": "set-secret", "client_id": id, "client_secret": secret}));
    }

    /// Answers every token request with 403, as for an address that is not listed, or not any more.
    pub(crate) fn forbid(&self, on: bool) {
        self.launcher.command(&json!({"cmd": "forbid", "on": on}));
    }

    /// How this client authenticated in each of its requests: `body` or `basic`.
    pub(crate) fn authentications_of(&self, client_id: &str) -> Vec<String> {
        let own = self.requests_of(client_id).into_iter();
        own.map(|line| {
            line["authentication"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
    }

    /// The statuses of the answers to the questions of `cube-operator check`, which name no client.
    pub(crate) fn questions(&self) -> Vec<u64> {
        let log = fs::read_to_string(self.launcher.fact("request_log")).unwrap_or_default();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let asked = lines.filter(|line| line["grant_type"] == "cube-operator-check");
        asked
            .inspect(|line| assert_eq!(line["client_id"], Value::Null))
            .map(|line| line["status"].as_u64().unwrap())
            .collect()
    }

    /// The status of each answer to token requests of this client, from the server's own log.
    pub(crate) fn answers_to(&self, client_id: &str) -> Vec<u64> {
        let lines = self.requests_of(client_id).into_iter();
        lines.filter_map(|line| line["status"].as_u64()).collect()
    }

    /// When each token request of this client came, in Unix seconds.
    pub(crate) fn times_of(&self, client_id: &str) -> Vec<f64> {
        let lines = self.requests_of(client_id).into_iter();
        lines.filter_map(|line| line["time"].as_f64()).collect()
    }

    fn requests_of(&self, client_id: &str) -> Vec<Value> {
        let log = fs::read_to_string(self.launcher.fact("request_log")).unwrap_or_default();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["client_id"] == client_id)
            .collect()
    }
}

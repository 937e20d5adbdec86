//! An API server whose `exec` is scripted, because no node runs here. Everything else it passes on to the real one.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write, copy},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::environment::{directory, tool};

/// RFC 6455, section 1.3.
const WEBSOCKET: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The channels of `v5.channel.k8s.io`.
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;

pub(super) struct ApiServer {
    /// A kubeconfig for it.
    pub(super) kubeconfig: String,
    /// The path of the `exec`.
    request: Arc<Mutex<String>>,
    /// What holds the person's credentials.
    proxy: Child,
}

impl ApiServer {
    /// In front of the API server of this kubeconfig.
    pub(super) fn before(kubeconfig: &str) -> Self {
        let mut proxy = tool("kubectl");
        proxy
            .args(["proxy", "--port=0"])
            .env("KUBECONFIG", kubeconfig);
        let mut proxy = proxy.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(proxy.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let real = line.trim().rsplit(' ').next().unwrap().to_owned();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let request = Arc::<Mutex<String>>::default();
        let seen = Arc::clone(&request);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (real, seen) = (real.clone(), Arc::clone(&seen));
                thread::spawn(move || serve(connection, &real, &seen));
            }
        });
        let config = fs::read_to_string(kubeconfig).unwrap();
        let mut config: Value = serde_json::from_str(&config).unwrap();
        config["clusters"][0]["cluster"] = json!({"server": format!("http://{address}")});
        config["users"][0]["user"] = json!({});
        let path = directory("scripted").join("config");
        fs::write(&path, config.to_string()).unwrap();
        Self {
            kubeconfig: path.to_str().unwrap().to_owned(),
            request,
            proxy,
        }
    }

    /// The path and the query of the `exec`.
    pub(super) fn request(&self) -> String {
        self.request.lock().unwrap().clone()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

fn serve(mut connection: TcpStream, real: &str, seen: &Mutex<String>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(connection.read(&mut byte), Ok(1)) {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    if path.contains("/exec?") {
        path.clone_into(&mut seen.lock().unwrap());
        run(connection, &head);
    } else {
        forward(connection, &head, real);
    }
}

/// One request on each connection, so that an `exec` always comes first on one.
fn forward(mut connection: TcpStream, head: &str, real: &str) {
    let mut upstream = TcpStream::connect(real).unwrap();
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    upstream.write_all(head.as_bytes()).unwrap();
    let (mut body, mut to) = (
        connection.try_clone().unwrap(),
        upstream.try_clone().unwrap(),
    );
    thread::spawn(move || copy(&mut body, &mut to));
    let _ = copy(&mut upstream, &mut connection);
    let _ = connection.shutdown(Shutdown::Both);
}

/// A command that prints lines, one of them to disturb a terminal, and fails.
fn run(mut connection: TcpStream, head: &str) {
    let key = head
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("sec-websocket-key")
                .then_some(value)
        })
        .unwrap();
    let accepted = STANDARD.encode(Sha1::digest(format!("{key}{WEBSOCKET}")));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accepted}\r\n\
         sec-websocket-protocol: v5.channel.k8s.io\r\n\r\n"
    );
    connection.write_all(answer.as_bytes()).unwrap();
    let mut send = |channel: u8, text: &str| {
        let length = u8::try_from(text.len() + 1).unwrap();
        assert!(length < 126);
        // A whole binary message.
        connection.write_all(&[0x82, length, channel]).unwrap();
        connection.write_all(text.as_bytes()).unwrap();
    };
    send(STDOUT, "✓ first\n✗ sec");
    send(STDOUT, "ond\u{1b}[2J\n");
    send(STDERR, "cube-operator: 1 of the checks above failed\n");
    let causes = r#"[{"reason":"ExitCode","message":"3"}]"#;
    send(
        STATUS,
        &format!(r#"{{"status":"Failure","details":{{"causes":{causes}}}}}"#),
    );
    // Closing, with code 1000.
    connection.write_all(&[0x88, 2, 0x03, 0xe8]).unwrap();
    let _ = connection.read_to_end(&mut Vec::new());
}

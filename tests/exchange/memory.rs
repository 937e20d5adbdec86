//! How much memory exchanges take whose server never responds: `cargo test --release --test exchange -- --ignored --nocapture
//! memory` prints it.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    local, request,
    scripted::{Authority, LOCAL, Provider, Reply},
};
use cube_operator::oauth::ca_bundle::TrustedCa;

const EXCHANGES: usize = 300;
const URL: &str = "HANGING_URL";
const PEM: &str = "HANGING_PEM";
/// How often the certificates are read: once, or for each exchange.
const EACH: &str = "HANGING_EACH";

/// The memory of the process in KiB.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

#[test]
#[ignore = "a measurement"]
fn memory_of_exchanges_that_hang() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::silence());
    // A bundle of 300 certificates, each as long as one with a key of 4096 bits.
    let certificate = format!("{:2000}\n", authority.pem());
    let bundle = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hanging.pem");
    fs::write(&bundle, certificate.repeat(300)).unwrap();
    for (each, name) in [("1", "each reads all certificates"), ("", "all share them")] {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "memory::hanging", "--ignored", "--nocapture"])
            .env(URL, provider.url("/token"))
            .env(PEM, &bundle)
            .env(EACH, each)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let taken = text.lines().find(|line| line.contains(" KiB"));
        println!("{EXCHANGES} exchanges, {name}: {}", taken.unwrap());
    }
}

#[test]
#[ignore = "not a test: the measurement starts it as a process"]
fn hanging() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let each = env::var(EACH).is_ok_and(|each| !each.is_empty());
    let mut request = request(&url);
    request.ca_bundle =
        Some(TrustedCa::besides_system(fs::read(env::var(PEM).unwrap()).unwrap()).unwrap());
    let request = Arc::new(request);
    let shared = local();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let before = resident();
        for _ in 0..EXCHANGES {
            let client = if each { local() } else { shared.clone() };
            let request = Arc::clone(&request);
            tokio::spawn(async move { client.send(&request).await });
        }
        sleep(Duration::from_secs(15)).await;
        println!("{} KiB", resident() - before);
    });
    runtime.shutdown_background();
}

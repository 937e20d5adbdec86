//! The work of one exchange. What can be counted is a test; `cargo test --release --test exchange -- --ignored --nocapture cost`
//! prints the CPU time, which depends on the machine.

use std::{
    env,
    net::{IpAddr, Ipv4Addr},
    process::{Command, Stdio},
};

use allocation_counter::AllocationInfo;
use futures::StreamExt;
use rustix::time::{ClockId, clock_gettime};
use rustls::version::TLS13;

use crate::{
    dns::{NameServer, Says},
    local, request,
    scripted::{Authority, Provider, Reply},
};
use cube_operator::oauth::{ca_bundle::TrustedCa, request::TokenRequest};

const URL: &str = "COST_URL";
const PEM: &str = "COST_PEM";
const WAY: &str = "COST_WAY";
/// As many as are measured, and as many at a time.
const EXCHANGES: usize = 2_000;
const AT_A_TIME: usize = 32;
const HOST: &str = "api.example.com";

/// The CPU time of this process in microseconds.
fn cpu() -> i64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
}

fn provider(authority: &Authority) -> Provider {
    let names = [HOST, "localhost", "127.0.0.1"];
    Provider::start(&authority.certificate(&names), |_| Reply::token("planted"))
}

#[test]
fn an_exchange_allocates_little() {
    let authority = Authority::new("private");
    let resumed = allocated(&authority, &provider(&authority));
    let mut config = authority.certificate(&["localhost"]).config(&[&TLS13]);
    config.send_tls13_tickets = 0;
    let server = Provider::start_with(config, |_| Reply::token("planted"));
    let full = allocated(&authority, &server);
    for (taken, most) in [(resumed, 200), (full, 220)] {
        println!(
            "{} allocations, {} bytes",
            taken.count_total, taken.bytes_total
        );
        assert!(taken.count_total < most, "{taken:?}");
        assert!(taken.bytes_total < 400_000, "{taken:?}");
    }
}

/// The allocations of the second exchange with a server.
fn allocated(authority: &Authority, server: &Provider) -> AllocationInfo {
    let request = TokenRequest {
        ca_bundle: Some(TrustedCa::besides_system(authority.pem()).unwrap()),
        ..request(&server.url("/token"))
    };
    let client = local();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let exchange = || runtime.block_on(client.send(&request)).unwrap();
    // The first one reads the CA certificates.
    exchange();
    allocation_counter::measure(|| assert_eq!(exchange().status, 200))
}

#[test]
#[ignore = "a measurement"]
fn cost_of_an_exchange() {
    let authority = Authority::new("private");
    let provider = provider(&authority);
    let port = provider.address.port();
    for (way, host) in [
        ("an address", "127.0.0.1"),
        ("a name of the file of hosts", HOST),
        ("a name of a name server", HOST),
    ] {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "cost::exchanges", "--ignored", "--nocapture"])
            .env(URL, format!("https://{host}:{port}/token"))
            .env(PEM, authority.pem())
            .env(WAY, way)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let taken = text.lines().find(|line| line.contains(" µs"));
        println!("{way}: {}", taken.unwrap_or(&text));
    }
}

#[test]
#[ignore = "not a test: the measurement starts it as a process"]
fn exchanges() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let request = TokenRequest {
        ca_bundle: Some(TrustedCa::besides_system(env::var(PEM).unwrap()).unwrap()),
        ..request(&url)
    };
    let client = match env::var(WAY).unwrap().as_str() {
        "an address" => local(),
        "a name of the file of hosts" => {
            let server = NameServer::start(|_| Says::NoName);
            server.client(local(), &format!("127.0.0.1 {HOST}\n"))
        }
        _ => {
            let server = NameServer::start(|question| {
                if question.v6 {
                    Says::NoAddress
                } else {
                    Says::Address(IpAddr::V4(Ipv4Addr::LOCALHOST))
                }
            });
            server.client(local(), "")
        }
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        client.send(&request).await.unwrap();
        let before = cpu();
        let all = futures::stream::iter(0..EXCHANGES);
        all.for_each_concurrent(AT_A_TIME, async |_| {
            let (client, request) = (client.clone(), request.clone());
            let response = tokio::spawn(async move { client.send(&request).await });
            assert_eq!(response.await.unwrap().unwrap().status, 200);
        })
        .await;
        let each = (cpu() - before) / i64::try_from(EXCHANGES).unwrap();
        println!("{each} µs");
    });
}

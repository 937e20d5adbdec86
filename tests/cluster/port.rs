//! The operator's own port: anybody in the cluster may reach it, so no client may cost it much, keep it busy or read what is not
//! theirs.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
};

use serde_json::json;

use crate::{
    environment::{directory, output},
    operator::{Operator, eventually, get},
    place::Place,
};

/// A connection with a request that never ends.
fn endless_request(operator: &Operator) -> TcpStream {
    let mut stream = TcpStream::connect(&operator.address).unwrap();
    // The operator may have had enough before everything is sent.
    let _ = write!(
        stream,
        "GET /metrics HTTP/1.1\r\nhost: x\r\nx: {}",
        "x".repeat(256 * 1024)
    );
    stream
}

#[test]
fn slow_clients_take_little_memory_and_stand_in_no_probes_way() {
    let place = Place::new();
    let operator = place.operator();
    let before = operator.resident_kib();
    let clients: Vec<_> = (0..300).map(|_| endless_request(&operator)).collect();
    assert_eq!(operator.get("/livez"), (200, "ok\n".into()));
    let grown = operator.resident_kib().saturating_sub(before);
    println!("300 slow clients took {grown} KiB");
    assert!(grown < 16 * 1024, "{grown} KiB");
    drop(clients);
}

#[test]
fn clients_of_ipv4_and_ipv6_reach_every_port() {
    let place = Place::new();
    let tls = directory("both-families");
    write_certificate(&tls);
    let operator = place.operator_with(
        &[
            "--listen",
            "[::]:0",
            "--metrics-listen",
            "[::]:0",
            "--metrics-tls-dir",
            tls.to_str().unwrap(),
        ],
        &[],
    );
    let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
    let metrics = operator
        .lines()
        .iter()
        .find_map(|line| Some(line["metrics_address"].as_str()?.to_owned()))
        .unwrap();
    for host in ["127.0.0.1", "[::1]"] {
        let probes = format!("{host}:{}", port(&operator.address));
        assert_eq!(get(&probes, "/livez"), (200, "ok\n".into()), "{host}");
        let metrics = format!("{host}:{}", port(&metrics));
        assert_eq!(scrape(&metrics, None), 200, "{host}");
    }
}

#[test]
fn a_client_that_waits_for_nothing_is_cut_off() {
    let place = Place::new();
    let operator = place.operator();
    let mut idle = TcpStream::connect(&operator.address).unwrap();
    // It ends because the operator ends it.
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
}

#[test]
fn half_a_request_does_not_hold_up_the_end_of_the_process() {
    let place = Place::new();
    let mut operator = place.operator();
    let mut half = TcpStream::connect(&operator.address).unwrap();
    write!(half, "GET /livez HTTP/1.1\r\n").unwrap();
    operator.terminate();
    assert_eq!(operator.wait().code(), Some(0));
}

/// Status of the metrics on a TLS port, for this token.
fn scrape(address: &str, token: Option<&str>) -> u16 {
    let script = "import ssl, sys, urllib.request, urllib.error\n\
        request = urllib.request.Request('https://' + sys.argv[1] + '/metrics')\n\
        if len(sys.argv) > 2: request.add_header('Authorization', 'Bearer ' + sys.argv[2])\n\
        try: print(urllib.request.urlopen(request, context=ssl._create_unverified_context()).status)\n\
        except urllib.error.HTTPError as error: print(error.code)";
    let mut python = Command::new("python3");
    python.args(["-c", script, address]).args(token);
    output(&mut python).trim().parse().unwrap()
}

fn write_certificate(directory: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(directory.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
}

#[test]
fn metrics_may_be_limited_to_those_whom_the_api_server_allows_them() {
    let place = Place::new();
    let namespace = &place.namespace;
    let role = format!("{namespace}-metrics");
    let bind = |name: &str, role: &str, account: &str| {
        let account = format!("{namespace}:{account}");
        let name = format!("{namespace}-{name}");
        let (role, account) = (
            format!("--clusterrole={role}"),
            format!("--serviceaccount={account}"),
        );
        place.kubectl(&["create", "clusterrolebinding", &name, &role, &account]);
    };
    for account in ["reader", "stranger"] {
        place.kubectl(&["create", "serviceaccount", account]);
    }
    place.apply(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role},
        "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}],
    }));
    bind("reads", &role, "reader");
    bind("asks", "system:auth-delegator", "cube-operator");
    let token = |account| {
        place
            .kubectl(&["create", "token", account])
            .trim()
            .to_owned()
    };

    let tls = directory("metrics-tls");
    write_certificate(&tls);
    let flags = [
        "--metrics-access=authorized",
        "--metrics-tls-dir",
        tls.to_str().unwrap(),
        "--metrics-listen=127.0.0.1:0",
    ];
    let operator = place.operator_with(&flags, &[]);
    let lines = operator.lines();
    let address = lines
        .iter()
        .find_map(|line| line["metrics_address"].as_str())
        .unwrap();

    // The right may be a moment old.
    eventually("the reader may read", || {
        (scrape(address, Some(&token("reader"))) == 200).then_some(())
    });
    assert_eq!(scrape(address, Some(&token("stranger"))), 403);
    assert_eq!(scrape(address, Some("invented")), 401);
    assert_eq!(scrape(address, None), 401);
    assert_eq!(
        operator.get("/metrics").0,
        404,
        "not on the port of the probes"
    );
    assert_eq!(operator.get("/livez").0, 200);
    assert!(!operator.log().contains("invented"));
}

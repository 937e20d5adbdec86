//! A cluster that refuses or cannot be reached, and a port that is taken: one line each.

use std::{fs, net::TcpListener};

use serde_json::json;

use crate::{
    environment::{ControlPlane, directory},
    scripted::CLOSED,
};

use super::{failed, run};

/// A kubeconfig for this server, with a token that none accepts.
fn kubeconfig_for(server: &str) -> String {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": true}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let path = directory("kubeconfig").join("config");
    fs::write(&path, config.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_cluster_that_refuses_is_one_line_that_names_it_and_says_what_to_renew() {
    let (server, _) = ControlPlane::shared().server();
    for command in [&["check"][..], &["run", "--listen", "127.0.0.1:0"]] {
        let expected = failed(format!(
            "the API server at {server}/ refuses: Unauthorized (401 Unauthorized); renew the login of the kubeconfig, or the \
             service account's token"
        ));
        assert_eq!(run(&kubeconfig_for(&server), command, &[]), expected);
    }
}

#[test]
fn an_unreachable_cluster_is_one_line_that_names_it() {
    let server = format!("https://127.0.0.1:{CLOSED}");
    for command in [&["check"][..], &["run", "--listen", "127.0.0.1:0"]] {
        let (code, stdout, stderr) = run(&kubeconfig_for(&server), command, &[]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{command:?}");
        let start = format!("cube-operator: the API server at {server}/ cannot be reached: ");
        assert!(stderr.starts_with(&start), "{stderr}");
        assert!(stderr.contains("Connection refused"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_missing_kubeconfig_is_one_line_that_says_what_to_set() {
    for command in ["check", "run"] {
        let (code, stdout, stderr) = run("/nowhere/config", &[command], &[]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        let start = "cube-operator: no cluster is configured: set KUBECONFIG, or run in a pod with a service account (";
        assert!(stderr.starts_with(start), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_port_that_is_taken_is_one_line_that_names_the_flag() {
    let plane = ControlPlane::shared();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let expected = failed(format!(
        "failed to listen on {address}: Address already in use (os error 98); choose another address with --listen"
    ));
    assert_eq!(
        run(&plane.kubeconfig, &["run", "--listen", &address], &[]),
        expected
    );
    assert_eq!(
        run(
            &plane.kubeconfig,
            &["run"],
            &[("CUBE_OPERATOR_LISTEN", &address)]
        ),
        expected
    );
}

#[test]
fn a_proxy_that_cannot_be_used_is_one_line_that_names_the_variable_and_not_its_value() {
    for (name, value, why) in [
        (
            "ALL_PROXY",
            "socks5h://me:planted@proxy:1080",
            "ALL_PROXY names a SOCKS proxy, which is not supported: name an HTTP proxy, as http://HOST:PORT",
        ),
        (
            "https_proxy",
            "http://me:plan ted@proxy",
            "https_proxy is not a proxy URL: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT",
        ),
    ] {
        let ended = run("/nowhere/config", &["run"], &[(name, value)]);
        assert_eq!(ended, failed(why));
    }
}

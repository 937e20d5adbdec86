//! The least that this machine needs for a credential: one read of the source, one token request, one create of a Secret and one
//! status patch, by a program that does nothing else. It has the operator's account, so the API server treats it alike.

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use axum::http::Request;
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::{StreamExt, stream};
use kube::Client;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Run, count, milliseconds};
use crate::{
    objects::{self, API, create, delete_all, load, merge, names},
    provider::client_id,
};

/// More credentials take longer, and no more or less for each: it was measured with 1,000 and with 5,000 beside 10,000.
const MOST: usize = 2_000;
const WORKERS: usize = 32;
/// When a token begins and ends. Nothing reads it.
const BEGIN: &str = "2026-11-28T09:00:00Z";
const END: &str = "2026-11-28T10:00:00Z";

/// What the floor needs, and nothing that the operator has.
struct Floor {
    client: Client,
    tls: TlsConnector,
    port: u16,
}

/// A credential, as the floor knows it before it begins.
struct Credential {
    name: String,
    uid: String,
}

impl Credential {
    fn of(object: &Value) -> Self {
        let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
        Self {
            name: text("name"),
            uid: text("uid"),
        }
    }
}

/// The namespace of its credentials.
const PLACE: &str = "floor";

pub(super) async fn create_place(run: &Run<'_>) {
    objects::create_place(&run.site, PLACE).await;
}

/// It is measured before and after each cold start, as the speed of a machine changes within minutes.
pub(super) async fn measure(run: &Run<'_>) {
    load(&run.site, PLACE, &names(run.size.min(MOST))).await;
    let credentials = objects::credentials(&run.site.client, PLACE).await;
    let credentials: Vec<_> = credentials.iter().map(Credential::of).collect();
    let floor = Floor {
        client: run.site.account().await,
        tls: connector(&run.site.server.ca_pem),
        port: run.site.server.port(),
    };
    let api_cpu = run.site.api_server().cpu();
    let each = count(credentials.len());
    // A thread of its own, whose processor time is the floor's alone.
    let run_all = move || floor.run(&credentials);
    let (time, cpu) = thread::spawn(run_all).join().unwrap();
    let api_cpu = run.site.api_server().cpu() - api_cpu;
    run.record("floor-time", milliseconds(time) / each);
    run.record("floor-cpu", cpu / each);
    run.record("floor-api-cpu", api_cpu / each);
    // The operator shall not see them.
    delete_all(&run.site, PLACE).await;
}

fn connector(ca_pem: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    Arc::new(config.with_no_client_auth()).into()
}

impl Floor {
    /// Returns how long it took, and its processor time.
    fn run(&self, credentials: &[Credential]) -> (Duration, f64) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let begun = Instant::now();
        let all = stream::iter(credentials)
            .for_each_concurrent(WORKERS, |credential| self.serve(credential));
        runtime.block_on(all);
        (begun.elapsed(), cpu_of_this_thread())
    }

    async fn serve(&self, credential: &Credential) {
        let name = &credential.name;
        let secrets = format!("/api/v1/namespaces/{PLACE}/secrets");
        let get = Request::get(format!("{secrets}/{name}")).body(Vec::new());
        self.client.request_text(get.unwrap()).await.unwrap();
        let token = self.exchange(name).await;
        create(&self.client, &secrets, &target(credential, &token)).await;
        let path = format!("{API}/namespaces/{PLACE}/cubecredentials/{name}/status");
        merge(&self.client, &path, &status(name)).await;
    }

    /// One token request on a connection of its own.
    async fn exchange(&self, name: &str) -> String {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let host = ServerName::try_from("localhost").unwrap();
        let mut stream = self.tls.connect(host, socket).await.unwrap();
        let id = client_id(PLACE, name);
        let body = format!("grant_type=client_credentials&client_id={id}&client_secret=s3cret");
        let request = format!(
            "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{body}",
            "application/x-www-form-urlencoded",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        while !response.ends_with(b"}") {
            assert!(stream.read_buf(&mut response).await.unwrap() > 0);
        }
        let response = String::from_utf8(response).unwrap();
        let (_, token) = response.split_once(r#""access_token":""#).unwrap();
        token.split('"').next().unwrap().to_owned()
    }
}

/// A target with what the operator writes in it.
fn target(Credential { name, uid }: &Credential, token: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": format!("{name}-token"), "namespace": PLACE,
            "labels": {"cube-operator.dev/managed": "true"},
            "annotations": {
                "cube-operator.dev/content-hash": "5".repeat(64),
                "cube-operator.dev/expires-at": END,
                "cube-operator.dev/generation": "1",
                "cube-operator.dev/inputs-hash": "5".repeat(64),
                "cube-operator.dev/issued-at": BEGIN,
                "cube-operator.dev/owner-name": name,
                "cube-operator.dev/owner-uid": uid,
                "cube-operator.dev/source-resource-version": "10000",
                "cube-operator.dev/type": "Opaque",
                "cube-operator.dev/written-to": format!("{PLACE}/{name}-token"),
            },
            "ownerReferences": [{
                "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "name": name, "uid": uid,
                "controller": true,
            }],
        },
        "type": "Opaque",
        "data": {"access-token": base64(token), "token-type": base64("Bearer"), "expires-at": base64(END)},
    })
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// A status with what the operator writes in it.
fn status(name: &str) -> Value {
    let condition = |r#type: &str, reason: &str| {
        json!({
            "type": r#type, "status": "True", "reason": reason, "message": "x".repeat(75),
            "lastTransitionTime": BEGIN, "observedGeneration": 1,
        })
    };
    json!({"apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "status": {
        "observedGeneration": 1, "reason": "Synced",
        "conditions": [condition("Ready", "Synced"), condition("Refreshed", "TokenIssued")],
        "expiresAt": END, "issuedAt": BEGIN, "lastAttemptAt": BEGIN, "refreshAt": END,
        "target": {"name": format!("{name}-token"), "resourceVersion": "10000"},
        "tokenFingerprint": "12345678",
    }})
}

/// In milliseconds.
fn cpu_of_this_thread() -> f64 {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = statistics.split(' ').next().unwrap();
    nanoseconds.parse::<f64>().unwrap() / 1e6
}

//! Lists of pods are shared, and what goes wrong ends in time.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::http::{Method, Request};
use futures::future::join_all;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::*;
use crate::{
    cluster::tests::context_of,
    kubernetes::stub::{self, refusal},
};

/// An API server with these pods.
#[derive(Default)]
struct Server {
    pods: Vec<Value>,
    /// Every request, as `GET` or the name of the pod that it patches.
    requests: Mutex<Vec<String>>,
    /// The first list gets no response before this.
    first_list: Notify,
    was_listed: AtomicBool,
    /// The status of the response to a patch; 0: no response ever comes.
    patched: u16,
}

impl Server {
    async fn respond(self: Arc<Self>, request: Request<Body>) -> (u16, Value) {
        let pod = request.uri().path().rsplit('/').next().unwrap_or_default();
        let is_list = request.method() == Method::GET;
        let name = if is_list { "list" } else { pod };
        lock(&self.requests).push(name.to_owned());
        if is_list {
            if !self.was_listed.swap(true, Ordering::SeqCst) {
                self.first_list.notified().await;
            }
            let list =
                json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": self.pods});
            (200, list)
        } else {
            if self.patched == 0 {
                future::pending::<()>().await;
            }
            let metadata = json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": pod},
            });
            match self.patched {
                200 => (200, metadata),
                code => refusal(code),
            }
        }
    }

    fn requests(&self) -> Vec<String> {
        lock(&self.requests).clone()
    }

    /// Everything that uses it.
    fn context(self: &Arc<Self>) -> Context {
        let server = Arc::clone(self);
        let client = stub::client(move |request| Arc::clone(&server).respond(request));
        context_of(client, Vec::new())
    }
}

/// A pod that mounts these Secrets.
fn pod(name: &str, secrets: &[&str]) -> Value {
    let volume = |name: &&str| json!({"name": name, "secret": {"secretName": name}});
    let mount = |name: &&str| json!({"name": name, "mountPath": format!("/{name}")});
    json!({
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "app", "volumeMounts": secrets.iter().map(mount).collect::<Vec<_>>()}],
            "volumes": secrets.iter().map(volume).collect::<Vec<_>>(),
        },
    })
}

fn refresh(secret: &str) -> PodsRefresh {
    PodsRefresh {
        secret: secret.into(),
        fingerprint: "3f9a21c8".into(),
        mark: format!("now {secret}"),
    }
}

#[tokio::test]
async fn refreshes_that_wait_for_a_list_share_the_next_one() {
    let server = Arc::new(Server {
        pods: vec![
            pod("none", &["other"]),
            pod("one", &["b"]),
            pod("both", &["b", "c"]),
        ],
        patched: 200,
        ..Server::default()
    });
    let context = server.context();
    let all = join_all(["a", "b", "c"].map(|name| context.refresh_pods("n", refresh(name))));
    let opens = async {
        // The others wait by now: nothing here yields for anything else.
        tokio::task::yield_now().await;
        server.first_list.notify_one();
    };
    let (errors, ()) = futures::join!(all, opens);
    assert_eq!(errors, [None, None, None]);
    let mut requests = server.requests();
    requests.sort();
    assert_eq!(requests, ["both", "list", "list", "one"]);
    assert!(lock(&context.parts.pod_refreshes.queues).is_empty());
}

#[tokio::test]
async fn without_the_right_to_patch_pods_only_some_are_tried() {
    let server = Arc::new(Server {
        pods: (0..50)
            .map(|number| pod(&format!("pod-{number}"), &["a"]))
            .collect(),
        patched: 403,
        was_listed: AtomicBool::new(true),
        ..Server::default()
    });
    let error = server.context().refresh_pods("n", refresh("a")).await;
    assert!(error.unwrap().is_refusal());
    let patches = server.requests().len() - 1;
    assert!((REFUSALS..2 * REFUSALS).contains(&patches), "{patches}");
}

#[tokio::test]
async fn a_pod_that_is_gone_is_no_failure() {
    let server = Arc::new(Server {
        pods: vec![pod("gone", &["a"])],
        patched: 404,
        was_listed: AtomicBool::new(true),
        ..Server::default()
    });
    let error = server.context().refresh_pods("n", refresh("a")).await;
    assert_eq!(error, None);
}

#[tokio::test(start_paused = true)]
async fn the_time_for_other_namespaces_is_none_of_its_own() {
    let server = Arc::new(Server {
        pods: vec![pod("one", &["a"])],
        patched: 200,
        was_listed: AtomicBool::new(true),
        ..Server::default()
    });
    let context = server.context();
    let lists = &context.parts.pod_refreshes.lists;
    let all = u32::try_from(lists.available_permits()).unwrap();
    let others = lists.acquire_many(all).await.unwrap();
    let end = async {
        tokio::time::sleep(2 * DEADLINE).await;
        drop(others);
    };
    let (error, ()) = futures::join!(context.refresh_pods("n", refresh("a")), end);
    assert_eq!(error, None);
    assert_eq!(server.requests(), ["list", "one"]);

    let _others = lists.acquire_many(all).await.unwrap();
    let error = context.refresh_pods("n", refresh("a")).await;
    assert_eq!(error.unwrap().cause, Cause::Timeout(TURN.as_secs()));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_does_not_respond_is_waited_for_only_so_long() {
    let silent = Arc::new(Server::default());
    let error = silent.context().refresh_pods("n", refresh("a")).await;
    assert_eq!(error.unwrap().cause, Cause::Timeout(DEADLINE.as_secs()));
    let silent = Arc::new(Server {
        pods: vec![pod("one", &["a"])],
        was_listed: AtomicBool::new(true),
        ..Server::default()
    });
    let error = silent.context().refresh_pods("n", refresh("a")).await;
    assert_eq!(error.unwrap().cause, Cause::Timeout(PATCH.as_secs()));
}

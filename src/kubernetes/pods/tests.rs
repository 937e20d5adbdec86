//! Large pods are read on smaller pages, and one that is too large is an error and no loss of memory.

use std::{
    future,
    sync::{Arc, Mutex},
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::{kubernetes::stub, lock::lock};

#[derive(Clone, Debug, Deserialize)]
struct Named {
    metadata: Metadata,
}

#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    name: String,
}

/// The limits that an API server with these pods is asked for, the names that are read, and the end.
async fn read(pods: Vec<Value>) -> (Vec<usize>, Vec<String>, Result<(), ApiError>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let pods = Arc::new(pods);
    let limits = Arc::clone(&asked);
    let client = stub::client(move |request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let parameter = |name: &str| {
            let mut all = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = all.find(|(key, _)| *key == name)?.1;
            Some(value.parse::<usize>().unwrap())
        };
        let limit = parameter("limit").unwrap();
        lock(&limits).push(limit);
        let from = parameter("continue").unwrap_or(0);
        let to = pods.len().min(from + limit);
        let next = if to < pods.len() {
            to.to_string()
        } else {
            String::new()
        };
        let page = json!({
            "kind": "PodList", "apiVersion": "v1", "metadata": {"continue": next}, "items": pods[from..to],
        });
        future::ready((200, page))
    });
    let mut names = Vec::new();
    let take = |pods: &[Named]| names.extend(pods.iter().map(|pod| pod.metadata.name.clone()));
    let end = pages(&client, "n", PAGE, take).await;
    let asked = lock(&asked).clone();
    (asked, names, end)
}

fn pod(number: usize, size: usize) -> Value {
    json!({"metadata": {"name": number.to_string(), "annotations": {"large": "x".repeat(size)}}})
}

#[tokio::test]
async fn small_pods_are_read_on_large_pages() {
    let (asked, names, end) = read((0..120).map(|number| pod(number, 10)).collect()).await;
    assert_eq!((asked, names.len(), end), (vec![50, 50, 50], 120, Ok(())));
}

#[tokio::test]
async fn large_pods_are_read_on_small_pages_and_each_once() {
    let (asked, names, end) = read((0..8).map(|number| pod(number, 1_400_000)).collect()).await;
    assert_eq!(asked, [50, 25, 12, 6, 3, 1, 1, 1, 1, 1, 1, 1, 1]);
    let all: Vec<_> = (0..8).map(|number| number.to_string()).collect();
    assert_eq!((names, end), (all, Ok(())));
}

#[tokio::test]
async fn a_pod_that_is_too_large_ends_the_list_with_a_clear_error() {
    let (asked, names, end) = read(vec![pod(0, 5_000_000), pod(1, 10)]).await;
    assert_eq!((asked.last(), names.len()), (Some(&1), 0));
    assert_eq!(
        end.unwrap_err().to_string(),
        "failed to list pods of namespace n: the API server's response is larger than 4 MiB"
    );
}

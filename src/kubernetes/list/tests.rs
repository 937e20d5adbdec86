use std::future;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;

use super::*;
use crate::kubernetes::stub;

#[tokio::test]
async fn a_thousand_objects_are_read_on_three_pages_and_each_of_them_once() {
    let client = stub::client(|request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let of = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name)?.1.parse::<usize>().ok()
        };
        // A request without a limit gets everything.
        let from = of("continue").unwrap_or(0);
        let to = of("limit").map_or(1_001, |limit| 1_001.min(from + limit));
        let next = if to < 1_001 {
            to.to_string()
        } else {
            String::new()
        };
        let items: Vec<_> = (from..to)
            .map(|number| json!({"metadata": {"name": number.to_string()}}))
            .collect();
        assert!(items.len() <= 500, "{} objects on a page", items.len());
        let page = json!({
            "kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"continue": next}, "items": items,
        });
        future::ready((200, page))
    });
    let found = all(&Api::<ConfigMap>::all(client), "ConfigMaps").await;
    let names: Vec<_> = found
        .unwrap()
        .into_iter()
        .map(|map| map.metadata.name.unwrap())
        .collect();
    let expected: Vec<_> = (0..1_001).map(|number| number.to_string()).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_page_that_is_refused_is_an_error_that_names_the_objects() {
    let client = stub::client(|_| future::ready(stub::refusal(403)));
    let refused = all(
        &Api::<ConfigMap>::all(client),
        "ConfigMaps in all namespaces",
    )
    .await;
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("ConfigMaps in all namespaces"),
        "{message}"
    );
}

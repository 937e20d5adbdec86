use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::*;
use crate::{cluster::tests::context_of, kubernetes::stub};

/// A namespace with so many states that know another refresh token, and the number of those that were read.
fn context(states: usize) -> (Context, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let client = stub::client(move |request| {
        let uri = request.uri();
        let object = if uri.path().ends_with("/secrets") {
            page_after(uri.query().unwrap_or_default(), states)
        } else {
            counted.fetch_add(1, Ordering::Relaxed);
            state()
        };
        future::ready((200, object))
    });
    (context_of(client, Vec::new()), read)
}

/// The page of two that follows, as the API server sends it.
fn page_after(query: &str, states: usize) -> Value {
    assert!(query.contains("limit=2"), "{query}");
    let mut parts = query.split('&');
    let begin = parts.find_map(|part| part.strip_prefix("continue="));
    let begin: usize = begin.map_or(0, |begin| begin.parse().unwrap());
    let end = states.min(begin + 2);
    let items: Vec<_> = (begin..end)
        .map(|number| json!({"metadata": {"name": format!("state-{number}")}}))
        .collect();
    let next = if end < states {
        end.to_string()
    } else {
        String::new()
    };
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {"continue": next}, "items": items})
}

fn state() -> Value {
    let record = json!({"generation": 1, "seed": "0", "pastSeeds": [], "inDoubt": false});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "state"}, "data": {
        "record": STANDARD.encode(record.to_string()), "refresh-token": STANDARD.encode("another"),
    }})
}

async fn token_use(states: usize) -> (TokenUse, usize) {
    let (context, read) = context(states);
    let (labels, hashes) = (["label".to_owned()], ["hash".to_owned()]);
    let found = context.other_states("treasury", "state-1", &labels, &hashes);
    let found = found.await.expect("the API server responds");
    (found, read.load(Ordering::Relaxed))
}

#[tokio::test]
async fn all_states_but_the_own_one_are_read_and_of_many_that_may_know_a_token_only_some() {
    assert_eq!(token_use(0).await, (TokenUse::OnlyHere, 0));
    assert_eq!(token_use(1 + MOST).await, (TokenUse::OnlyHere, MOST));
    let secret = format!("state-{}", 1 + MOST);
    let owner = String::new();
    let elsewhere = TokenUse::Elsewhere { secret, owner };
    assert_eq!(token_use(100).await, (elsewhere, MOST));
}

//! How many `ConfigMap`s are watched, and whose.

use std::future;

use super::*;
use crate::kubernetes::stub;

/// Watches of an API server that never responds.
fn watches() -> BundleWatches {
    let client = stub::client(|_| future::pending());
    BundleWatches::new(client, Arc::default()).0
}

/// As many credentials of this namespace, each with a ConfigMap of its own. Returns how many of these are watched.
fn follow(watches: &BundleWatches, namespace: &str, is_failing: bool, count: usize) -> usize {
    for number in 0..count {
        let name = format!("{namespace}-{number}");
        let bundle = FollowedBundle {
            object: ObjectKey::new(namespace, &name),
            is_failing,
        };
        watches.follow(name.as_str().into(), Some(bundle));
    }
    let followed = lock(&watches.followed);
    let objects = followed.watches.keys();
    let own = objects.filter(|object| object.namespace() == namespace);
    own.count()
}

#[tokio::test]
async fn a_namespace_gets_only_a_part_of_the_watches() {
    for (is_failing, part, neighbours) in [(true, 64, 32), (false, 16, 8)] {
        let watches = watches();
        assert_eq!(follow(&watches, "greedy", is_failing, 1_000), part);
        assert_eq!(follow(&watches, "neighbour", is_failing, 1_000), neighbours);
        assert_eq!(follow(&watches, "small", is_failing, 1), 1);
    }
}

#[tokio::test]
async fn a_namespace_that_ends_a_watch_gets_another_one() {
    let watches = watches();
    let part = follow(&watches, "greedy", true, 1_000);
    watches.follow("greedy-0".into(), None);
    assert_eq!(follow(&watches, "greedy", true, 1), part);
}

#[tokio::test]
async fn a_watch_has_any_number_of_followers() {
    let watches = watches();
    for number in 0..1_000 {
        let bundle = FollowedBundle {
            object: ObjectKey::new("treasury", "authority"),
            is_failing: false,
        };
        watches.follow(number.to_string().as_str().into(), Some(bundle));
    }
    let followed = lock(&watches.followed);
    assert_eq!((followed.by_uid.len(), followed.watches.len()), (1_000, 1));
}

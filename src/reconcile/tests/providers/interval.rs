//! The time between two requests that a provider object sets.

use std::{cell::RefCell, rc::Rc};

use super::*;
use crate::reconcile::{Budget, tests::world::seconds};

fn with_interval(interval: Option<&str>) -> FoundProvider {
    object(json!({"tokenURL": URL, "tokenRequestInterval": interval}))
}

fn in_place(interval: Option<&str>) -> FoundProvider {
    let spec = json!({"tokenURL": URL, "namespaces": ["*"], "tokenRequestInterval": interval});
    let spec = serde_json::from_value(spec).unwrap();
    let object = ProviderObject::of_cluster(spec, &ProviderStatus::default());
    FoundProvider::Present(object.map(Arc::new))
}

/// Credentials of one client at this provider, with an interval of the operator's of 12 s.
fn worlds(provider: &FoundProvider) -> [World; 2] {
    let budget = Rc::new(RefCell::new(Budget::new(seconds(12), World::new().now)));
    [0, 1].map(|number| {
        let mut world = World::named(provider.clone());
        world.process.budget = Rc::clone(&budget);
        world.uid = number.to_string();
        world.settle();
        world
    })
}

#[test]
fn the_second_one_waits_for_as_long_as_the_longer_interval_or_the_administrators() {
    for (provider, waits) in [
        (with_interval(None), 12),
        (with_interval(Some("1s")), 12),
        (with_interval(Some("1m")), 60),
        (in_place(None), 12),
        (in_place(Some("2s")), 2),
        (in_place(Some("1m30s")), 90),
    ] {
        let [first, second] = worlds(&provider);
        assert_eq!(first.provider.exchanges.len(), 1);
        assert_eq!(second.provider.exchanges.len(), 0);
        assert_eq!(second.status.refresh_at, Some(second.now + seconds(waits)));
    }
}

#[test]
fn one_that_waits_follows_another_interval_and_the_others_request_no_token() {
    for (long, short) in [
        (with_interval(Some("1h")), with_interval(Some("1m"))),
        (in_place(Some("1h")), in_place(Some("1m"))),
    ] {
        let [mut first, mut second] = worlds(&long);
        for world in [&mut first, &mut second] {
            world.provider_object = short.clone();
            world.settle();
        }
        second.pass(seconds(12));
        assert!(second.is_ready(), "{:?}", second.status);
        assert_eq!(first.provider.exchanges.len(), 1);
    }
}

#[test]
fn an_interval_that_admission_did_not_see_is_refused() {
    for text in ["0s", "61m", "soon", ""] {
        let FoundProvider::Present(Err(why)) = with_interval(Some(text)) else {
            panic!("{text:?} is accepted");
        };
        let expected = format!(
            "its tokenRequestInterval is {text:?}: write a duration from 1s to 1h, such as 12s or 1m30s"
        );
        assert_eq!(why.to_string(), expected);
    }
}

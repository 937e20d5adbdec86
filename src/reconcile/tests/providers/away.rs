//! A provider object that is missing or cannot be used costs no token.

use serde_json::json;

use super::{
    super::world::{World, seconds},
    URL, object, of_cluster,
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    reconcile::FoundProvider,
};

#[test]
fn a_provider_that_is_deleted_and_created_again_leaves_the_token_as_it_is() {
    let spec = json!({"tokenURL": URL, "scopes": ["read"]});
    let mut world = World::served(object(spec.clone()));
    let token = world.token().map(str::to_owned);
    world.provider_object = FoundProvider::Absent;
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes, costs.deletes), (0, 0, 0));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "CubeProvider \"okta\" not found: create it, or correct spec.providerRef"
    );
    // A restart changes nothing of that.
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.define(spec);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.token(), token.as_deref());
}

#[test]
fn without_its_provider_a_token_lives_to_its_end_and_no_request_is_made() {
    for (found, reason) in [
        (FoundProvider::Absent, Reason::ProviderNotFound),
        (FoundProvider::Unused, Reason::ProviderNotReady),
        (FoundProvider::Unwatched, Reason::ProviderNotReady),
        (
            object(json!({"tokenURL": "https://user@login.example.com"})),
            Reason::ProviderNotReady,
        ),
        (
            object(json!({"tokenURL": "https://a.example/?scope=a"})),
            Reason::ProviderNotReady,
        ),
        (
            object(json!({"tokenURL": URL, "caBundle": "none"})),
            Reason::ProviderNotReady,
        ),
        (
            object(json!({"tokenURL": URL, "parameters": {"client_id": "x"}})),
            Reason::ProviderNotReady,
        ),
        (
            of_cluster(&["payments", "treasur", "treasury-*", "*y"]),
            Reason::ProviderNotAllowed,
        ),
    ] {
        let mut world = World::served(object(json!({"tokenURL": URL})));
        world.provider_object = found;
        world.request = Some("now".into());
        world.settle();
        assert_eq!(
            world.refreshed_is(),
            (ConditionStatus::False, reason.to_string())
        );
        assert!(world.is_ready(), "{reason}");
        world.pass(seconds(7200));
        assert_eq!(
            world.ready_is(),
            (ConditionStatus::False, reason.to_string())
        );
        assert_eq!(world.provider.exchanges.len(), 1, "{reason}");
        assert!(world.token().is_some(), "it is not deleted");
        world.define(json!({"tokenURL": URL}));
        world.settle();
        assert!(world.is_ready(), "{reason}");
    }
}

#[test]
fn a_process_that_does_not_know_the_providers_yet_says_and_does_nothing() {
    let mut world = World::served(object(json!({"tokenURL": URL})));
    world.restart();
    let known = std::mem::replace(&mut world.provider_object, FoundProvider::Unlisted);
    world.request = Some("now".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(world.is_ready());
    assert_eq!(world.events, []);
    world.provider_object = known;
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    // A new object has no status before it is known.
    let mut world = World::named(FoundProvider::Unlisted);
    world.settle();
    assert_eq!(world.status, CubeCredentialStatus::default());
}

#[test]
fn a_refresh_token_is_neither_sent_elsewhere_nor_touched_while_its_provider_is_away() {
    let login = json!({"tokenURL": "https://login.example.com/token"});
    let mut world = World::with(json!({
        "providerRef": {"name": "okta"}, "clientSecretRef": {"name": "client"},
        "grant": "RefreshToken", "refreshTokenRef": {"name": "seed"},
    }));
    world.define(login.clone());
    world.sign_in();
    world.settle();
    let stored = world.stored_token().map(str::to_owned);
    assert!(stored.is_some());
    let all = [
        FoundProvider::Unlisted,
        FoundProvider::Absent,
        of_cluster(&["payments"]),
        object(json!({"tokenURL": "https://elsewhere.example/token"})),
    ];
    for (number, away) in all.into_iter().enumerate() {
        world.provider_object = away;
        world.request = Some(format!("request-{number}"));
        let costs = world.cost_of(World::settle);
        assert_eq!(
            (costs.exchanges, costs.stores),
            (0, 0),
            "{:?}",
            world.provider_object
        );
        world.restart();
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(world.stored_token(), stored.as_deref());
    }
    assert!(
        world
            .message(ConditionType::Refreshed)
            .contains("set tokenURL of CubeProvider \"okta\" back")
    );
    world.define(login);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert!(world.is_ready());
    assert_ne!(world.stored_token(), stored.as_deref());
}

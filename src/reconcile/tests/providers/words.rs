//! The messages name the provider object, and the field that has to be corrected.

use serde_json::json;

use super::{
    super::{provider::refuse, world::World},
    URL, object,
};
use crate::api::{ConditionType, Reason};

#[test]
fn the_remedy_for_a_missing_client_says_who_gives_one() {
    let note =
        "Ask in #platform-identity for a client of this issuer, with the audience of your API";
    let mut world = World::named(object(json!({"tokenURL": URL, "description": note})));
    world.source = None;
    world.settle();
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.ends_with(
            "; about its provider: Ask in #platform-identity for a client of this issuer, with ..."
        ),
        "{message}"
    );
}

#[test]
fn a_spec_has_its_provider_from_one_place() {
    for (spec, message) in [
        (
            json!({}),
            "exactly one of spec.provider and spec.providerRef is required",
        ),
        (
            json!({"provider": "Cubewire", "providerRef": {"name": "okta"}}),
            "exactly one of spec.provider and spec.providerRef is required",
        ),
        (
            json!({"providerRef": {"name": "okta"}, "tokenURL": URL}),
            "spec.tokenURL comes from the provider that spec.providerRef names: remove it",
        ),
        (
            json!({"providerRef": {"name": "okta"}, "caBundleRef": {"name": "roots"}}),
            "spec.caBundleRef comes from the provider that spec.providerRef names: remove it",
        ),
    ] {
        let mut spec = spec;
        spec["clientSecretRef"] = json!({"name": "cubewire-client"});
        let mut world = World::with(spec);
        world.define(json!({"tokenURL": URL}));
        world.settle();
        assert_eq!(world.refreshed_is().1, "InvalidSpec");
        assert_eq!(world.message(ConditionType::Refreshed), message);
    }
}

#[test]
fn remedies_name_the_field_of_the_provider() {
    let mut world = World::named(object(json!({"tokenURL": URL})));
    world.provider.otherwise = refuse(Reason::EndpointNotFound);
    world.settle();
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.contains("correct the path in tokenURL of CubeProvider \"okta\""),
        "{message}"
    );
}

#[test]
fn a_provider_that_does_not_fit_a_spec_is_named_and_its_correction_helps() {
    for (of_provider, of_spec, why) in [
        (
            json!({"tokenURL": URL, "clientAuthentication": "None"}),
            json!({}),
            "spec.clientAuthentication None needs grant RefreshToken, JWTBearer or TokenExchange",
        ),
        (
            json!({"tokenURL": URL}),
            json!({"clientAssertion": {"keyID": "1"}}),
            "spec.clientAssertion needs spec.clientAuthentication PrivateKeyJWT or ServiceAccountToken",
        ),
        (
            json!({"tokenURL": URL, "clientAuthentication": "MutualTLS"}),
            json!({"clientAssertion": {"keyID": "1"}}),
            "spec.clientAssertion needs spec.clientAuthentication PrivateKeyJWT or ServiceAccountToken",
        ),
    ] {
        let mut spec = json!({
            "providerRef": {"name": "okta"}, "clientSecretRef": {"name": "cubewire-client"},
        });
        spec.as_object_mut()
            .unwrap()
            .extend(of_spec.as_object().unwrap().clone());
        let mut world = World::with(spec);
        world.provider_object = object(json!({"tokenURL": URL}));
        world.define(of_provider);
        world.settle();
        assert_eq!(world.refreshed_is().1, "ProviderNotReady");
        assert_eq!(
            world.message(ConditionType::Refreshed),
            format!(
                "CubeProvider \"okta\" does not fit this object: {why}: correct the spec, or ask the provider's author"
            )
        );
        world.spec.client_assertion = None;
        world.define(json!({"tokenURL": URL}));
        world.settle();
        assert!(world.is_ready(), "{:?}", world.status);
    }
}

#[test]
fn an_edit_of_a_provider_that_fits_no_more_costs_no_token() {
    let mut world = World::served(object(json!({"tokenURL": URL})));
    let sent = world.provider.exchanges.len();
    world.define(json!({"tokenURL": URL, "clientAuthentication": "None"}));
    world.settle();
    assert_eq!(world.refreshed_is().1, "ProviderNotReady");
    assert!(world.is_ready(), "{:?}", world.status);
    world.define(json!({"tokenURL": URL}));
    world.settle();
    assert!(world.is_ready(), "{:?}", world.status);
    assert_eq!(world.provider.exchanges.len(), sent);
}

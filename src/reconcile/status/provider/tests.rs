use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::reconcile::provider::ProviderObject;

fn shown(spec: Value) -> ShownProvider {
    let spec = serde_json::from_value(spec).unwrap();
    ShownProvider {
        generation: 3,
        object: ProviderObject::of_namespace(spec).map(Arc::new),
        status: ProviderStatus::default(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn the_same_observation_gives_the_same_status_and_the_time_moves_only_with_the_status_of_the_condition()
 {
    let mut provider = shown(json!({"tokenURL": "https://login.example.com/token?key=secret"}));
    let first = provider_status(&provider, Some(2), at(100));
    let ready = &first.conditions[0];
    assert_eq!(
        ready.message,
        "tokens come from https://login.example.com/token"
    );
    assert_eq!(
        (ready.status, ready.observed_generation),
        (ProviderReason::Usable.status(), 3)
    );
    provider.status = first.clone();
    assert_eq!(provider_status(&provider, Some(2), at(200)), first);
    let counted = provider_status(&provider, Some(3), at(200));
    assert_eq!(counted.conditions, first.conditions);

    let mut broken = shown(json!({
        "tokenURL": "https://login.example.com/token", "caBundle": "-----BEGIN CERTIFICATE-----",
    }));
    broken.status = first;
    let status = provider_status(&broken, Some(2), at(300));
    let ready = &status.conditions[0];
    assert_eq!(ready.reason, ProviderReason::Unusable.name());
    assert_eq!(ready.last_transition_time, at(300));
    assert!(ready.message.len() <= 200, "{}", ready.message);
}

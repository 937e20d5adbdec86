//! A state or a target that was edited with intent: nothing is sent, and nothing harmful is shown.

use super::world::{STATE, TARGET, World, seconds};
use crate::api::{ConditionType, annotation};

#[test]
fn a_number_that_no_response_can_follow_is_damage() {
    let mut world = World::begun();
    let honest = world.cluster.secrets[STATE].data.clone();
    for number in [u64::MAX, u64::MAX - 1] {
        world.edit_record(|record| record["generation"] = number.into());
        world.assert_nothing_is_sent("StateConflict");
    }
    world.cluster.edit(STATE, |secret| secret.data = honest);
    world.assert_sent("S3CRET-refresh-3");
}

#[test]
fn a_target_with_a_number_that_no_response_can_follow_is_repaired_from_the_state() {
    let mut world = World::begun();
    world.cluster.edit(TARGET, |secret| {
        let end = u64::MAX.to_string();
        secret.annotations.insert(annotation::ROTATION.into(), end);
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let target = &world.cluster.secrets[TARGET];
    assert_eq!(target.annotations[annotation::ROTATION], "1");
}

#[test]
fn what_a_person_wrote_into_a_state_is_shown_as_a_providers_text_is() {
    let mut world = World::begun();
    world.provider.logins.revoke();
    world.request = Some("rejected".into());
    world.settle();
    let honest = world.message(ConditionType::Refreshed).to_owned();
    for (forged, shown) in [
        ("no\u{202e}pe\u{1b}[31m\n\u{2066}", "nope[31m: "),
        ("aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8", "...: "),
    ] {
        world.edit_record(|record| record["rejection"]["what"] = forged.into());
        world.restart();
        world.settle();
        let message = world.message(ConditionType::Refreshed);
        assert!(message.starts_with(shown), "{message:?}");
        assert_eq!(message.split(": ").nth(1), honest.split(": ").nth(1));
    }
    world.edit_record(|record| {
        record["issued"]["scopes"] = serde_json::json!(["re\u{202e}ad", "\u{202e}"]);
        record["rejection"] = serde_json::Value::Null;
        record["tokenHosts"] = "\u{202e}*".into();
    });
    world.cluster.secrets.remove(TARGET);
    world.restart();
    world.settle();
    assert_eq!(world.status.scopes, ["read"]);
    world.edit_record(|record| record["binding"]["endpoint"] = "\u{202e}".into());
    world.assert_nothing_is_sent("StateConflict");
    let shown = format!("{:?}{:?}", world.status, world.events);
    assert!(
        !world
            .status
            .conditions
            .iter()
            .any(|condition| condition.message.contains('\u{202e}'))
    );
    assert!(!shown.contains('\u{202e}'));
}

#[test]
fn an_annotation_that_the_token_does_not_have_is_emptied_without_an_exchange_each_time() {
    for (name, value) in [
        (annotation::ROTATION, "18446744073709551615"),
        (annotation::ROTATION, "7"),
        (annotation::REFRESH_REQUEST, "7"),
        (annotation::LOGIN_EXPIRES_AT, "2026-11-21T10:00:30Z"),
        (annotation::LOGIN_FIXED, "true"),
    ] {
        let mut world = World::ready();
        world.cluster.edit(TARGET, |secret| {
            secret.annotations.insert(name.into(), value.into());
        });
        world.restart();
        world.settle();
        let made = world.provider.exchanges.len();
        assert!(made <= 2, "the edit may cost one exchange: {name}");
        world.restart();
        world.pass(seconds(600));
        assert_eq!(world.provider.exchanges.len(), made, "{name}");
        let target = &world.cluster.secrets[TARGET];
        assert!(target.annotations.get(name).is_none_or(String::is_empty));
    }
}

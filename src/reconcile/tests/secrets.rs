//! A client secret that is replaced without a gap: the spec names two keys for it.

mod stored;

use secrecy::ExposeSecret;

use super::{
    provider::refuse,
    world::{World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialSpec, Reason},
    reconcile::{Action, Budget, SourceValue},
};

const OLD: &str = "S3CRET-1";
const NEW: &str = "S3CRET-2";

/// Names the keys of the client secret.
pub(super) fn name_keys(spec: &mut CubeCredentialSpec, keys: &str) {
    let source = spec.client_secret_ref.as_mut().unwrap();
    source.client_secret_key = keys.into();
}

/// The same world, whose Secret has these two client secrets.
fn with_two(mut world: World) -> World {
    name_keys(&mut world.spec, "client-secret,client-secret-next");
    world.edit_source(|source| source.values.next_secret = SourceValue::Text(NEW.into()));
    world
}

/// A credential with a token that the provider issued for the old secret.
fn ready() -> World {
    let mut world = with_two(World::new());
    world.provider.accepts = Some(OLD.into());
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world
}

/// The client secrets that were sent since the exchange with this number.
fn sent_since(world: &World, first: usize) -> Vec<String> {
    let requests = world.provider.exchanges[first..].iter();
    let secrets = requests.filter_map(|exchange| {
        let secret = exchange.request.authentication.client_secret()?;
        Some(secret.expose_secret().to_owned())
    });
    secrets.collect()
}

fn works(world: &World) -> Option<&str> {
    world.status.client_secret_key.as_deref()
}

#[test]
fn the_second_client_secret_is_sent_once_the_provider_refuses_the_first() {
    let mut world = ready();
    assert_eq!(works(&world), Some("client-secret"));
    world.provider.accepts = Some(NEW.into());
    let before = world.permits.len();
    world.wake();
    assert_eq!(sent_since(&world, 1), [OLD, NEW]);
    assert_eq!(world.permits.len() - before, 2, "each request pays");
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.status.failures, None);
    assert_eq!(works(&world), Some("client-secret-next"));
}

#[test]
fn the_second_client_secret_is_not_sent_once_the_owner_has_taken_the_consent_back() {
    let mut world = ready();
    world.provider.accepts = Some(NEW.into());
    world.request = Some("again".into());
    world.reconcile_around(
        |action| matches!(action, Action::Exchange(_)),
        |world| {
            let consent = &mut world.objects.source.as_mut().unwrap().labelled;
            *consent = false;
        },
    );
    assert_eq!(sent_since(&world, 1), [OLD]);
    assert_eq!(world.refreshed_is().1, "ClientSecretNotLabelled");
}

#[test]
fn the_next_exchange_begins_with_the_secret_that_works_also_in_a_new_process() {
    let mut world = ready();
    world.provider.accepts = Some(NEW.into());
    world.wake();
    world.wake();
    world.restart();
    world.settle();
    world.wake();
    assert_eq!(sent_since(&world, 1), [OLD, NEW, NEW, NEW]);
    // Its owner goes back.
    world.provider.accepts = Some(OLD.into());
    world.wake();
    assert_eq!(sent_since(&world, 5), [NEW, OLD]);
    assert_eq!(works(&world), Some("client-secret"));
}

#[test]
fn both_secrets_are_named_if_the_provider_refuses_both_and_that_is_one_failure() {
    let mut world = with_two(World::new());
    world.provider.accepts = Some("another".into());
    world.settle();
    assert_eq!(sent_since(&world, 0), [OLD, NEW]);
    assert_eq!(world.refreshed_is().1, "InvalidClient");
    assert_eq!(world.status.failures, Some(1));
    assert!(
        world.message(ConditionType::Refreshed).contains(
            "check client-id, client-secret and client-secret-next in Secret \"cubewire-client\""
        ),
        "{}",
        world.message(ConditionType::Refreshed)
    );
    world.wake();
    assert_eq!(sent_since(&world, 2), [OLD, NEW], "once for each attempt");
    assert_eq!(world.status.failures, Some(2));
}

#[test]
fn the_message_names_the_keys_to_write_after_both_have_worked() {
    let mut world = ready();
    world.provider.accepts = Some("another".into());
    world.wake();
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.contains("write it to client-secret or client-secret-next of Secret"),
        "{message}"
    );
}

#[test]
fn one_of_the_two_may_be_missing_in_the_secret() {
    for (first, second, key) in [
        (
            SourceValue::Text(OLD.into()),
            SourceValue::Absent,
            "client-secret",
        ),
        (
            SourceValue::Absent,
            SourceValue::Text(NEW.into()),
            "client-secret-next",
        ),
    ] {
        let mut world = with_two(World::new());
        world.edit_source(|source| {
            source.values.secret = first;
            source.values.next_secret = second;
        });
        world.settle();
        assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
        assert_eq!(works(&world), Some(key));
        world.provider.accepts = Some("another".into());
        world.wake();
        assert_eq!(world.provider.exchanges.len(), 2, "there is no other one");
        let message = world.message(ConditionType::Refreshed);
        assert!(
            message.contains(&format!("write it to {key} of Secret")),
            "{message}"
        );
    }
}

#[test]
fn a_secret_without_either_key_lacks_both() {
    let mut world = with_two(World::new());
    world.edit_source(|source| {
        source.values.secret = SourceValue::Absent;
        source.values.next_secret = SourceValue::Absent;
    });
    world.settle();
    assert_eq!(world.refreshed_is().1, "ClientSecretKeyMissing");
    assert!(world.message(ConditionType::Refreshed).starts_with(
        "Secret \"cubewire-client\" has no key \"client-secret\" or \"client-secret-next\": add it"
    ));
    assert_eq!(world.provider.exchanges.len(), 0);
}

#[test]
fn one_secret_that_cannot_be_sent_does_not_stop_the_other() {
    let broken = || SourceValue::Text("S3CRET-2\n".into());
    let mut world = with_two(World::new());
    world.edit_source(|source| source.values.next_secret = broken());
    world.settle();
    assert_eq!(sent_since(&world, 0), [OLD]);
    assert_eq!(world.refreshed_is().1, "TokenIssued");

    let mut world = with_two(World::new());
    world.edit_source(|source| source.values.secret = broken());
    world.provider.accepts = Some(NEW.into());
    world.settle();
    assert_eq!(sent_since(&world, 0), [NEW]);

    let mut world = with_two(World::new());
    world.edit_source(|source| {
        source.values.secret = broken();
        source.values.next_secret = broken();
    });
    world.settle();
    assert_eq!(world.refreshed_is().1, "ClientSecretMalformed");
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.starts_with("key \"client-secret\" of Secret"),
        "{message}"
    );
}

#[test]
fn the_same_secret_under_both_keys_is_sent_once() {
    let mut world = with_two(World::new());
    world.edit_source(|source| source.values.next_secret = SourceValue::Text(OLD.into()));
    world.provider.accepts = Some(NEW.into());
    world.settle();
    assert_eq!(sent_since(&world, 0), [OLD]);
}

#[test]
fn no_live_token_is_replaced_before_the_secret_that_it_was_issued_for_is_removed() {
    let mut world = World::ready();
    // The spec names a second key, the owner adds it, and the provider takes both.
    world.edit_spec(|spec| {
        name_keys(spec, "client-secret,client-secret-next");
    });
    world.settle();
    world.edit_source(|source| source.values.next_secret = SourceValue::Text(NEW.into()));
    world.settle();
    world.restart();
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    // The next refresh is made with the new one, which then takes the place of the old one.
    world.provider.accepts = Some(NEW.into());
    world.wake();
    assert_eq!(sent_since(&world, 1), [OLD, NEW]);
    world.edit_source(|source| {
        source.values.secret = SourceValue::Text(NEW.into());
        source.values.next_secret = SourceValue::Absent;
    });
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 3, "it is the same secret");
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_new_secret_is_proven_when_the_old_one_is_removed() {
    let mut world = ready();
    world.provider.accepts = Some(NEW.into());
    world.edit_source(|source| source.values.secret = SourceValue::Absent);
    world.settle();
    assert_eq!(sent_since(&world, 1), [NEW]);
    assert_eq!(works(&world), Some("client-secret-next"));
}

#[test]
fn another_failure_of_the_second_secret_does_not_begin_with_the_first_again() {
    let mut world = ready();
    world.provider.accepts = Some(NEW.into());
    world.provider.script = [refuse(Reason::Unavailable)].into();
    world.wake();
    assert_eq!(world.refreshed_is().1, "Unavailable");
    // The token was issued for the secret that is not sent next, and stays the right one when it is compared again.
    world.edit_source(|_| {});
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.wake();
    assert_eq!(sent_since(&world, 1), [OLD, NEW, NEW]);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
}

#[test]
fn an_unclear_refusal_is_not_followed_by_the_second_secret() {
    for reason in Reason::ALL {
        let again = reason == Reason::InvalidClient;
        if again || !reason.is_exchange_failure() || reason == Reason::RefreshTokenLost {
            continue;
        }
        let mut world = with_two(World::new());
        world.provider.script = [refuse(reason)].into();
        world.settle();
        assert_eq!(world.provider.exchanges.len(), 1, "{reason}");
    }
}

#[test]
fn the_second_secret_waits_for_its_permit() {
    let mut world = with_two(World::new());
    // A process that has just started has one permit.
    *world.process.budget.borrow_mut() = Budget::new(seconds(12), world.now);
    world.provider.accepts = Some(NEW.into());
    world.settle();
    assert_eq!(sent_since(&world, 0), [OLD]);
    assert_eq!(world.refreshed_is().1, "RateBudget");
    assert_eq!(world.status.failures, None);
    while world.provider.exchanges.len() < 2 {
        world.wake();
    }
    assert_eq!(sent_since(&world, 0), [OLD, NEW]);
    let waited = world.provider.exchanges[1].at - world.provider.exchanges[0].at;
    assert!(waited.get_seconds() >= 12, "{waited}");
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn new_values_begin_anew_while_the_second_secret_waits() {
    let mut world = with_two(World::new());
    *world.process.budget.borrow_mut() = Budget::new(seconds(12), world.now);
    world.provider.accepts = Some("S3CRET-3".into());
    world.settle();
    world.edit_source(|source| source.values.secret = SourceValue::Text("S3CRET-3".into()));
    while world.provider.exchanges.len() < 2 {
        world.wake();
    }
    assert_eq!(sent_since(&world, 0), [OLD, "S3CRET-3"]);
}

#[test]
fn an_edited_status_costs_one_request_at_most() {
    for (edited, sent) in [
        ("client-secret-next", vec![NEW, OLD]),
        ("client-id", vec![OLD]),
    ] {
        let mut world = ready();
        world.status.client_secret_key = Some(edited.into());
        world.restart();
        world.pass(seconds(1));
        world.now += seconds(3500);
        world.settle();
        assert_eq!(sent_since(&world, 1), sent, "{edited}");
        assert_eq!(works(&world), Some("client-secret"));
    }
}

#[test]
fn a_credential_with_one_key_says_nothing_of_it() {
    let mut world = World::ready();
    assert_eq!(works(&world), None);
    world.edit_spec(|spec| name_keys(spec, "client-secret,next"));
    world.settle();
    world.wake();
    assert_eq!(works(&world), Some("client-secret"));
    world.edit_spec(|spec| name_keys(spec, "client-secret"));
    world.settle();
    assert_eq!(works(&world), None);
}

#[test]
fn a_client_without_a_secret_ignores_its_keys() {
    let mut world = with_two(World::signed_in());
    world.spec.client_authentication = Some(crate::api::ClientAuthentication::None);
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(works(&world), None);
}

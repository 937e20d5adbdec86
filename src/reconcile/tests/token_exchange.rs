//! The exchange of a subject token, whose owner consents as the owner of a client Secret does.

use secrecy::ExposeSecret;

use super::{
    provider::{issue, refuse},
    world::{World, seconds},
};
use crate::{
    api::{
        ClientAuthentication, ConditionStatus, ConditionType, CubeCredentialSpec, Grant, Reason,
        SubjectTokenRef, TokenExchangeSpec,
    },
    reconcile::{Settings, SettingsError, SourceValue},
};

/// A change of the Secrets by their owners.
type Fault = fn(&mut World);

fn exchange() -> TokenExchangeSpec {
    TokenExchangeSpec {
        subject_token_ref: Some(SubjectTokenRef {
            name: "subject".into(),
            key: "token".into(),
        }),
        subject_service_account: None,
        subject_token_type: None,
        audience: vec!["reports".into(), "orders".into()],
        resource: Vec::new(),
        requested_token_type: None,
    }
}

fn spec(spec: &mut CubeCredentialSpec) {
    spec.grant = Grant::TokenExchange;
    spec.refresh_token_ref = None;
    spec.token_exchange = Some(Box::new(exchange()));
}

fn put(world: &mut World, token: &str) {
    world.put_seed(SourceValue::Text(token.into()));
}

/// The world of Cubewire with a subject token.
fn with_subject() -> World {
    let mut world = World::new();
    spec(&mut world.spec);
    put(&mut world, "S3CRET-subject-1");
    world
}

fn ready() -> World {
    let mut world = with_subject();
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world
}

fn edit(world: &mut World, edit: impl FnOnce(&mut TokenExchangeSpec)) {
    world.edit_spec(|spec| edit(spec.token_exchange.as_mut().unwrap()));
}

/// The subject tokens that were sent.
fn sent(world: &World) -> Vec<String> {
    let exchanges = world.provider.exchanges.iter();
    let sent = exchanges.map(|exchange| {
        let exchange = exchange.request.grant.token_exchange().unwrap();
        exchange.subject_token.expose_secret().to_owned()
    });
    sent.collect()
}

fn message(world: &World) -> String {
    let message = world.message(ConditionType::Refreshed);
    message.split("; retrying").next().unwrap().to_owned()
}

#[test]
fn the_subject_token_is_read_again_for_each_exchange_and_a_new_one_leaves_the_live_token() {
    let mut world = ready();
    let token = world.token().map(str::to_owned);
    put(&mut world, "S3CRET-subject-2");
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    // A new process does not take it for a change either.
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.token(), token.as_deref());
    assert_eq!(
        world.cost_of(|world| world.pass(seconds(3600))).seed_reads,
        1
    );
    assert_ne!(world.token(), token.as_deref());
    assert_eq!(sent(&world), ["S3CRET-subject-1", "S3CRET-subject-2"]);
}

#[test]
fn what_is_asked_for_is_an_input_of_the_token() {
    let mut world = ready();
    let request = &world.provider.exchanges[0].request;
    let sent = request.grant.token_exchange().unwrap();
    assert_eq!(sent.audience, ["orders", "reports"]);
    assert_eq!(
        sent.subject_token_type,
        "urn:ietf:params:oauth:token-type:access_token"
    );
    // The order of a list does not matter.
    edit(&mut world, |exchange| exchange.audience.reverse());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let edits: [fn(&mut TokenExchangeSpec); 5] = [
        |exchange| exchange.audience = vec!["reports".into()],
        |exchange| exchange.resource = vec!["https://api.example.com/".into()],
        |exchange| {
            exchange.subject_token_type = Some("urn:ietf:params:oauth:token-type:jwt".into());
        },
        |exchange| {
            exchange.requested_token_type = Some("urn:ietf:params:oauth:token-type:jwt".into());
        },
        |exchange| exchange.subject_token_ref.as_mut().unwrap().key = "other".into(),
    ];
    for change in edits {
        edit(&mut world, change);
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
    }
}

#[test]
fn a_refused_subject_token_names_its_remedy_and_the_next_one_is_sent_without_delay() {
    for reason in [Reason::InvalidRequest, Reason::InvalidGrant] {
        let mut world = with_subject();
        world.provider.otherwise = refuse(reason);
        world.settle();
        assert_eq!(world.refreshed_is().1, format!("{reason:?}"));
        let shown = message(&world);
        assert!(
            shown.ends_with(
                ": write a subject token that is valid now to key token of Secret \"subject\", or correct spec.tokenExchange"
            ),
            "{shown}"
        );
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        world.restart();
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        world.provider.otherwise = issue(3600);
        put(&mut world, "S3CRET-subject-2");
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
        assert_eq!(sent(&world), ["S3CRET-subject-1", "S3CRET-subject-2"]);
    }
}

#[test]
fn a_target_that_the_provider_does_not_know_is_one_of_the_exchange() {
    let mut world = with_subject();
    world.provider.otherwise = refuse(Reason::InvalidTarget);
    world.settle();
    let shown = message(&world);
    assert!(
        shown.ends_with(
            ": correct audience and resource in spec.tokenExchange, or allow them for this client there"
        ),
        "{shown}"
    );
}

#[test]
fn an_unknown_audience_may_be_called_an_invalid_client() {
    let refused = |audience: &[&str]| {
        let mut world = with_subject();
        let exchange = world.spec.token_exchange.as_mut().unwrap();
        exchange.audience = audience.iter().map(|&name| name.to_owned()).collect();
        world.provider.otherwise = refuse(Reason::InvalidClient);
        world.settle();
        message(&world)
    };
    let shown = refused(&["orders"]);
    assert!(
        shown.ends_with(", or correct spec.tokenExchange.audience"),
        "{shown}"
    );
    assert!(!refused(&[]).contains("tokenExchange"));
}

#[test]
fn without_its_owners_consent_no_subject_token_is_sent() {
    let cases: [(Fault, &str, &str); 5] = [
        (
            |world| world.seed.as_mut().unwrap().labelled = false,
            "SubjectTokenNotLabelled",
            "Secret \"subject\" is not labelled for use",
        ),
        (
            |world| {
                let hosts = Some("login.example.com".to_owned());
                world.seed.as_mut().unwrap().token_hosts = hosts;
            },
            "HostNotAllowed",
            "Secret \"subject\" must not be sent to api.cubewire.com",
        ),
        (
            |world| world.seed = None,
            "SubjectTokenNotFound",
            "Secret \"subject\" not found: create it with key token, label",
        ),
        (
            |world| world.put_seed(SourceValue::Absent),
            "SubjectTokenNotFound",
            "Secret \"subject\" has no key \"token\": add it, or name the right key in spec.tokenExchange.subjectTokenRef",
        ),
        (
            |world| world.put_seed(SourceValue::Text("S3CRET\n".into())),
            "SubjectTokenMalformed",
            "key \"token\" of Secret \"subject\" has a trailing newline",
        ),
    ];
    for (fault, reason, cause) in cases {
        let mut world = with_subject();
        fault(&mut world);
        assert_eq!(world.cost_of(World::settle).exchanges, 0, "{reason}");
        assert_eq!(world.refreshed_is().1, reason);
        let shown = message(&world);
        assert!(shown.contains(cause), "{shown}");
        put(&mut world, "S3CRET-subject-2");
        assert_eq!(world.cost_of(World::settle).exchanges, 1, "{reason}");
        assert_eq!(world.ready_is().0, ConditionStatus::True);
        // Without it no live token ends either.
        fault(&mut world);
        world.pass(seconds(3400));
        assert_eq!(sent(&world), ["S3CRET-subject-2"]);
        assert_eq!(world.refreshed_is().1, reason);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn the_client_secret_needs_the_consent_of_its_owner_too() {
    let mut world = with_subject();
    world.edit_source(|source| source.token_hosts = Some("login.example.com".into()));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().1, "HostNotAllowed");
}

#[test]
fn a_list_of_hosts_is_demanded_of_the_subject_tokens_secret_too() {
    let mut world = with_subject();
    world.token_hosts_required = true;
    world.edit_source(|source| source.token_hosts = Some("api.cubewire.com".into()));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(message(&world).starts_with("Secret \"subject\" names no hosts"));
}

#[test]
fn a_subject_token_begins_no_login_and_leaves_the_one_of_an_earlier_grant() {
    let mut world = World::begun();
    let stored = world.stored_token().map(str::to_owned);
    assert!(stored.is_some());
    // The provider counts the tokens of this grant from 0.
    world.newest_published = 0;
    world.seed_name = Some("subject");
    put(&mut world, "S3CRET-subject-1");
    world.edit_spec(spec);
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs.exchanges,
        1,
        "{:?} {}",
        world.refreshed_is(),
        world.message(ConditionType::Ready)
    );
    world.restart();
    world.pass(seconds(40_000));
    assert_eq!(world.stored_token(), stored.as_deref());
    let last = world.provider.exchanges.last().unwrap();
    assert!(last.request.grant.token_exchange().is_some());
}

#[test]
fn a_field_of_another_grant_is_refused() {
    let refused = |edit: fn(&mut CubeCredentialSpec)| {
        let mut spec = with_subject().spec;
        edit(&mut spec);
        Settings::read("treasury", "main", &spec).unwrap_err()
    };
    assert_eq!(
        refused(|spec| spec.grant = Grant::ClientCredentials),
        SettingsError::TokenExchangeMismatch
    );
    assert_eq!(
        refused(|spec| spec.token_exchange = None),
        SettingsError::TokenExchangeMismatch
    );
    assert_eq!(
        refused(|spec| drop(spec.parameters.insert("audience".into(), "a".into()))),
        SettingsError::ParameterOfExchange("audience")
    );
    let mut spec = with_subject().spec;
    spec.parameters
        .insert("resource".into(), "https://a.example".into());
    spec.client_authentication = Some(ClientAuthentication::None);
    assert!(Settings::read("treasury", "main", &spec).is_ok());
}

#[test]
fn after_a_refusal_a_new_subject_token_is_sent_immediately_and_an_edited_label_sends_nothing() {
    let mut world = with_subject();
    world.provider.otherwise = refuse(Reason::InvalidRequest);
    world.settle();
    assert_eq!(world.refreshed_is().1, "InvalidRequest");
    // The same token in another version of the Secret.
    put(&mut world, "S3CRET-subject-1");
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.provider.otherwise = issue(3600);
    put(&mut world, "S3CRET-subject-2");
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

//! The exchange of a token of a ServiceAccount, whose owner consents as the owner of a Secret does.

use secrecy::ExposeSecret;

use super::{
    provider::{issue, refuse},
    world::{Costs, World, seconds},
};
use crate::{
    api::{
        ClientAssertion, ClientAuthentication, ConditionStatus, ConditionType, CubeCredentialSpec,
        Grant, Reason, SubjectServiceAccount, SubjectTokenRef, TokenExchangeSpec,
    },
    oauth::authentication::Authentication,
    reconcile::{AccountRole, NoAccountToken, Settings, SettingsError, SourceValue},
};

const AUDIENCE: &str = "https://login.example.com";

fn spec(spec: &mut CubeCredentialSpec) {
    spec.grant = Grant::TokenExchange;
    spec.token_exchange = Some(Box::new(TokenExchangeSpec {
        subject_token_ref: None,
        subject_service_account: Some(SubjectServiceAccount {
            name: "billing".into(),
            audience: AUDIENCE.into(),
        }),
        subject_token_type: None,
        audience: vec!["orders".into()],
        resource: Vec::new(),
        requested_token_type: None,
    }));
}

/// The world of Cubewire with a ServiceAccount whose token is exchanged.
fn with_account() -> World {
    let mut world = World::new();
    spec(&mut world.spec);
    world.put_seed(SourceValue::Absent);
    world
}

/// The same, and its client authenticates with a token of this ServiceAccount.
fn with_two_tokens(client: &str) -> World {
    let mut world = with_account();
    world.spec.client_secret_ref = None;
    world.spec.client_authentication = Some(ClientAuthentication::ServiceAccountToken);
    world.spec.client_assertion = Some(Box::new(ClientAssertion {
        audience: Some(AUDIENCE.into()),
        service_account_name: Some(client.into()),
        ..ClientAssertion::default()
    }));
    world
}

fn ready(mut world: World) -> World {
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world
}

fn edit(world: &mut World, edit: impl FnOnce(&mut TokenExchangeSpec)) {
    world.edit_spec(|spec| edit(spec.token_exchange.as_mut().unwrap()));
}

fn edit_account(world: &mut World, edit: impl FnOnce(&mut SubjectServiceAccount)) {
    self::edit(world, |exchange| {
        edit(exchange.subject_service_account.as_mut().unwrap());
    });
}

/// The subject tokens that were sent.
fn sent(world: &World) -> Vec<&str> {
    let exchanges = world.provider.exchanges.iter();
    let sent = exchanges.map(|exchange| {
        let exchange = exchange.request.grant.token_exchange().unwrap();
        exchange.subject_token.expose_secret()
    });
    sent.collect()
}

fn message(world: &World) -> &str {
    world.message(ConditionType::Refreshed)
}

#[test]
fn each_exchange_sends_a_new_token_of_the_account_as_a_jwt() {
    let mut world = ready(with_account());
    world.wake();
    assert_eq!(sent(&world), ["S3CRET-subject-1", "S3CRET-subject-2"]);
    let request = &world.provider.exchanges[0].request;
    let exchange = request.grant.token_exchange().unwrap();
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    assert_eq!(exchange.subject_token_type, jwt);
    assert_eq!(exchange.audience, ["orders"]);
    // The client has its secret besides.
    let body = request.body();
    assert!(body.expose_secret().contains("client_secret=S3CRET-1"));
    // A new process requests nothing while the token lives.
    world.restart();
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.account_tokens, costs.exchanges), (0, 0));
}

#[test]
fn the_type_of_the_spec_wins() {
    let mut world = with_account();
    let of_oidc = "urn:ietf:params:oauth:token-type:id_token";
    let exchange = world.spec.token_exchange.as_mut().unwrap();
    exchange.subject_token_type = Some(of_oidc.into());
    let world = ready(world);
    let exchange = world.provider.exchanges[0].request.grant.token_exchange();
    assert_eq!(exchange.unwrap().subject_token_type, of_oidc);
}

#[test]
fn a_refresh_costs_one_request_more_than_with_a_token_in_a_secret() {
    let mut with_secret = with_account();
    edit(&mut with_secret, |exchange| {
        exchange.subject_service_account = None;
        exchange.subject_token_ref = Some(SubjectTokenRef {
            name: "subject".into(),
            key: "token".into(),
        });
    });
    with_secret.put_seed(SourceValue::Text("S3CRET-subject".into()));
    let usual = ready(with_secret).cost_of(World::wake);
    let costs = ready(with_account()).cost_of(World::wake);
    let expected = Costs {
        account_tokens: 1,
        ..usual
    };
    assert_eq!(costs, expected);
}

#[test]
fn client_and_subject_have_a_token_each_also_of_one_account() {
    for client in ["web", "billing"] {
        let mut world = ready(with_two_tokens(client));
        let costs = world.cost_of(World::wake);
        assert_eq!((costs.account_tokens, costs.exchanges), (2, 1));
        let last = &world.provider.exchanges[1].request;
        let Authentication::ServiceAccountToken { token, subject, .. } = &last.authentication
        else {
            panic!("{:?}", last.authentication);
        };
        assert_eq!(token.expose_secret(), "S3CRET-assertion-3");
        assert_eq!(*subject, format!("system:serviceaccount:treasury:{client}"));
        assert_eq!(sent(&world), ["S3CRET-subject-2", "S3CRET-subject-4"]);
    }
}

#[test]
fn a_public_client_sends_its_id_and_the_token_of_the_account() {
    let mut world = with_account();
    world.spec.client_authentication = Some(ClientAuthentication::None);
    let world = ready(world);
    let body = world.provider.exchanges[0].request.body();
    assert!(body.expose_secret().contains("client_id=client"));
    assert!(!body.expose_secret().contains("client_secret"));
}

#[test]
fn another_account_audience_or_origin_is_another_input_and_a_new_token_is_none() {
    let mut world = ready(with_account());
    let edits: [fn(&mut TokenExchangeSpec); 4] = [
        |exchange| exchange.subject_service_account.as_mut().unwrap().name = "other".into(),
        |exchange| {
            let account = exchange.subject_service_account.as_mut().unwrap();
            account.audience = "https://other.example.com".into();
        },
        |exchange| {
            exchange.subject_token_type = Some("urn:ietf:params:oauth:token-type:id_token".into());
        },
        // A Secret by the same name.
        |exchange| {
            exchange.subject_service_account = None;
            exchange.subject_token_ref = Some(SubjectTokenRef {
                name: "other".into(),
                key: "https".into(),
            });
        },
    ];
    for (change, exchanges) in edits.into_iter().zip(2..) {
        edit(&mut world, change);
        world.put_seed(SourceValue::Text("S3CRET-subject".into()));
        world.settle();
        assert_eq!(world.provider.exchanges.len(), exchanges);
        world.restart();
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
    }
}

#[test]
fn without_its_owners_consent_no_token_is_requested() {
    let mut world = with_account();
    let account = world.seed.take();
    world.settle();
    assert_eq!(world.refreshed_is().1, "ServiceAccountNotFound");
    assert_eq!(
        message(&world),
        "ServiceAccount \"billing\" not found: create it with label cube-operator.dev/credential=true and annotation \
         cube-operator.dev/token-hosts=api.cubewire.com"
    );
    world.objects.seed = account;
    world.seed.as_mut().unwrap().labelled = false;
    world.settle();
    assert_eq!(world.refreshed_is().1, "ServiceAccountNotLabelled");
    assert!(
        message(&world)
            .starts_with("ServiceAccount \"billing\" is not labelled for use: its owner must")
    );
    world.put_seed(SourceValue::Absent);
    world.seed.as_mut().unwrap().token_hosts = Some("other.example.com".into());
    world.settle();
    assert_eq!(world.refreshed_is().1, "HostNotAllowed");
    assert!(
        message(&world)
            .starts_with("ServiceAccount \"billing\" must not be sent to api.cubewire.com")
    );
    assert_eq!(
        (world.account_tokens, world.provider.exchanges.len()),
        (0, 0)
    );
    world.put_seed(SourceValue::Absent);
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    // The consent is read again before each exchange, and a live token stays.
    world.seed.as_mut().unwrap().labelled = false;
    world.pass(seconds(3400));
    assert_eq!(world.account_tokens, 1);
    assert_eq!(world.refreshed_is().1, "ServiceAccountNotLabelled");
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_list_of_hosts_is_demanded_of_the_account_too() {
    let mut world = with_account();
    world.token_hosts_required = true;
    world.settle();
    assert_eq!(
        message(&world),
        "ServiceAccount \"billing\" names no hosts, which is required: its owner can run `kubectl annotate serviceaccount \
         billing -n treasury cube-operator.dev/token-hosts=api.cubewire.com`"
    );
    assert_eq!(world.account_tokens, 0);
}

#[test]
fn the_authors_cas_count_only_if_the_owner_of_the_account_allows_them() {
    let mut world = with_account();
    world.spec.ca_bundle_ref = Some(super::refusals::ca_bundle_ref());
    world.put_ca_bundle(super::refusals::bundle(0));
    let account = world.seed.as_mut().unwrap();
    account.token_hosts = Some("api.cubewire.com".into());
    world.settle();
    assert_eq!(world.refreshed_is().1, "HostNotAllowed");
    assert_eq!(
        message(&world),
        "ServiceAccount \"billing\" does not allow the CAs of ConfigMap \"roots\": its owner can run `kubectl annotate serviceaccount \
         billing -n treasury cube-operator.dev/token-ca=ConfigMap/roots`"
    );
    assert_eq!(world.account_tokens, 0);
    world.put_seed(SourceValue::Absent);
    let account = world.seed.as_mut().unwrap();
    account.token_hosts = Some("api.cubewire.com".into());
    account.token_ca = Some("ConfigMap/roots".into());
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn an_operator_that_may_not_request_tokens_says_which_value_to_set() {
    let mut world = with_account();
    world.no_account_token = Some(NoAccountToken::NotEnabled);
    world.settle();
    assert_eq!(world.refreshed_is().1, "ServiceAccountTokenFailed");
    assert_eq!(
        message(&world),
        "no token of ServiceAccount \"billing\": this operator may not request one: ask the installer to set chart value \
         serviceAccountTokens to true"
    );
    assert_eq!(
        (world.account_tokens, world.provider.exchanges.len()),
        (0, 0)
    );
}

#[test]
fn an_audience_of_the_api_server_is_named_with_its_field() {
    let refused = |role| {
        let mut world = with_two_tokens("web");
        let why = NoAccountToken::ApiServerAudience("https://kubernetes.default.svc".into());
        world.no_account_token_for = Some(role);
        world.no_account_token = Some(why);
        world.settle();
        assert_eq!(world.refreshed_is().1, "ServiceAccountTokenFailed");
        assert_eq!(world.provider.exchanges.len(), 0);
        let shown = message(&world).to_owned();
        // It is asked for again a minute later, and costs no permit until then.
        assert_eq!(world.cost_of(World::settle).account_tokens, 0);
        world.no_account_token = None;
        world.pass(seconds(60));
        assert_eq!(world.ready_is().0, ConditionStatus::True);
        shown
    };
    let cause = "audience \"https://kubernetes.default.svc\" is one of the API server: set";
    let rest = "to the one that the provider expects";
    assert_eq!(
        refused(AccountRole::Client),
        format!("no token of ServiceAccount \"web\": {cause} spec.clientAssertion.audience {rest}")
    );
    assert_eq!(
        refused(AccountRole::Subject),
        format!(
            "no token of ServiceAccount \"billing\": {cause} spec.tokenExchange.subjectServiceAccount.audience {rest}"
        )
    );
}

#[test]
fn a_provider_that_does_not_trust_the_cluster_is_named_with_the_subject() {
    for reason in [Reason::InvalidRequest, Reason::InvalidGrant] {
        let mut world = with_account();
        world.provider.otherwise = refuse(reason);
        world.settle();
        let shown = message(&world).split("; retrying").next().unwrap();
        assert!(
            shown.ends_with(
                ": have the provider trust system:serviceaccount:treasury:billing of this cluster's issuer, or correct \
                 spec.tokenExchange"
            ),
            "{shown}"
        );
        // An edit of the account's labels is no reason for a retry, and another account is.
        world.put_seed(SourceValue::Absent);
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        world.provider.otherwise = issue(3600);
        edit_account(&mut world, |account| account.name = "other".into());
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_second_client_secret_is_sent_with_a_token_of_its_own() {
    let mut world = with_account();
    let source = world.spec.client_secret_ref.as_mut().unwrap();
    source.client_secret_key = "client-secret,client-secret-next".into();
    world.edit_source(|source| {
        source.values.next_secret = SourceValue::Text("S3CRET-2".into());
    });
    world
        .provider
        .script
        .push_back(refuse(Reason::InvalidClient));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(sent(&world), ["S3CRET-subject-1", "S3CRET-subject-2"]);
}

#[test]
fn exactly_one_origin_of_the_subject_token_is_accepted() {
    let refused = |edit: fn(&mut TokenExchangeSpec)| {
        let mut spec = with_account().spec;
        edit(spec.token_exchange.as_mut().unwrap());
        Settings::read("treasury", "main", &spec).unwrap_err()
    };
    let mismatch = SettingsError::SubjectTokenMismatch;
    assert_eq!(
        refused(|exchange| exchange.subject_service_account = None),
        mismatch
    );
    assert_eq!(
        refused(|exchange| {
            exchange.subject_token_ref = Some(SubjectTokenRef {
                name: "subject".into(),
                key: "token".into(),
            });
        }),
        mismatch
    );
    assert_eq!(
        refused(|exchange| {
            let account = exchange.subject_service_account.as_mut().unwrap();
            account.audience = "a\nb".into();
        }),
        SettingsError::Unprintable("tokenExchange.subjectServiceAccount.audience")
    );
}

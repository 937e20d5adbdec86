//! A client that authenticates with a token of a ServiceAccount, whose owner consents as the owner of a Secret does.

use secrecy::ExposeSecret;

use super::{
    provider::refuse,
    world::{Costs, World, seconds},
};
use crate::{
    api::{
        ClientAssertion, ClientAuthentication, ConditionStatus, ConditionType, CubeCredentialSpec,
        Reason, SigningAlgorithm,
    },
    api_error::{ApiError, ApiStatus, Cause, StatusClass},
    reconcile::{Action, Budget, NoAccountToken, Settings, SettingsError},
};

/// The same world, whose client has no secret.
fn without_secret(mut world: World) -> World {
    world.spec.client_secret_ref = None;
    world.spec.client_authentication = Some(ClientAuthentication::ServiceAccountToken);
    world.spec.client_assertion = Some(Box::new(ClientAssertion {
        audience: Some("https://login.example.com".into()),
        service_account_name: Some("billing".into()),
        ..ClientAssertion::default()
    }));
    world
}

fn ready() -> World {
    let mut world = without_secret(World::new());
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world
}

/// The bodies that were sent.
fn bodies(world: &World) -> Vec<String> {
    let exchanges = world.provider.exchanges.iter();
    exchanges
        .map(|exchange| exchange.request.body().expose_secret().to_owned())
        .collect()
}

fn message(world: &World) -> &str {
    world.message(ConditionType::Refreshed)
}

#[test]
fn each_exchange_sends_a_new_token_as_the_assertion_and_no_client_id() {
    let mut world = ready();
    world.wake();
    let of_type =
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for (body, number) in bodies(&world).iter().zip(1..) {
        let expected = format!(
            "grant_type=client_credentials&{of_type}&client_assertion=S3CRET-assertion-{number}"
        );
        assert_eq!(*body, expected);
    }
    assert_eq!(world.provider.exchanges.len(), 2);
}

#[test]
fn a_client_id_of_the_spec_is_sent_and_is_an_input_of_the_token() {
    let mut world = ready();
    world.edit_spec(|spec| spec.client_id = Some("MY-ID".into()));
    world.settle();
    let bodies = bodies(&world);
    assert_eq!(bodies.len(), 2);
    assert!(bodies[1].contains("&client_id=MY-ID&client_assertion_type="));
    // It names the client, and the ServiceAccount counts all the same.
    world.edit_spec(|spec| {
        let assertion = spec.client_assertion.as_mut().unwrap();
        assertion.service_account_name = Some("other".into());
    });
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 3);
}

#[test]
fn a_field_of_another_method_is_refused() {
    let refused = |edit: fn(&mut CubeCredentialSpec)| {
        let mut spec = without_secret(World::new()).spec;
        edit(&mut spec);
        Settings::read("treasury", "main", &spec).unwrap_err()
    };
    assert_eq!(
        refused(|spec| spec.client_assertion.as_mut().unwrap().key_id = Some("a".into())),
        SettingsError::AssertionField {
            field: "keyID",
            method: "PrivateKeyJWT"
        }
    );
    assert_eq!(
        refused(|spec| {
            let assertion = spec.client_assertion.as_mut().unwrap();
            assertion.algorithm = Some(SigningAlgorithm::ES256);
        }),
        SettingsError::AssertionField {
            field: "algorithm",
            method: "PrivateKeyJWT"
        }
    );
    assert_eq!(
        refused(|spec| {
            spec.client_secret_ref = World::new().spec.client_secret_ref;
            spec.client_authentication = Some(ClientAuthentication::PrivateKeyJwt);
        }),
        SettingsError::AssertionField {
            field: "serviceAccountName",
            method: "ServiceAccountToken"
        }
    );
    assert_eq!(
        refused(|spec| {
            spec.client_secret_ref = World::new().spec.client_secret_ref;
            spec.client_authentication = Some(ClientAuthentication::Basic);
        }),
        SettingsError::AssertionMismatch
    );
    assert_eq!(
        refused(|spec| spec.client_assertion.as_mut().unwrap().audience = None),
        SettingsError::AssertionIncomplete
    );
    // A Secret of the client is of no use, and a client with a secret has one.
    for edit in [
        |spec: &mut CubeCredentialSpec| {
            spec.client_secret_ref = World::new().spec.client_secret_ref;
        },
        |spec: &mut CubeCredentialSpec| {
            spec.client_authentication = None;
            spec.client_assertion = None;
        },
    ] {
        assert_eq!(refused(edit), SettingsError::ClientSecretRefMismatch);
    }
}

#[test]
fn a_refresh_costs_one_request_more_than_with_a_secret() {
    let mut with_secret = World::ready();
    let usual = with_secret.cost_of(World::wake);
    let mut world = ready();
    let costs = world.cost_of(World::wake);
    let expected = Costs {
        account_tokens: 1,
        ..usual
    };
    assert_eq!(costs, expected);
}

#[test]
fn a_new_token_is_no_other_input_and_another_account_or_audience_is() {
    let mut world = ready();
    world.restart();
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 1);
    let edits: [fn(&mut ClientAssertion); 2] = [
        |of| of.audience = Some("https://other.example.com".into()),
        |of| of.service_account_name = Some("other".into()),
    ];
    for (edit, exchanges) in edits.into_iter().zip(2..) {
        world.edit_spec(|spec| edit(spec.client_assertion.as_mut().unwrap()));
        world.settle();
        assert_eq!(world.provider.exchanges.len(), exchanges);
    }
}

#[test]
fn without_its_owners_consent_no_token_is_requested() {
    let mut world = without_secret(World::new());
    let source = world.source.take();
    world.settle();
    assert_eq!(world.refreshed_is().1, "ServiceAccountNotFound");
    assert_eq!(
        message(&world),
        "ServiceAccount \"billing\" not found: create it with label cube-operator.dev/credential=true and annotation \
         cube-operator.dev/token-hosts=api.cubewire.com"
    );
    world.objects.source = source;
    world.edit_source(|source| source.labelled = false);
    world.settle();
    assert_eq!(world.refreshed_is().1, "ServiceAccountNotLabelled");
    assert!(
        message(&world)
            .starts_with("ServiceAccount \"billing\" is not labelled for use: its owner must")
    );
    world.edit_source(|source| {
        source.labelled = true;
        source.token_hosts = Some("other.example.com".into());
    });
    world.settle();
    assert_eq!(world.refreshed_is().1, "HostNotAllowed");
    assert!(
        message(&world)
            .starts_with("ServiceAccount \"billing\" must not be sent to api.cubewire.com")
    );
    assert_eq!(world.account_tokens, 0);
    world.edit_source(|source| source.token_hosts = Some("api.cubewire.com".into()));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn an_operator_that_may_not_request_tokens_says_which_value_to_set() {
    let mut world = without_secret(World::new());
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
fn a_token_that_is_not_issued_is_asked_for_again_each_minute_and_costs_no_permit() {
    let forbidden = ApiError {
        verb: "create",
        object: "a token of ServiceAccount treasury/billing".into(),
        cause: Cause::Status(ApiStatus {
            message: "no".into(),
            code: 403,
            reason: "Forbidden".into(),
            class: StatusClass::Refused,
            namespace_is_gone: false,
        }),
    };
    for (why, remedy) in [
        (
            NoAccountToken::Refused(forbidden),
            "ask the installer for create on serviceaccounts/token of \"billing\" in namespace \"treasury\"",
        ),
        (
            NoAccountToken::ApiServerAudience("https://kubernetes.default.svc".into()),
            "set spec.clientAssertion.audience to the one that the provider expects",
        ),
    ] {
        let mut world = without_secret(World::new());
        *world.process.budget.borrow_mut() = Budget::new(seconds(12), world.now);
        world.no_account_token = Some(why);
        world.settle();
        assert_eq!(world.refreshed_is().1, "ServiceAccountTokenFailed");
        assert!(message(&world).ends_with(remedy), "{}", message(&world));
        world.no_account_token = None;
        world.pass(seconds(60));
        assert_eq!(world.provider.exchanges.len(), 1);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_refresh_token_is_claimed_after_the_token_of_the_service_account_is_there() {
    let mut world = without_secret(World::signed_in());
    world.no_account_token = Some(NoAccountToken::Empty);
    let costs = world.cost_of(World::settle);
    assert_eq!(
        (costs.account_tokens, costs.stores, costs.exchanges),
        (1, 0, 0)
    );
    world.no_account_token = None;
    world.now += seconds(60);
    world.ends_before = Some(|action| matches!(action, Action::Store(_)));
    assert!(world.try_settle().is_err());
    world.ends_before = None;
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert!(bodies(&world)[0].contains("client_assertion=S3CRET-assertion-2"));
}

#[test]
fn a_provider_that_does_not_trust_the_cluster_is_named_with_the_subject() {
    let mut world = without_secret(World::new());
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.settle();
    assert_eq!(world.refreshed_is().1, "InvalidClient");
    assert!(
        message(&world).contains(
            "check that the provider trusts this cluster's issuer, audience \"https://login.example.com\" and subject \
             system:serviceaccount:treasury:billing"
        ),
        "{}",
        message(&world)
    );
}

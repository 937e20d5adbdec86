//! The checks before anything is sent: each refusal with its full message, and none of them costs an exchange.

mod consent;

use std::sync::LazyLock;

use rcgen::{CertificateParams, KeyPair};

use super::{
    model::objects::Provided,
    world::{World, seconds},
};
use crate::{
    api::{
        CaBundleKind, CaBundleRef, ConditionStatus, ConditionType, CubeCredentialSpec, SystemRoots,
    },
    oauth::hosts::HostList,
    reconcile::{CaBundle, ClientValues, SourceValue},
};

pub(super) fn ca_bundle_ref() -> CaBundleRef {
    CaBundleRef {
        kind: CaBundleKind::ConfigMap,
        name: "roots".into(),
        key: "ca.crt".into(),
        system_roots: SystemRoots::Keep,
    }
}

/// One of two certificates.
pub(super) fn certificate(number: usize) -> String {
    static MADE: LazyLock<[String; 2]> = LazyLock::new(|| {
        [(); 2].map(|()| {
            let key = KeyPair::generate().unwrap();
            let made = CertificateParams::default().self_signed(&key);
            made.unwrap().pem().replace('\r', "")
        })
    });
    MADE[number].clone()
}

/// A bundle with one of them.
pub(super) fn bundle(number: usize) -> CaBundle {
    CaBundle::of(certificate(number).as_bytes())
}

/// Both before the first token and with a published one nothing is sent, and the message is the same.
fn assert_refused(spoil: impl Fn(&mut World), reason: &str, message: &str) {
    let mut world = World::new();
    spoil(&mut world);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes, costs.reports), (0, 0, 1));
    let refused = (ConditionStatus::False, reason.to_owned());
    assert_eq!(
        (world.ready_is(), world.refreshed_is()),
        (refused.clone(), refused)
    );
    assert_eq!(world.condition(ConditionType::Stalled).1, reason);
    assert_eq!(world.message(ConditionType::Refreshed), message);
    // No watch is sure to show these.
    let unwatched = [
        "CABundleInvalid",
        "ClientSecretNotFound",
        "ClientSecretNotLabelled",
    ];
    let look = unwatched.contains(&reason);
    assert_eq!(
        (world.wake_at, world.status.refresh_at),
        (look.then(|| world.now + seconds(60)), None)
    );
    assert_eq!(world.status.last_attempt_at, None);
}

fn assert_source_refused(spoil: impl Fn(&mut Provided<ClientValues>), reason: &str, message: &str) {
    assert_refused(|world| world.edit_source(&spoil), reason, message);
    // With a published token it is a warning before the refresh is due.
    let mut world = World::ready();
    world.edit_source(&spoil);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, reason.to_owned())
    );
    assert_eq!(world.message(ConditionType::Refreshed), message);
    assert_eq!(world.cost_of(World::settle).reports, 0);
}

#[test]
fn a_source_that_is_not_there() {
    assert_refused(
        |world| world.source = None,
        "ClientSecretNotFound",
        "Secret \"cubewire-client\" not found: create it with keys client-id and client-secret, label \
         cube-operator.dev/credential=true and annotation cube-operator.dev/token-hosts=api.cubewire.com",
    );
}

#[test]
fn a_source_without_consent() {
    assert_source_refused(
        |source| source.labelled = false,
        "ClientSecretNotLabelled",
        "Secret \"cubewire-client\" is not labelled for use: its owner must set annotation \
         cube-operator.dev/token-hosts=api.cubewire.com, then label cube-operator.dev/credential=true",
    );
}

#[test]
fn a_source_that_no_watch_tells_of_is_looked_for() {
    let mut world = World::new();
    let mut source = world.source.take();
    world.settle();
    assert_eq!(world.ready_is().1, "ClientSecretNotFound");
    source.as_mut().unwrap().labelled = false;
    world.source = source;
    world.pass(seconds(60));
    assert_eq!(world.ready_is().1, "ClientSecretNotLabelled");
    world.source = None;
    world.pass(seconds(60));
    assert_eq!(world.ready_is().1, "ClientSecretNotFound");
}

#[test]
fn a_source_without_a_key() {
    for key in ["client-id", "client-secret"] {
        assert_source_refused(
            |source| *value(source, key) = SourceValue::Absent,
            "ClientSecretKeyMissing",
            &format!(
                "Secret \"cubewire-client\" has no key {key:?}: add it, or name the right key in spec.clientSecretRef"
            ),
        );
    }
}

#[test]
fn a_malformed_source() {
    let as_shown = "write the value as the provider shows it";
    for (text, what) in [
        ("", format!("is empty: {as_shown}")),
        (
            "S3CRET\n",
            "has a trailing newline: rewrite the value with `printf %s`".to_owned(),
        ),
        (
            "S3C\tRET",
            format!("contains a control character: {as_shown}"),
        ),
        (
            "S3C\u{85}RET",
            format!("contains a control character: {as_shown}"),
        ),
    ] {
        for key in ["client-id", "client-secret"] {
            assert_source_refused(
                |source| *value(source, key) = SourceValue::Text(text.into()),
                "ClientSecretMalformed",
                &format!("key {key:?} of Secret \"cubewire-client\" {what}"),
            );
        }
    }
    assert_source_refused(
        |source| source.values.secret = SourceValue::NotText,
        "ClientSecretMalformed",
        "key \"client-secret\" of Secret \"cubewire-client\" is not UTF-8 text: write the value as the provider shows it",
    );
}

fn value<'a>(source: &'a mut Provided<ClientValues>, key: &str) -> &'a mut SourceValue {
    match key {
        "client-id" => &mut source.values.id,
        _ => &mut source.values.secret,
    }
}

#[test]
fn a_ca_bundle_that_cannot_be_used() {
    for (bundle, why) in [
        (
            CaBundle::Absent,
            "not found: create it, or correct spec.caBundleRef",
        ),
        (
            CaBundle::of(b"none"),
            "has no valid PEM certificate in key \"ca.crt\": write one or more -----BEGIN CERTIFICATE----- blocks",
        ),
        (
            CaBundle::of(certificate(0).repeat(2000).as_bytes()),
            "has more than 768 KiB in key \"ca.crt\": write only the CA certificates of the token endpoint; public CAs are \
             trusted anyway",
        ),
        (
            CaBundle::of(certificate(0).replace("MII", "?").as_bytes()),
            "has no usable CA certificate in key \"ca.crt\": block 1 (line 1) is not base64: correct or remove that block",
        ),
    ] {
        assert_refused(
            |world| {
                world.spec.ca_bundle_ref = Some(ca_bundle_ref());
                world.put_ca_bundle(bundle.clone());
            },
            "CABundleInvalid",
            &format!("CA bundle ConfigMap \"roots\" {why}"),
        );
    }
    assert_refused(
        |world| {
            world.spec.ca_bundle_ref = Some(CaBundleRef {
                kind: CaBundleKind::Secret,
                ..ca_bundle_ref()
            });
        },
        "CABundleInvalid",
        "CA bundle Secret \"roots\" not found: create it, or correct spec.caBundleRef",
    );
}

type Spoil = fn(&mut CubeCredentialSpec);

#[test]
fn a_spec_that_cannot_be_read() {
    let cases: [(Spoil, &str); 11] = [
        (
            |spec| spec.provider = Some(crate::api::Provider::Custom),
            "spec.tokenURL is required with provider Custom",
        ),
        (
            |spec| spec.token_url = Some("http://example.com/".into()),
            "spec.tokenURL must start with https:// in lower case",
        ),
        (
            |spec| spec.refresh_before = "soon".into(),
            "spec.refreshBefore is \"soon\": write a duration such as 5m or 1h30m",
        ),
        (
            |spec| spec.token_url = Some("https://example.com/?a=b&client%5Fid=x".into()),
            "the query of spec.tokenURL has the parameter \"client_id\", which the operator sets itself: use the fields of the \
             spec",
        ),
        (
            |spec| spec.parameters = [("Scope".into(), "x".into())].into(),
            "spec.parameters has \"Scope\", which the operator sets itself: use the fields of the spec",
        ),
        (
            |spec| spec.parameters = [("subject_token".into(), "x".into())].into(),
            "spec.parameters has \"subject_token\", which the operator sets itself: use the fields of the spec",
        ),
        (
            |spec| spec.parameters = [("\u{202e}x".into(), "x".into())].into(),
            "spec.parameters has the name \"\\u{202e}x\": write 1 to 128 letters, digits, '-', '_' and '.'",
        ),
        (
            |spec| spec.target.r#type = "bootstrap.kubernetes.io/token".into(),
            "spec.target.type is \"bootstrap.kubernetes.io/token\": write Opaque or a type of your own such as example.com/token",
        ),
        (
            |spec| spec.target.r#type = "kubernetes.io/service-account-token".into(),
            "spec.target.type is \"kubernetes.io/service-account-token\": write Opaque or a type of your own such as \
             example.com/token",
        ),
        (
            |spec| spec.target.r#type = "kubernetes.io/tls".into(),
            "spec.target.type kubernetes.io/tls needs spec.target.data with key tls.crt",
        ),
        (
            |spec| {
                spec.target.r#type = "kubernetes.io/tls".into();
                spec.target.data = [("tls.crt".into(), String::new())].into();
            },
            "spec.target.type kubernetes.io/tls needs spec.target.data with key tls.key",
        ),
    ];
    for (spoil, message) in cases {
        assert_refused(|world| spoil(&mut world.spec), "InvalidSpec", message);
    }
}

#[test]
fn what_was_refused_is_used_as_soon_as_it_is_put_right() {
    let mut world = World::new();
    world.source = None;
    world.settle();
    world.put_source("S3CRET\n");
    world.settle();
    assert_eq!(world.ready_is().1, "ClientSecretMalformed");
    world.put_source("S3CRET-1");
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

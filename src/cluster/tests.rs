//! The work of one event and of one reconcile does not grow with the number of objects.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{Client, runtime::watcher::Event};
use serde_json::{Value, json};

use super::{table::visits, *};
use crate::{
    api::{CaBundleKind, CaBundleRef, ProviderKind, annotation, label},
    kubernetes::stub,
    oauth::{client::TokenClient, networks::Networks},
    reconcile::{CaBundle, Memory, Outcome, Read, Source, Target},
};

fn credential(number: usize, created: &str, target: &str) -> Watched {
    serde_json::from_value(json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"namespace": "treasury", "name": format!("main-{number}"), "uid": format!("uid-{number}"),
            "resourceVersion": "7", "creationTimestamp": created},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": format!("client-{number}")},
            "caBundleRef": {"name": format!("bundle-{number}")}, "target": {"name": target}},
    }))
    .unwrap()
}

fn secret(name: &str, labels: &Value, annotations: &Value) -> Metadata<Secret> {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"namespace": "treasury", "name": name, "uid": name, "resourceVersion": "7",
            "labels": labels, "annotations": annotations},
    }))
    .unwrap()
}

fn target(name: &str, owner: usize) -> Metadata<Secret> {
    secret(
        name,
        &json!({label::MANAGED: "true"}),
        &json!({
            annotation::OWNER_UID: format!("uid-{owner}"),
            annotation::WRITTEN_TO: format!("treasury/{name}"),
        }),
    )
}

fn source(number: usize) -> Metadata<Secret> {
    let labels = json!({label::CREDENTIAL: "true"});
    secret(&format!("client-{number}"), &labels, &json!({}))
}

/// Everything that uses this client of an API server.
pub(super) fn context_of(client: Client, credentials: Vec<Watched>) -> Context {
    let tokens = TokenClient::new(Networks::allowing(Vec::new()));
    Context::snapshot(client, credentials, tokens, None, false)
}

/// This many credentials, each with its own Secrets and a target under an earlier name; the second is a rival of the first.
fn context(credentials: usize) -> Context {
    let nobody = stub::client(|_| future::ready((200, Value::Null)));
    let name = |number| format!("token-{}", if number == 1 { 0 } else { number });
    let objects = (0..credentials).map(|number| {
        let created = format!("2026-11-23T10:00:0{}Z", number.min(9));
        credential(number, &created, &name(number))
    });
    let context = context_of(nobody, objects.collect());
    for number in 0..credentials {
        context.learn_target(Event::Apply(target(&format!("token-{number}"), number)));
        context.learn_target(Event::Apply(target(&format!("before-{number}"), number)));
        // Copies of all targets, with their marks: they cost nothing.
        let mut copy = target(&format!("token-{number}"), 1);
        copy.metadata.name = Some(format!("copy-{number}"));
        context.learn_target(Event::Apply(copy));
        context.learn_source(Event::Apply(source(number)));
    }
    context
}

/// The visits of table entries that each piece of work costs.
fn costs(credentials: usize) -> Vec<(&'static str, usize)> {
    let context = context(credentials);
    let rival = credential(1, "2026-11-23T10:00:01Z", "token-0");
    let bundle = ObjectKey::new("treasury", "bundle-3");
    let (learned, of_credential) =
        visits::of(|| context.learn_credential(&Event::Apply(rival.clone())));
    assert_eq!(
        learned.affected.len(),
        1,
        "itself, as the owner does not change"
    );
    let (affected, of_target) =
        visits::of(|| context.learn_target(Event::Apply(target("token-0", 0))));
    assert_eq!(affected.len(), 1, "its owner, and not the rival");
    let (changed, of_source) = visits::of(|| context.learn_source(Event::Apply(source(3))));
    let (affected, of_users) = visits::of(|| context.affected_by(&changed[0]));
    assert_eq!(affected.len(), 1);
    let (trusting, of_bundle) = visits::of(|| context.trusting(CaBundleKind::ConfigMap, &bundle));
    assert_eq!(trusting.len(), 1);
    let (observed, of_observation) = visits::of(|| context.observe(&rival, Memory::default()));
    assert_eq!(observed.older_rival.as_deref(), Some("main-0"));
    let previous = observed.previous.iter().map(|secret| secret.name.as_str());
    assert_eq!(
        previous.collect::<Vec<_>>(),
        ["before-1", "token-1"],
        "and no copies"
    );
    let Target::Present(target) = observed.target else {
        panic!("it is cached");
    };
    assert!(target.owner_lives && target.owner_wants_it);
    let gone = Event::Delete(rival);
    let (learned, of_deletion) = visits::of(|| context.learn_credential(&gone));
    assert_eq!((learned.affected.len(), learned.gone.len()), (0, 1));
    vec![
        ("event of a credential", of_credential),
        ("event of a target", of_target),
        ("event of a source", of_source),
        ("users of a Secret", of_users),
        ("event of a bundle", of_bundle),
        ("observation", of_observation),
        ("deletion", of_deletion),
    ]
}

#[tokio::test]
async fn the_work_of_an_event_and_of_a_reconcile_does_not_grow_with_the_number_of_objects() {
    let of_ten = costs(10);
    for (work, visits) in &of_ten {
        assert!((1..=20).contains(visits), "{work}: {visits}");
    }
    assert_eq!(costs(1_000), of_ten);
    assert_eq!(costs(10_000), of_ten);
}

#[tokio::test]
async fn a_change_of_a_provider_visits_the_credentials_that_name_it_and_no_others() {
    let visits_among = |others| {
        let context = context(others);
        for number in 0..3 {
            let mut object = credential(others + number, "2026-11-23T10:00:00Z", "own");
            let spec = &mut object.0.as_mut().unwrap().spec;
            let reference = json!({"kind": "ClusterCubeProvider", "name": "okta"});
            spec.provider = None;
            spec.provider_ref = serde_json::from_value(reference).unwrap();
            context.learn_credential(&Event::Apply(object));
        }
        let (kind, provider) = (
            ProviderKind::ClusterCubeProvider,
            ObjectKey::new("", "okta"),
        );
        let (counted, visits) = visits::of(|| context.count_of_provider(kind, &provider));
        assert!(visits <= 1, "its users are counted without a visit of each");
        let (affected, visits) = visits::of(|| context.users_of_provider(kind, &provider));
        assert_eq!(affected.len(), counted);
        assert_eq!(affected.len(), 3);
        visits
    };
    assert_eq!((visits_among(10), visits_among(1_000)), (3, 3));
}

/// The credentials that this many rivals for one target wake while each of them is created, writes a status and is deleted, the
/// oldest one first.
fn woken_by_rivals(rivals: usize) -> usize {
    let context = context(0);
    let rival = |number: usize| {
        let created = format!("2026-11-23T{:02}:{:02}:00Z", number / 60, number % 60);
        credential(number, &created, "token")
    };
    let created = (0..rivals).map(|number| Event::Apply(rival(number)));
    let reported = (0..rivals).map(|number| Event::Apply(rival(number)));
    let deleted = (0..rivals).map(|number| Event::Delete(rival(number)));
    let events = created.chain(reported).chain(deleted);
    let woken = events.map(|event| context.learn_credential(&event).affected.len());
    woken.sum()
}

#[tokio::test]
async fn rivals_for_one_target_do_not_wake_each_other() {
    // Each wakes itself twice, and its successor once.
    assert_eq!(woken_by_rivals(10), 29);
    assert_eq!(woken_by_rivals(1_000), 2_999);
}

#[tokio::test]
async fn credentials_that_need_a_ca_bundle_at_the_same_time_share_one_read() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let client = stub::client(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::task::yield_now().await;
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "roots", "resourceVersion": "7"}, "data": {"ca.crt": "not a certificate"}});
            (200, map)
        }
    });
    let objects: Vec<_> = (0..20)
        .map(|number| credential(number, "2026-11-23T10:00:00Z", "token"))
        .collect();
    let context = context_of(client, Vec::new());
    let reference: CaBundleRef = serde_json::from_value(json!({"name": "roots"})).unwrap();
    let read_all = async || {
        let all = objects.iter().map(|object| {
            let what = Read::CaBundle(reference.clone());
            let observed = context.observe(object, Memory::default());
            let context = &context;
            async move { context.read(what, &observed.credential).await.unwrap() }
        });
        futures::future::join_all(all).await
    };
    let read = read_all().await;
    let unusable = |outcome: &Outcome| matches!(outcome, Outcome::CaBundle(CaBundle::Unusable(_)));
    assert!(read.iter().all(unusable));
    assert_eq!(reads.load(Ordering::Relaxed), 1);
    // Once a watch shows the version, only another one is read.
    let bundle = ObjectKey::new("treasury", "roots");
    let watch = context.parts.ca_bundles.begin_watch(&bundle);
    for (version, expected) in [("7", 1), ("8", 2)] {
        context
            .parts
            .ca_bundles
            .shows(&bundle, watch, Some(version.into()));
        read_all().await;
        assert!(reads.load(Ordering::Relaxed) >= expected, "{version}");
        assert!(expected == 2 || reads.load(Ordering::Relaxed) == 1);
    }
}

/// A ServiceAccount that is changed, or created again, wakes those whose client or subject it is.
#[tokio::test]
async fn a_service_account_affects_the_credentials_whose_client_or_subject_it_is() {
    let context = context(3);
    let edit = |number: usize, fields: Value| {
        let mut object = credential(number, "2026-11-23T10:00:00Z", "elsewhere");
        let Ok(found) = &mut object.0 else {
            panic!("it can be read");
        };
        let mut spec = json!(found.spec);
        spec.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        found.spec = serde_json::from_value(spec).unwrap();
        context.learn_credential(&Event::Apply(object.clone()));
        object
    };
    let subject = json!({"subjectServiceAccount": {"name": "billing", "audience": "a"}});
    let subject = edit(
        0,
        json!({"grant": "TokenExchange", "tokenExchange": subject}),
    );
    edit(
        1,
        json!({
            "clientSecretRef": null, "clientAuthentication": "ServiceAccountToken",
            "clientAssertion": {"audience": "a", "serviceAccountName": "billing"},
        }),
    );
    // A Secret by the same name is another object.
    edit(
        2,
        json!({"grant": "TokenExchange", "tokenExchange": {"subjectTokenRef": {"name": "billing"}}}),
    );
    let account: Metadata<ServiceAccount> = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"namespace": "treasury", "name": "billing", "resourceVersion": "8"},
    }))
    .unwrap();
    let mut affected: Vec<_> = context
        .learn_service_account(Event::Apply(account))
        .into_iter()
        .map(|key| key.name().to_owned())
        .collect();
    affected.sort();
    assert_eq!(affected, ["main-0", "main-1"]);
    // A decision knows its version, so the next exchange need not be due for a change to be noticed.
    let observed = context.observe(&subject, Memory::default());
    let Source::Unread(version) = observed.seed else {
        panic!("nothing was read");
    };
    assert_eq!(version.as_deref(), Some("8"));
}

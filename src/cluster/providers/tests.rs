use kube::runtime::watcher::Event;
use serde_json::json;

use super::*;
use crate::{
    api::{ClusterCubeProvider, CubeProvider},
    reconcile::Unusable,
};

mod named;

type Of<K> = WatchedProvider<K>;

fn reference(kind: ProviderKind) -> ProviderRef {
    let name = "okta".into();
    ProviderRef { kind, name }
}

fn object(url: &str, label: &str) -> Of<CubeProvider> {
    let object = json!({
        "metadata": {"namespace": "treasury", "name": "okta", "labels": {"a": label}},
        "spec": {"tokenURL": url}, "status": {"a": label},
    });
    serde_json::from_value(object).unwrap()
}

fn learn(providers: &mut Providers, event: &Event<Of<CubeProvider>>) -> usize {
    let bundles = Arc::clone(&providers.bundles);
    providers.of_namespaces.learn(event, &bundles).len()
}

fn found(providers: &Providers) -> String {
    let found = providers.find(&reference(ProviderKind::CubeProvider), "treasury");
    format!("{found:?}")
}

#[test]
fn an_object_is_absent_only_once_a_list_is_complete() {
    let mut providers = Providers::new(&[ProviderKind::CubeProvider], Arc::default());
    assert_eq!(found(&providers), "Unlisted");
    learn(&mut providers, &Event::Init);
    assert_eq!(found(&providers), "Unlisted");
    learn(&mut providers, &Event::InitDone);
    assert_eq!(found(&providers), "Absent");
    let other = providers.find(&reference(ProviderKind::ClusterCubeProvider), "treasury");
    assert!(matches!(other, FoundProvider::Unused));
}

#[test]
fn only_a_change_of_the_spec_is_one_and_a_list_that_shows_nothing_new_is_none() {
    let url = "https://login.example.com/token";
    let mut providers = Providers::new(&[ProviderKind::CubeProvider], Arc::default());
    learn(&mut providers, &Event::Init);
    assert_eq!(
        learn(&mut providers, &Event::InitApply(object(url, "1"))),
        0
    );
    learn(&mut providers, &Event::InitDone);
    assert_eq!(learn(&mut providers, &Event::Apply(object(url, "2"))), 0);
    let other = object("https://elsewhere.example.com/token", "2");
    assert_eq!(learn(&mut providers, &Event::Apply(other.clone())), 1);
    learn(&mut providers, &Event::Init);
    assert!(
        found(&providers).contains("elsewhere"),
        "it stays known during a list"
    );
    assert_eq!(learn(&mut providers, &Event::InitApply(other)), 0);
    assert_eq!(learn(&mut providers, &Event::InitDone), 0);
    learn(&mut providers, &Event::Init);
    assert_eq!(
        learn(&mut providers, &Event::InitDone),
        1,
        "the list does not show it"
    );
    assert_eq!(found(&providers), "Absent");
}

#[test]
fn an_object_is_found_in_its_namespace_only_and_one_that_cannot_be_read_does_not_stop_the_others() {
    let mut providers = Providers::new(ProviderKind::ALL, Arc::default());
    learn(
        &mut providers,
        &Event::InitApply(object("https://login.example.com/token", "1")),
    );
    learn(&mut providers, &Event::InitDone);
    let of = |kind, namespace| providers.find(&reference(kind), namespace);
    assert!(matches!(
        of(ProviderKind::CubeProvider, "treasury"),
        FoundProvider::Present(Ok(_))
    ));
    assert!(matches!(
        of(ProviderKind::CubeProvider, "payments"),
        FoundProvider::Absent
    ));
    assert!(matches!(
        of(ProviderKind::ClusterCubeProvider, ""),
        FoundProvider::Unlisted
    ));

    let deep = "[".repeat(200) + &"]".repeat(200);
    let text = format!(r#"{{"metadata":{{"name":"okta"}},"spec":{{"tokenURL":{deep}}}}}"#);
    let unreadable: Of<ClusterCubeProvider> = serde_json::from_str(&text).unwrap();
    providers
        .of_cluster
        .as_mut()
        .unwrap()
        .learn(&Event::Apply(unreadable), &OperatorBundles::default());
    let found = providers.find(&reference(ProviderKind::ClusterCubeProvider), "payments");
    assert!(matches!(
        found,
        FoundProvider::Present(Err(Unusable::Unreadable(_)))
    ));
}

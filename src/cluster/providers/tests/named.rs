//! Objects that name a ConfigMap of the operator's namespace.

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

use super::*;
use crate::{
    cluster::providers::board::{ProviderBoard, Visited},
    reconcile::{BundleFlaw, ConfigMapPlace, read_bundle},
};

const URL: &str = "https://login.example.com/token";

fn certificate() -> String {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default()
        .self_signed(&key)
        .unwrap()
        .pem()
}

fn cluster_object(name: &str, bundle: &Value) -> Of<ClusterCubeProvider> {
    let object = json!({
        "metadata": {"name": name}, "spec": {"tokenURL": URL, "namespaces": ["*"], "caBundleRef": bundle},
    });
    serde_json::from_value(object).unwrap()
}

/// An operator in namespace cube-system.
struct Store {
    bundles: Arc<OperatorBundles>,
    providers: Providers,
    board: ProviderBoard,
}

impl Store {
    fn new() -> Self {
        let bundles = Arc::new(OperatorBundles::of(Some("cube-system".into())));
        Self {
            providers: Providers::new(ProviderKind::ALL, Arc::clone(&bundles)),
            board: ProviderBoard::default(),
            bundles,
        }
    }

    fn show(&mut self, name: &str, bundle: &Value) -> usize {
        let event = Event::Apply(cluster_object(name, bundle));
        let objects = self.providers.of_cluster.as_mut().unwrap();
        let changed = objects.learn(&event, &self.bundles).len();
        self.board.learn(&event, &self.bundles);
        changed
    }

    fn delete(&mut self, name: &str) {
        let event = Event::Delete(cluster_object(name, &Value::Null));
        let objects = self.providers.of_cluster.as_mut().unwrap();
        objects.learn(&event, &self.bundles);
        self.board.learn(&event, &self.bundles);
    }

    /// The watch of a ConfigMap shows this text.
    fn reads(&mut self, name: &str, pem: &str) -> (usize, usize) {
        let bundle = self.bundles.want(&reference_to(name));
        let place = bundle.place.clone();
        self.bundles
            .learn(&bundle, read_bundle(place, "ca.crt", Some(pem.as_bytes())));
        let (changed, found) = self.providers.of_cluster.as_mut().unwrap().complete();
        (changed.len(), found.len())
    }

    fn trusts(&self, name: &str) -> Result<bool, Unusable> {
        let reference = ProviderRef {
            kind: ProviderKind::ClusterCubeProvider,
            name: name.into(),
        };
        match self.providers.find(&reference, "treasury") {
            FoundProvider::Present(found) => found.map(|object| !object.waits_for_its_bundle()),
            other => panic!("{other:?}"),
        }
    }

    fn visited(&self, name: &str) -> Visited {
        let key = ObjectKey::new("", name);
        self.board.find(&(ProviderKind::ClusterCubeProvider, key))
    }
}

fn reference_to(name: &str) -> crate::api::ConfigMapBundleRef {
    serde_json::from_value(json!({"name": name})).unwrap()
}

#[test]
fn an_object_waits_for_its_config_map_and_changes_with_it_and_with_nothing_else() {
    let (mut store, pem) = (Store::new(), certificate());
    store.show("corp", &json!({"name": "roots"}));
    store.show("plain", &Value::Null);
    assert_eq!(store.trusts("corp"), Ok(false));
    assert!(
        matches!(store.visited("corp"), Visited::Waiting),
        "no status yet"
    );
    assert_eq!(store.reads("roots", &pem), (0, 1), "it has waited");
    assert_eq!(store.trusts("corp"), Ok(true));
    assert!(matches!(store.visited("corp"), Visited::Found(_)));
    assert_eq!(store.reads("roots", &pem), (0, 0));
    assert_eq!(store.reads("others", &certificate()), (0, 0));
    assert_eq!(store.reads("roots", &certificate()), (1, 0));
    // One that cannot be read, and its correction.
    assert_eq!(store.reads("roots", "none"), (1, 0));
    assert!(matches!(store.trusts("corp"), Err(Unusable::Bundle(_))));
    let Visited::Found(shown) = store.visited("corp") else {
        panic!("it is known");
    };
    assert!(shown.object.is_err());
    assert_eq!(store.reads("roots", &pem), (1, 0));
    assert_eq!(store.trusts("corp"), Ok(true));
}

#[test]
fn a_config_map_is_followed_as_long_as_an_object_names_it_and_is_not_read_again_for_another_change()
{
    let (mut store, pem) = (Store::new(), certificate());
    store.show("one", &json!({"name": "roots"}));
    store.show("two", &json!({"name": "roots"}));
    store.reads("roots", &pem);
    let unnamed = store.bundles.want(&reference_to("roots")).unnamed();
    assert_eq!(
        store.show("two", &json!({"name": "roots", "key": "other.crt"})),
        1
    );
    assert_eq!(
        store.trusts("two"),
        Ok(false),
        "another key is another bundle"
    );
    assert_eq!(store.trusts("one"), Ok(true));
    store.delete("two");
    assert!(!unnamed.is_cancelled());
    store.delete("one");
    assert!(unnamed.is_cancelled());
    // It may be another one by now.
    store.show("one", &json!({"name": "roots"}));
    assert_eq!(store.trusts("one"), Ok(false));
}

/// Each watched namespace has a store of its own, and the ConfigMap is watched once.
#[test]
fn the_scopes_of_a_process_share_a_config_map_and_each_learns_of_its_change() {
    let (mut store, pem) = (Store::new(), certificate());
    let mut other = Providers::new(ProviderKind::ALL, Arc::clone(&store.bundles));
    let other = other.of_cluster.as_mut().unwrap();
    store.show("corp", &json!({"name": "roots"}));
    let late = Event::Apply(cluster_object("corp", &json!({"name": "roots"})));
    other.learn(&late, &store.bundles);
    assert_eq!(store.reads("roots", &pem), (0, 1));
    let (changed, found) = other.complete();
    assert_eq!((changed.len(), found.len()), (0, 1));
    // One that begins now waits for nothing.
    let mut third = Providers::new(ProviderKind::ALL, Arc::clone(&store.bundles));
    let third = third.of_cluster.as_mut().unwrap();
    let late = Event::Apply(cluster_object("corp", &json!({"name": "roots"})));
    third.learn(&late, &store.bundles);
    assert!(third.known.values().all(|known| !known.waits()));
}

#[test]
fn an_operator_that_does_not_know_its_namespace_says_so() {
    let mut store = Store::new();
    store.bundles = Arc::new(OperatorBundles::of(None));
    store.show("corp", &json!({"name": "roots"}));
    let flaw = BundleFlaw::NoNamespace {
        name: "roots".into(),
    };
    assert_eq!(store.trusts("corp"), Err(flaw.into()));
}

#[tokio::test]
async fn the_controller_is_told_of_each_config_map_once() {
    let mut store = Store::new();
    store.show("one", &json!({"name": "roots"}));
    store.show("two", &json!({"name": "roots"}));
    let named = store.bundles.named().await;
    let named: Vec<_> = named.iter().filter_map(std::sync::Weak::upgrade).collect();
    let place = ConfigMapPlace {
        namespace: "cube-system".into(),
        name: "roots".into(),
    };
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].place, place);
}

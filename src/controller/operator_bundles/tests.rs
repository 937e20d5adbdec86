use std::{future, pin::pin};

use futures::{poll, stream};
use serde_json::json;

use super::*;
use crate::kubernetes::stub;

type Events = Vec<Result<Event<ConfigMap>, WatchFailure>>;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";

fn map(key: &str) -> ConfigMap {
    let map =
        json!({"metadata": {"name": "roots", "namespace": "cube-system"}, "data": {key: PEM}});
    serde_json::from_value(map).unwrap()
}

fn failure(refused: bool) -> WatchFailure {
    WatchFailure {
        error: "planted".into(),
        lasts: true,
        refused,
    }
}

/// A bundle that an object names, and its watch.
fn followed(slots: &Arc<Semaphore>) -> (Arc<Bundle>, Follow) {
    let bundles = Arc::new(OperatorBundles::of(Some("cube-system".into())));
    let reference = serde_json::from_value(json!({"name": "roots"})).unwrap();
    let bundle = bundles.want(&reference);
    let follow = Follow {
        bundle: Arc::downgrade(&bundle),
        bundles,
        slots: Arc::clone(slots),
    };
    (bundle, follow)
}

/// The bundle after these events.
async fn after(events: Events) -> String {
    let (bundle, follow) = followed(&Arc::new(Semaphore::new(1)));
    follow.take_in(stream::iter(events)).await;
    match bundle.flaw() {
        Some(flaw) => flaw.to_string(),
        None => format!("read: {}", bundle.is_read()),
    }
}

#[tokio::test]
async fn a_config_map_is_absent_only_once_its_list_is_complete() {
    const ABSENT: &str = "ConfigMap cube-system/roots of its caBundleRef does not exist";
    assert_eq!(after(vec![Ok(Event::Init)]).await, "read: false");
    assert_eq!(
        after(vec![Ok(Event::Init), Ok(Event::InitDone)]).await,
        ABSENT
    );
    let shown = || {
        vec![
            Ok(Event::Init),
            Ok(Event::InitApply(map("other"))),
            Ok(Event::InitDone),
        ]
    };
    assert_eq!(
        after(shown()).await,
        "ConfigMap cube-system/roots of its caBundleRef has no key \"ca.crt\""
    );
    let mut deleted = shown();
    deleted.push(Ok(Event::Delete(map("other"))));
    assert_eq!(after(deleted).await, ABSENT);
}

#[tokio::test]
async fn only_a_refusal_is_a_missing_right_and_it_ends_with_the_right() {
    assert_eq!(after(vec![Err(failure(false))]).await, "read: false");
    let fails = || {
        // A list in pages begins with an event.
        let failures = (0..REPORTED_FAILURES).flat_map(|_| [Ok(Event::Init), Err(failure(false))]);
        failures.collect::<Events>()
    };
    let message = after(fails()).await;
    assert_eq!(
        message,
        "ConfigMap cube-system/roots of its caBundleRef cannot be read"
    );
    let mut recovers = fails();
    recovers.extend([Ok(Event::Init), Ok(Event::InitDone)]);
    assert!(after(recovers).await.ends_with("does not exist"));
    let mut events: Events = vec![Err(failure(true))];
    assert_eq!(
        after(vec![Err(failure(true))]).await,
        "the operator may not watch ConfigMap cube-system/roots of its caBundleRef"
    );
    events.extend([Ok(Event::Init), Ok(Event::InitApply(map("ca.crt")))]);
    let message = after(events).await;
    assert!(
        message.starts_with("key \"ca.crt\" of ConfigMap cube-system/roots"),
        "{message}"
    );
}

#[tokio::test]
async fn one_more_than_can_be_followed_says_so_and_has_its_turn_when_another_one_ends() {
    let slots = Arc::new(Semaphore::new(1));
    let another = slots.acquire().await.unwrap();
    let (bundle, follow) = followed(&slots);
    // An API server that does not respond.
    let mut run = pin!(follow.run(stub::client(|_| future::pending())));
    assert!(poll!(&mut run).is_pending());
    assert_eq!(
        bundle.flaw().unwrap().to_string(),
        "ClusterCubeProviders name more than 64 CA bundles, and ConfigMap cube-system/roots is one too many"
    );
    drop(another);
    assert!(poll!(&mut run).is_pending());
    assert_eq!(slots.available_permits(), 0, "its watch has begun");
}

#[tokio::test]
async fn a_right_that_is_taken_away_leaves_the_certificates_in_use() {
    let (bundle, follow) = followed(&Arc::new(Semaphore::new(1)));
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap()
        .pem();
    let map =
        serde_json::from_value(json!({"metadata": {"name": "roots"}, "data": {"ca.crt": pem}}))
            .unwrap();
    let events: Events = vec![
        Ok(Event::Init),
        Ok(Event::InitApply(map)),
        Ok(Event::InitDone),
        Err(failure(true)),
        Ok(Event::Init),
        Err(failure(false)),
    ];
    follow.take_in(stream::iter(events)).await;
    assert!(bundle.has_certificates());
}

use kube::{Resource, runtime::watcher::Event};

use super::*;
use crate::{
    clock::instant,
    cluster::convert,
    controller::{
        tests::{list, object, reconciler, reconciler_that},
        watches::credentials_affected,
    },
    reconcile::{ClientValues, Source, SourceSecret, SourceValue, Target},
};

fn observe(reconciler: &Reconciler, object: &Watched) -> Observed {
    reconciler.states.observe(&reconciler.context, object)
}

fn begin(reconciler: &Reconciler, object: &Watched) -> Session {
    Session::begin(observe(reconciler, object))
}

fn shown(reconciler: &Reconciler) -> Vec<String> {
    let text = reconciler.context.parts.metrics.text();
    let shown = text
        .lines()
        .filter_map(|line| line.split_once("name=\"")?.1.split_once('"'));
    shown.map(|(name, _)| name.to_owned()).collect()
}

#[tokio::test]
async fn an_object_deleted_while_the_watch_was_interrupted_leaves_no_metric_and_no_state() {
    let reconciler = reconciler();
    let objects = [object("stays", "a"), object("goes", "b")];
    list(&reconciler, &objects);
    for object in &objects {
        reconciler.keep(object, begin(&reconciler, object), true);
    }
    assert_eq!(shown(&reconciler), ["goes", "stays"]);

    list(&reconciler, &objects[..1]);
    assert_eq!(shown(&reconciler), ["stays"]);
    assert_eq!(reconciler.states.uids(), ["a".into()]);
}

#[tokio::test]
async fn a_reconcile_that_outlives_its_object_leaves_no_metric_and_no_state() {
    let reconciler = reconciler();
    let old = object("main", "old");
    list(&reconciler, std::slice::from_ref(&old));
    let session = begin(&reconciler, &old);
    let deletion = Event::Delete(old.clone());
    credentials_affected(&reconciler, deletion);
    // A reconcile that had waited until now begins.
    begin(&reconciler, &old);
    // A new object with its name is another one.
    let creation = Event::Apply(object("main", "new"));
    credentials_affected(&reconciler, creation);
    reconciler.keep(&old, session, true);
    assert_eq!(shown(&reconciler), [""; 0]);
    assert!(reconciler.states.uids().is_empty());
}

#[tokio::test]
async fn a_status_that_was_written_is_kept_until_the_watch_shows_it_and_not_until_the_next_reconcile()
 {
    let reconciler = reconciler();
    let at = |version: &str, failures| {
        let mut object = object("main", "a");
        object.meta_mut().resource_version = Some(version.into());
        let readable = object.0.as_mut().unwrap();
        readable.status.as_mut().unwrap().failures = Some(failures);
        object
    };
    list(&reconciler, &[at("7", 1)]);
    observe(&reconciler, &at("7", 1));
    let written = convert::status(&at("8", 2));
    reconciler.states.reported("a".into(), 8, &written);
    for (version, failures, keeps) in [("7", 1, true), ("8", 1, true), ("8", 2, false)] {
        credentials_affected(&reconciler, Event::Apply(at(version, failures)));
        assert_eq!(
            reconciler.states.keeps_status("a"),
            keeps,
            "{version} {failures}"
        );
    }
    reconciler.states.reported("a".into(), 9, &written);
    credentials_affected(&reconciler, Event::Apply(at("10", 1)));
    assert!(!reconciler.states.keeps_status("a"), "it is newer");
}

#[tokio::test]
async fn a_status_is_shown_even_if_the_api_server_does_not_take_it_but_not_after_a_deletion() {
    let reconciler = reconciler();
    let object = object("main", "a");
    list(&reconciler, std::slice::from_ref(&object));
    let observed = observe(&reconciler, &object);
    let report = || Action::Report {
        status: CubeCredentialStatus::default(),
        events: Vec::new(),
    };
    assert!(reconciler.act(report(), &object, &observed).await.is_err());
    reconciler.keep(&object, begin(&reconciler, &object), false);
    assert_eq!(
        reconciler
            .context
            .parts
            .metrics
            .text()
            .lines()
            .filter(|line| line.contains("\"main\""))
            .collect::<Vec<_>>(),
        [r#"cube_operator_consecutive_failures{namespace="treasury",name="main"} 0"#],
        "not the 1 of the status that stands"
    );

    list(&reconciler, &[]);
    assert!(reconciler.act(report(), &object, &observed).await.is_err());
    assert_eq!(shown(&reconciler), [""; 0]);
}

#[tokio::test]
async fn an_exchange_that_was_about_to_begin_when_the_lease_was_lost_does_not_begin() {
    for (leadership, began) in [(Leadership::alone(), true), (Leadership::of(1), false)] {
        let reconciler = reconciler_that(leadership);
        let mut object = object("main", "a");
        let spec = &mut object.0.as_mut().unwrap().spec;
        // Nothing is sent there.
        spec.token_url = Some("https://127.0.0.1/token".into());
        list(&reconciler, std::slice::from_ref(&object));
        let mut observed = observe(&reconciler, &object);
        let text = |text: &str| SourceValue::Text(text.into());
        observed.target = Target::Absent;
        observed.source = Source::Read(SourceSecret {
            version: "1".into(),
            token_hosts: None,
            token_ca: None,
            values: ClientValues::with_secret(text("client"), text("secret")),
        });
        let mut session = Session::begin(observed);
        let mut slot = SlotUse::of(&reconciler, &object);
        let result = reconciler
            .steps(&object, &mut session, &mut slot, &mut |_| {})
            .await;
        let text = reconciler.context.parts.metrics.text();
        assert_eq!(text.contains("cube_operator_exchanges_total"), began);
        let waits = result.is_ok_and(|delay| delay == Some(LEADERSHIP_DELAY));
        assert_eq!(waits, !began);
    }
}

#[tokio::test]
async fn a_slot_that_is_taken_after_a_wait_is_given_back_too() {
    let reconciler = reconciler();
    let deadline = now();
    for number in 0..1000 {
        let mut slot = SlotUse::of(&reconciler, &object("main", &number.to_string()));
        assert_eq!(slot.take(deadline), Slot::Taken);
        // A response could not be stored.
        slot.end(Ending::Done);
        assert_eq!(slot.take(deadline), Slot::Taken);
    }
}

#[tokio::test]
async fn an_object_that_is_deleted_before_it_asks_for_a_slot_keeps_none() {
    let reconciler = reconciler();
    let old = object("main", "old");
    list(&reconciler, std::slice::from_ref(&old));
    let session = Session::begin(observe(&reconciler, &old));
    let other = |number: usize| {
        let object = object("other", &format!("uid-{number}"));
        SlotUse::of(&reconciler, &object)
    };
    let take_all = || {
        let uses = (0..).map(other);
        let taken = uses.map_while(|mut r#use| (r#use.take(now()) == Slot::Taken).then_some(r#use));
        taken.collect::<Vec<_>>()
    };
    let all = take_all();
    let deletion = Event::Delete(old.clone());
    credentials_affected(&reconciler, deletion);
    let mut slot = SlotUse::of(&reconciler, &old);
    assert_ne!(slot.take(now()), Slot::Taken);
    slot.end(Ending::Waits);
    reconciler.keep(&old, session, true);
    let count = all.len();
    drop(all);
    assert_eq!(take_all().len(), count);
}

#[tokio::test]
async fn a_change_of_a_ca_bundle_reconciles_those_that_fail_or_may_use_the_earlier_one() {
    let reconciler = reconciler();
    let trusting = |uid: &str, refreshed: &str| {
        let mut object = object(uid, uid);
        let credential = object.0.as_mut().unwrap();
        let bundle = serde_json::json!({"name": "roots"});
        credential.spec.ca_bundle_ref = Some(serde_json::from_value(bundle).unwrap());
        let condition = serde_json::json!({"conditions": [{
            "type": "Refreshed", "status": refreshed, "reason": "a", "message": "b",
            "lastTransitionTime": "2026-11-28T09:00:00Z", "observedGeneration": 1,
        }]});
        credential.status = Some(serde_json::from_value(condition).unwrap());
        object
    };
    let objects = [
        trusting("fails", "False"),
        trusting("fresh", "True"),
        trusting("works", "True"),
    ];
    list(&reconciler, &objects);
    for object in [&objects[0], &objects[2]] {
        reconciler.keep(object, begin(&reconciler, object), true);
    }
    let _in_progress = begin(&reconciler, &objects[1]);
    let changed = || {
        let bundle = ObjectKey::new("treasury", "roots");
        let affected = reconciler.touch_ca_bundles(CaBundleKind::ConfigMap, &bundle);
        let mut names: Vec<_> = affected.iter().map(|key| key.name().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(changed(), ["fails", "fresh"]);
    // The next exchange of one that worked has failed, and the other one still works.
    let failed = trusting("works", "False");
    list(
        &reconciler,
        &[objects[0].clone(), objects[1].clone(), failed.clone()],
    );
    reconciler.keep(&failed, begin(&reconciler, &failed), true);
    let recovered = trusting("fails", "True");
    list(
        &reconciler,
        &[recovered.clone(), objects[1].clone(), failed],
    );
    reconciler.keep(&recovered, begin(&reconciler, &recovered), true);
    assert_eq!(changed(), ["fresh", "works"]);
}

#[test]
fn an_object_sleeps_until_its_time_and_not_until_the_end_of_that_second() {
    let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
    let sleeps = |wake_at, now| sleep(Some(at(wake_at)), at(now)).unwrap().as_millis();
    assert_eq!(sleeps(10_000, 7_400), 2_600);
    assert_eq!(sleeps(10_000, 9_999), 1);
    assert_eq!(sleeps(10_000, 10_000), 1_000);
    assert_eq!(sleeps(10_000, 12_300), 1_000);
    assert_eq!(sleeps(1_000_000_000, 0), 300_000);
    assert_eq!(sleep(None, at(0)), None);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_stores_a_response_again_within_a_second() {
    let reconciler = reconciler();
    let pause = async || {
        let begun = instant();
        reconciler.pause(Duration::from_secs(30)).await;
        instant() - begun
    };
    assert_eq!(pause().await, Duration::from_secs(30));
    let stop = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        reconciler.stop.cancel();
    };
    let (paused, ()) = futures::join!(pause(), stop);
    assert_eq!(paused, Duration::from_secs(6));
    assert_eq!(pause().await, Duration::from_secs(1));
}

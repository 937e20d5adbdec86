//! The pods that mount a target are annotated after a refresh.

use super::*;

#[test]
fn pods_are_told_of_a_refresh_before_the_status_and_of_nothing_else() {
    let mut world = World::new();
    world.access.refreshes_pods = true;
    world.settle();
    assert!(world.pod_refreshes.is_empty(), "the first publication");

    world.cluster.edit(TARGET, |secret| {
        secret.labels.clear();
    });
    world.settle();
    world.edit_spec(|spec| spec.refresh_before = "6m".into());
    world.settle();
    world.restart();
    world.settle();
    world.status = CubeCredentialStatus::default();
    world.restart();
    world.settle();
    assert!(world.pod_refreshes.is_empty(), "no new token");

    world.ends_before = Some(|action| matches!(action, Action::Report { .. }));
    world.now += seconds(60);
    world.request = Some("one".into());
    world.try_settle().unwrap_err();
    let told = std::mem::take(&mut world.pod_refreshes);
    assert_eq!(told.len(), 1);
    let fingerprint = &told[0].fingerprint;
    assert_eq!(told[0].secret, TARGET);
    assert_eq!(told[0].mark, format!("{} {fingerprint}", world.now));
    world.settle();
    assert_eq!(world.status.token_fingerprint.as_ref(), Some(fingerprint));
    assert!(world.pod_refreshes.is_empty(), "they were annotated before");
}

#[test]
fn a_process_that_dies_after_the_write_leaves_it_to_the_next_one_to_tell_pods() {
    let mut world = ready();
    world.ends_before = Some(|action| matches!(action, Action::RefreshPods(_)));
    world.now += seconds(60);
    world.request = Some("one".into());
    world.try_settle().unwrap_err();
    world.restart();
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.pod_refreshes), (0, 1));
    world.restart();
    assert_eq!(world.cost_of(World::settle), Costs::default());
}

#[test]
fn a_credential_or_an_operator_that_tells_no_pods_makes_no_request_for_them() {
    let mut world = ready();
    world.edit_spec(|spec| spec.consumers.refresh_mounted_pods = false);
    world.settle();
    refresh(&mut world);
    let mut other = World::ready();
    refresh(&mut other);
    assert!(world.pod_refreshes.is_empty() && other.pod_refreshes.is_empty());
}

#[test]
fn pods_that_cannot_be_told_are_announced_once_and_delay_nothing() {
    let mut world = ready();
    let told = |world: &mut World| {
        let events = world.take_events();
        events.contains(&EventKind::PodsNotRefreshed)
    };
    world.pods_fail = Some(failed(403, StatusClass::Refused));
    refresh(&mut world);
    assert!(told(&mut world));
    refresh(&mut world);
    assert!(!told(&mut world), "it is no news");
    assert_eq!(world.pod_refreshes.len(), 2, "each was tried once");
    world.pods_fail = None;
    refresh(&mut world);
    world.pods_fail = Some(no_response("pods"));
    refresh(&mut world);
    assert!(told(&mut world), "it worked in between");
    assert_eq!(world.costs.exchanges, 4);
}

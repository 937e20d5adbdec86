//! A change of `target.name`: the Secret under the earlier name is kept as long as pods use it.

use serde_json::json;

use super::world::{TARGET, World, seconds};
use crate::{api::ConditionStatus, consumers::Pod, reconcile::EventKind};

fn pod(name: &str, secret: &str) -> Pod {
    let pod = json!({
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "app", "volumeMounts": [{"name": "token", "mountPath": "/token"}]}],
            "volumes": [{"name": "token", "secret": {"secretName": secret}}],
        },
    });
    serde_json::from_value(pod).unwrap()
}

impl World {
    fn move_to(&mut self, name: &str) {
        self.edit_spec(|spec| spec.target.name = Some(name.into()));
        self.settle();
    }

    fn has(&self, name: &str) -> bool {
        self.cluster.secrets.contains_key(name)
    }

    fn notes(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.events);
        events.into_iter().map(|event| event.note).collect()
    }
}

#[test]
fn a_moved_target_is_kept_while_a_pod_uses_it() {
    let mut world = World::ready();
    world.pods = Some(vec![
        pod("web-1", TARGET),
        pod("web-2", TARGET),
        pod("other", "other"),
    ]);
    let costs = world.cost_of(|world| world.move_to("moved"));
    assert_eq!((costs.pod_lists, costs.deletes, costs.exchanges), (1, 0, 0));
    assert_eq!(world.status.previous_targets, [TARGET]);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(
        world.notes(),
        [
            "Secret \"cubewire-token\" is kept for pod \"web-1\" and 1 more, but not refreshed: mount Secret \"moved\" instead"
        ]
    );
    // The pods are listed every ten minutes, also after the token has expired, and nothing is said again.
    let costs = world.cost_of(|world| world.pass(seconds(7200)));
    assert!((10..=13).contains(&costs.pod_lists), "{costs:?}");
    assert!(world.has(TARGET) && world.notes().is_empty());
    world.pods = Some(Vec::new());
    world.pass(seconds(600));
    assert!(!world.has(TARGET));
    assert!(world.status.previous_targets.is_empty());
    assert_eq!(
        world.notes(),
        ["Secret \"cubewire-token\" was deleted, because spec.target.name is now \"moved\""]
    );
    assert_eq!(
        world.cost_of(|world| world.pass(seconds(7200))).pod_lists,
        0
    );
}

#[test]
fn pods_that_were_listed_before_a_clock_was_set_back_are_listed_again() {
    let mut world = World::ready();
    world.pods = Some(vec![pod("web-1", TARGET)]);
    world.move_to("moved");
    world.now -= seconds(600);
    assert_eq!(world.cost_of(World::settle).pod_lists, 1);
    assert!(world.has(TARGET));
}

#[test]
fn where_pods_are_not_known_a_moved_target_is_kept_until_its_token_expires() {
    let mut world = World::ready();
    world.pods = None;
    let expires_at = world.status.expires_at.unwrap();
    world.move_to("moved");
    assert_eq!(world.take_events(), [EventKind::TargetKept]);
    while world.now < expires_at {
        assert!(world.has(TARGET));
        world.wake();
    }
    assert!(!world.has(TARGET));
    assert_eq!(world.now, expires_at, "not later either");
}

#[test]
fn each_of_several_earlier_targets_goes_when_its_own_pods_do() {
    let mut world = World::ready();
    world.pods = Some(vec![pod("web-1", TARGET), pod("web-2", "second")]);
    world.move_to("second");
    world.move_to("third");
    assert_eq!(world.status.previous_targets, [TARGET, "second"]);
    world.pods.as_mut().unwrap().pop();
    world.pass(seconds(600));
    assert_eq!(world.status.previous_targets, [TARGET]);
    // It comes back, with the present token.
    world.wake();
    let token = world.token().unwrap().to_owned();
    world.move_to(TARGET);
    assert_eq!(world.token(), Some(&*token));
    assert!(!world.has("third"));
    assert!(world.status.previous_targets.is_empty());
}

//! Templates: the target in the shape of its consumer, and the token that they hide.

mod kept;
mod response;

use serde_json::json;

use super::{
    cluster::{Fault, Stored},
    provider::refresh_token,
    world::{Costs, RECORD, STATE, TARGET, UID, World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, annotation},
    reconcile::{Action, EventKind, SourceValue, fingerprint},
};

const HEADER: &str = "Authorization: Bearer {{ access_token }}";
const COMPANY: &str = "{{ response.company_id }} {{ access_token }}";

impl World {
    fn template(&mut self, key: &str, template: &str) {
        self.edit_spec(|spec| spec.target.data = [(key.into(), template.into())].into());
    }

    fn without_templates(&mut self) {
        self.edit_spec(|spec| spec.target.data.clear());
    }

    fn respond_with(&mut self, fields: serde_json::Value) {
        self.provider.fields = serde_json::from_value(fields).unwrap();
    }

    fn data(&self) -> Vec<(&str, &str)> {
        let data = self.cluster.secrets[TARGET].data.iter();
        data.map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }

    fn has_record(&self) -> bool {
        self.cluster.secrets.contains_key(RECORD)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready_is() == (ConditionStatus::True, "Synced".to_owned())
    }
}

/// A credential whose target is one header, with a token of an hour.
fn rendered() -> World {
    let mut world = World::new();
    world.template("header", HEADER);
    world.settle();
    assert!(world.is_ready(), "{:?}", world.status);
    assert_eq!(
        world.data(),
        [("header", "Authorization: Bearer S3CRET-token-0")]
    );
    world.events.clear();
    world.costs = Costs::default();
    world
}

/// The same with a stored refresh token.
fn rendered_login() -> World {
    let mut world = World::signed_in();
    world.template("header", HEADER);
    world.settle();
    assert!(world.is_ready(), "{:?}", world.status);
    assert!(!world.has_record());
    world.events.clear();
    world.costs = Costs::default();
    world
}

#[test]
fn a_first_token_is_recorded_before_it_is_published() {
    let mut world = World::new();
    world.template("header", HEADER);
    let costs = world.cost_of(World::settle);
    assert_eq!(
        costs,
        Costs {
            source_reads: 1,
            record_reads: 1,
            exchanges: 1,
            records: 1,
            publishes: 1,
            reports: 1,
            ..Costs::default()
        }
    );
}

#[test]
fn a_refresh_writes_the_record_and_the_target() {
    let mut world = rendered();
    let costs = world.cost_of(World::wake);
    assert_eq!(
        costs,
        Costs {
            source_reads: 1,
            exchanges: 1,
            records: 1,
            publishes: 1,
            reports: 1,
            ..Costs::default()
        }
    );
    assert!(world.is_ready());
}

#[test]
fn other_templates_need_no_exchange() {
    for mut world in [rendered(), rendered_login()] {
        world.restart();
        world.template("token", "{{ access_token }}");
        let costs = world.cost_of(World::settle);
        assert_eq!((costs.exchanges, costs.publishes), (0, 1));
        assert_eq!(world.data()[0].0, "token");
        assert_eq!(world.data().len(), 1);
        assert!(world.is_ready());
        assert_eq!(world.take_events(), []);
    }
}

#[test]
fn templates_that_need_nothing_else_render_a_token_that_was_published_without_them() {
    let mut world = World::ready();
    world.template("header", HEADER);
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.records, costs.publishes), (0, 1, 1));
    assert_eq!(
        world.data(),
        [("header", "Authorization: Bearer S3CRET-token-0")]
    );
}

#[test]
fn without_templates_the_token_is_bare_again_and_the_record_is_deleted() {
    let mut world = rendered();
    world.restart();
    world.without_templates();
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.deletes), (0, 1));
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(!world.has_record() && world.is_ready());
    assert_eq!(world.data().len(), 3);
}

#[test]
fn a_restart_with_templates_reads_nothing() {
    for mut world in [rendered(), rendered_login()] {
        world.now += seconds(600);
        world.restart();
        assert_eq!(world.cost_of(World::settle), Costs::default());
    }
}

#[test]
fn an_edited_or_deleted_target_is_repaired_without_an_exchange() {
    for restarts in [false, true] {
        for mut world in [rendered(), rendered_login()] {
            let before = world.data()[0].1.to_owned();
            world.cluster.edit(TARGET, |target| {
                target.data.insert("header".into(), "edited".into());
            });
            if restarts {
                world.restart();
            }
            let costs = world.cost_of(World::settle);
            assert_eq!((costs.exchanges, costs.publishes), (0, 1));
            assert_eq!(world.data(), [("header", before.as_str())]);
            assert_eq!(world.take_events(), [EventKind::TargetRepaired]);

            world.cluster.secrets.remove(TARGET);
            if restarts {
                world.restart();
            }
            let costs = world.cost_of(World::settle);
            assert_eq!((costs.exchanges, costs.publishes), (0, 1));
            assert_eq!(world.data(), [("header", before.as_str())]);
            assert!(world.is_ready());
        }
    }
}

#[test]
fn a_key_that_others_add_stays() {
    let mut world = rendered();
    world.cluster.edit(TARGET, |target| {
        target.data.insert("theirs".into(), "1".into());
    });
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.target_reads, costs.publishes), (1, 0));
}

#[test]
fn a_moved_target_takes_its_token_along() {
    for mut world in [rendered(), rendered_login()] {
        let before = world.data()[0].1.to_owned();
        world.restart();
        world.edit_spec(|spec| spec.target.name = Some("moved".into()));
        let costs = world.cost_of(World::settle);
        assert_eq!((costs.exchanges, costs.publishes), (0, 1));
        assert_eq!(world.cluster.secrets["moved"].data["header"], before);
    }
}

#[test]
fn a_process_that_ends_before_it_publishes_leaves_the_token_to_the_next_one() {
    for ends_before in [
        (|action: &Action| matches!(action, Action::Publish(_))) as fn(&Action) -> bool,
        |action| matches!(action, Action::Report { .. }),
    ] {
        let mut world = World::new();
        world.template("header", HEADER);
        world.ends_before = Some(ends_before);
        assert!(world.try_settle().is_err());
        world.restart();
        world.settle();
        assert_eq!(world.costs.exchanges, 1);
        assert!(world.is_ready());

        // A refresh.
        world.now = world.wake_at.unwrap();
        world.ends_before = Some(ends_before);
        assert!(world.try_settle().is_err());
        world.restart();
        world.settle();
        assert_eq!(world.costs.exchanges, 2);
        assert_eq!(
            world.data(),
            [("header", "Authorization: Bearer S3CRET-token-1")]
        );
    }
}

#[test]
fn a_rendered_target_says_which_keys_and_which_token_it_has() {
    let world = rendered();
    let annotations = &world.cluster.secrets[TARGET].annotations;
    assert_eq!(annotations["cube-operator.dev/keys"], "header");
    assert_eq!(
        annotations["cube-operator.dev/token-fingerprint"],
        fingerprint(&"S3CRET-token-0".into())
    );
    assert_eq!(
        world.status.token_fingerprint.as_ref(),
        annotations.get("cube-operator.dev/token-fingerprint")
    );
}

#[test]
fn a_rendered_token_that_was_published_unproven_is_probed_on() {
    for mut world in [World::new(), World::signed_in()] {
        world.template("header", HEADER);
        let probe = json!({"url": "https://api.cubewire.com/api/v1/me"});
        world.edit_spec(|spec| spec.probe = Some(serde_json::from_value(probe).unwrap()));
        world.api_otherwise = Ok(403);
        world.settle();
        world.pass(seconds(600));
        assert!(world.status.unproven, "{:?}", world.status);
        world.restart();
        world.settle();
        let probes = world.probed.len();
        world.pass(seconds(1200));
        assert!(world.probed.len() > probes);
        world.api_otherwise = Ok(200);
        world.pass(seconds(3600));
        assert!(world.is_ready() && !world.status.unproven);
    }
}

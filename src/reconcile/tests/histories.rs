//! Random histories of days: whatever happens, what must hold holds, and once all is well again the credential is ready.
//!
//! The world itself checks at every step that decisions end, that no exchange is made while it may not be, that no
//! foreign Secret is touched, that no older token replaces a newer one, and that no secret shows.

mod distance;

use proptest::prelude::*;

use super::{
    cluster::{Fault, Stored},
    provider::{Response, issue},
    refusals::{bundle, ca_bundle_ref},
    world::{Costs, UID, World, seconds},
};
use crate::{
    api::{ConditionStatus, CubeCredentialStatus, DeletionPolicy, Reason, annotation, label},
    reconcile::{CaBundle, Settings},
};
use distance::pass;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    Pass(i64),
    Describe,
    Scope(u8),
    Suspend(bool),
    Move(u8),
    Retype(u8),
    Policy(bool),
    Secret(u8),
    TouchSource,
    LabelSource(bool),
    DeleteSource,
    TrustBundle(Option<u8>),
    Rival(bool),
    Request(u8),
    Responds(Response),
    Accept(Option<u8>),
    Latency(i64),
    DeleteTarget,
    DamageTarget,
    UnlabelTarget,
    Foreign,
    Predecessor,
    WipeStatus,
    Restart,
    Faults(Vec<Option<Fault>>),
}

fn response() -> impl Strategy<Value = Response> {
    let lifetime = prop::sample::select(vec![1, 5, 13, 60, 600, 3600, 36000]);
    let reasons: Vec<Reason> = Reason::ALL
        .into_iter()
        .filter(|reason| reason.is_exchange_failure() && *reason != Reason::RefreshTokenLost)
        .chain([Reason::HostNotAllowed])
        .collect();
    let refusal = (
        prop::sample::select(reasons),
        prop::option::of(10..3600_i64),
    );
    prop_oneof![
        2 => lifetime.prop_map(issue),
        1 => Just(Response::Issue { lifetime: None, scopes: vec!["read".into()], narrowed: true, ahead: 90 }),
        2 => refusal.prop_map(|(reason, pause)| Response::Refuse {
            reason,
            pause: pause.filter(|_| matches!(reason, Reason::RateLimited | Reason::Unavailable)),
        }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let fault = prop::sample::select(vec![
        None,
        Some(Fault::Lost),
        Some(Fault::Unanswered),
        Some(Fault::Refused),
    ]);
    prop_oneof![
        4 => (1..60_i64).prop_map(Event::Pass),
        4 => (60..8_000_i64).prop_map(Event::Pass),
        1 => Just(Event::Describe),
        1 => (0..2_u8).prop_map(Event::Scope),
        1 => any::<bool>().prop_map(Event::Suspend),
        1 => (0..3_u8).prop_map(Event::Move),
        1 => (0..2_u8).prop_map(Event::Retype),
        1 => any::<bool>().prop_map(Event::Policy),
        2 => (0..3_u8).prop_map(Event::Secret),
        1 => Just(Event::TouchSource),
        1 => any::<bool>().prop_map(Event::LabelSource),
        1 => Just(Event::DeleteSource),
        1 => prop::option::of(0..3_u8).prop_map(Event::TrustBundle),
        1 => any::<bool>().prop_map(Event::Rival),
        1 => (0..4_u8).prop_map(Event::Request),
        4 => response().prop_map(Event::Responds),
        2 => prop::option::of(0..3_u8).prop_map(Event::Accept),
        1 => (0..31_i64).prop_map(Event::Latency),
        1 => Just(Event::DeleteTarget),
        1 => Just(Event::DamageTarget),
        1 => Just(Event::UnlabelTarget),
        1 => Just(Event::Foreign),
        1 => Just(Event::Predecessor),
        1 => Just(Event::WipeStatus),
        2 => Just(Event::Restart),
        3 => prop::collection::vec(fault, 1..5).prop_map(Event::Faults),
    ]
}

fn target_name(world: &World) -> String {
    Settings::target_name("cubewire", &world.spec)
}

fn happen(world: &mut World, event: Event) {
    let name = target_name(world);
    match event {
        Event::Pass(span) => return pass(world, span),
        Event::Describe => world.edit_spec(|spec| spec.description = None),
        Event::Scope(n) => world.edit_spec(|spec| spec.scopes = vec![format!("scope-{n}")]),
        Event::Suspend(suspend) => world.edit_spec(|spec| spec.suspend = suspend),
        Event::Move(n) => world.edit_spec(|spec| spec.target.name = Some(format!("target-{n}"))),
        Event::Retype(n) => world.edit_spec(|spec| spec.target.r#type = format!("example.com/{n}")),
        Event::Policy(keep) => world.edit_spec(|spec| {
            spec.target.deletion_policy = Some(if keep {
                DeletionPolicy::Retain
            } else {
                DeletionPolicy::Delete
            });
        }),
        Event::Secret(n) => world.put_source(&format!("S3CRET-{n}")),
        Event::TouchSource | Event::LabelSource(_) if world.source.is_none() => {}
        Event::TouchSource => world.edit_source(|_| {}),
        Event::LabelSource(labelled) => world.edit_source(|source| source.labelled = labelled),
        Event::DeleteSource => world.source = None,
        Event::TrustBundle(None) => world.edit_spec(|spec| spec.ca_bundle_ref = None),
        Event::TrustBundle(Some(n)) => {
            world.edit_spec(|spec| spec.ca_bundle_ref = Some(ca_bundle_ref()));
            world.put_ca_bundle(match n {
                0 => CaBundle::of(b"no certificate"),
                n => bundle(usize::from(n) - 1),
            });
        }
        Event::Rival(rival) => world.rival = rival.then(|| "older".into()),
        Event::Request(n) => world.request = (n > 0).then(|| n.to_string()),
        Event::Responds(response) => world.provider.otherwise = response,
        Event::Accept(n) => world.provider.accepts = n.map(|n| format!("S3CRET-{n}")),
        Event::Latency(latency) => world.provider.latency = latency,
        Event::DeleteTarget => drop(world.cluster.secrets.remove(&name)),
        Event::DamageTarget => world.cluster.edit(&name, |secret| {
            secret.data.insert("access-token".into(), "edited".into());
        }),
        Event::UnlabelTarget => world.cluster.edit(&name, |secret| {
            secret.labels.remove(label::MANAGED);
        }),
        Event::Foreign => world.cluster.create(&name, Stored::default()),
        Event::Predecessor => world.cluster.edit(&name, |secret| {
            if secret.annotations.contains_key(annotation::OWNER_UID) {
                secret
                    .annotations
                    .insert(annotation::OWNER_UID.into(), "predecessor".into());
                secret.owner_lives = false;
            }
        }),
        Event::WipeStatus => world.status = CubeCredentialStatus::default(),
        Event::Restart => world.restart(),
        Event::Faults(faults) => world.cluster.faults = faults.into(),
    }
    settle(world);
}

/// As the controller after errors of the API server.
fn settle(world: &mut World) {
    for _ in 0..10 {
        if world.try_settle().is_ok() {
            return;
        }
        world.now += seconds(1);
    }
    panic!("writes work again, and the world does not settle");
}

/// Nothing is in the way any more, except what the operator itself waits for.
fn mend(world: &mut World) {
    world.cluster.faults.clear();
    world.provider.otherwise = issue(3600);
    world.provider.accepts = None;
    world.rival = None;
    world.edit_spec(|spec| spec.suspend = false);
    if world.spec.ca_bundle_ref.is_some() {
        world.put_ca_bundle(bundle(0));
    }
    if world.source.as_ref().is_none_or(|source| !source.labelled) {
        world.put_source("S3CRET-0");
    }
    let name = target_name(world);
    let ours = |secret: &Stored| secret.annotations.contains_key(annotation::OWNER_UID);
    if world
        .cluster
        .secrets
        .get(&name)
        .is_some_and(|secret| !ours(secret))
    {
        world.cluster.secrets.remove(&name);
    }
    // A person gives it what a predecessor left.
    world.cluster.edit(&name, |secret| {
        secret
            .annotations
            .insert(annotation::ADOPTABLE_BY.into(), UID.into());
    });
    settle(world);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_it_ends_ready(history in prop::collection::vec(event(), 1..50)) {
        let mut world = World::new();
        settle(&mut world);
        for event in history {
            happen(&mut world, event);
        }
        mend(&mut world);
        // A foreign Secret is looked for every minute, and a pause that the provider asked for ends after an hour; the rest was
        // changed, which is followed by an attempt immediately.
        pass(&mut world, 3680);
        prop_assert_eq!(world.ready_is().0, ConditionStatus::True, "{:?}", world.status);
        prop_assert_eq!(world.refreshed_is().0, ConditionStatus::True, "{:?}", world.status);
        let name = target_name(&world);
        let ours = world.cluster.watched().filter(|(_, secret)| {
            secret.annotations.get(annotation::OWNER_UID).is_some_and(|uid| uid == UID)
        });
        let ours: Vec<_> = ours.map(|(name, _)| name).collect();
        prop_assert_eq!(ours, [&name], "no other target is left");
        let costs = world.cost_of(World::settle);
        prop_assert_eq!(costs, Costs::default());
    }

    /// A provider that comes back is noticed within the longest delay, although nothing changes in the cluster.
    #[test]
    fn a_provider_that_comes_back_is_noticed(responses in prop::collection::vec((response(), 1..20_000_i64), 1..20)) {
        let mut world = World::new();
        settle(&mut world);
        for (response, span) in responses {
            world.provider.otherwise = match response {
                // A wrong value is retried only after a change, and days of such short tokens would take long to
                // simulate.
                Response::Refuse {
                    reason: Reason::ClientKeyInvalid | Reason::ClientSecretMalformed | Reason::RefreshTokenRejected, ..
                } | Response::Issue { lifetime: Some(..600), .. } => continue,
                response => response,
            };
            pass(&mut world, span);
        }
        world.provider.otherwise = issue(3600);
        pass(&mut world, 4320 + 1);
        prop_assert_eq!(world.ready_is().0, ConditionStatus::True, "{:?}", world.status);
        prop_assert_eq!(world.refreshed_is().0, ConditionStatus::True, "{:?}", world.status);
    }
}

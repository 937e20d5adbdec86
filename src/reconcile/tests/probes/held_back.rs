//! A token that its API does not accept, beside one that lives.

use jiff::Timestamp;

use super::{is_held_back, new_login, probe_at, ready, refused, settled, unreachable};
use crate::{
    api::{ConditionStatus, ConditionType::Ready, Reason},
    reconcile::{
        Budget, EventKind,
        tests::{
            model::process::Process,
            provider::issue,
            world::{TARGET, World, seconds},
        },
    },
};

#[test]
fn consumers_keep_the_token_before_while_it_lives() {
    let mut world = refused();
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(is_held_back(&world));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(
        world.message(Ready),
        "token in Secret \"cubewire-token\" is valid until 2026-11-21T11:00:00Z, but refresh is failing (ProbeFailed): consumers \
         lose access then unless this is fixed"
    );
    assert_eq!(
        world.take_events(),
        [EventKind::Failed(Reason::ProbeFailed)]
    );
    world.api_otherwise = Ok(200);
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.take_events(), [EventKind::Recovered]);
}

#[test]
fn no_retry_of_a_probe_requests_a_token() {
    let mut world = ready();
    world.api_otherwise = Ok(403);
    // The last hour of tokens of ten hours.
    world.provider.otherwise = issue(36_000);
    world.request = Some("one".into());
    world.settle();
    world.pass(seconds(3_000));
    assert_eq!(world.costs.exchanges, 1);
    let at = |index: usize| {
        world.probed[index]
            .0
            .duration_since(world.probed[0].0)
            .as_secs()
    };
    assert!((8..=12).contains(&at(1)), "{}", at(1));
    assert!(world.probed.len() >= 7, "{:?}", world.probed);
    assert!(
        world
            .probed
            .iter()
            .all(|(_, token)| token == "S3CRET-token-1")
    );
    let gaps: Vec<_> = world
        .probed
        .windows(2)
        .map(|pair| pair[1].0.duration_since(pair[0].0))
        .collect();
    assert!(gaps.iter().all(|gap| *gap >= seconds(5)), "{gaps:?}");
}

#[test]
fn it_is_published_unproven_in_time_before_the_token_before_ends() {
    let mut world = refused();
    // So long before its end, because a kubelet takes a while to bring the new one into pods.
    let end: Timestamp = "2026-11-21T10:58:30Z".parse().unwrap();
    world.pass(end.duration_since(world.now) - seconds(1));
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    world.pass(seconds(1));
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert!(world.status.unproven);
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn an_api_that_is_down_delays_a_token_until_the_third_failure_only() {
    let down = [408, 425, 429, 500, 503].map(Ok);
    for response in down.into_iter().chain([Err(unreachable())]) {
        let mut world = ready();
        world.api_otherwise = response.clone();
        world.wake();
        world.wake();
        assert!(is_held_back(&world), "{response:?}");
        assert_eq!(world.token(), Some("S3CRET-token-0"));
        world.wake();
        assert_eq!(world.probed.len(), 3);
        assert_eq!(world.token(), Some("S3CRET-token-1"), "{response:?}");
        assert!(world.status.unproven);
        world.api_otherwise = Ok(200);
        world.wake();
        assert!(!world.status.unproven);
        assert_eq!((world.probed.len(), world.costs.exchanges), (4, 1));
    }
}

/// The API goes down, and the fourth probe fails too.
fn goes_down(mut world: World) -> World {
    world.api_otherwise = Ok(503);
    for _ in 0..4 {
        world.wake();
    }
    world
}

#[test]
fn a_refusal_is_not_forgotten_because_the_api_goes_down() {
    let world = goes_down(refused());
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(is_held_back(&world));
}

#[test]
fn where_the_network_is_hidden_every_failure_holds_it_back() {
    let mut world = ready();
    world.hides_network_detail = true;
    let world = goes_down(world);
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(is_held_back(&world));
}

#[test]
fn a_change_of_the_targets_name_publishes_it_no_earlier() {
    let mut world = refused();
    world.edit_spec(|spec| spec.target.name = Some("renamed".into()));
    world.settle();
    world.pass(seconds(120));
    assert!(world.probed.len() >= 4, "{:?}", world.probed);
    assert_eq!(world.token(), None);
    assert!(world.cluster.secrets.contains_key(TARGET));
    assert_eq!(world.costs.exchanges, 1);
    world.api_otherwise = Ok(200);
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-1"));
}

#[test]
fn its_own_refresh_replaces_it() {
    let mut world = ready();
    // The token before outlives it.
    world.provider.otherwise = issue(300);
    world.api_otherwise = Ok(403);
    world.request = Some("one".into());
    world.settle();
    assert!(is_held_back(&world));
    world.pass(seconds(300));
    assert_eq!(world.costs.exchanges, 2);
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert_eq!(world.probed.last().unwrap().1, "S3CRET-token-2");
}

#[test]
fn a_change_of_the_probe_tries_it_again_immediately_and_a_removal_publishes_it() {
    for fixed in [Some("https://api.cubewire.com/health"), None] {
        let mut world = refused();
        world.now += seconds(5);
        world.api_otherwise = Ok(200);
        let probes = world.probed.len() + usize::from(fixed.is_some());
        world.edit_spec(|spec| match fixed {
            Some(url) => probe_at(url, spec),
            None => spec.probe = None,
        });
        world.settle();
        assert_eq!(world.token(), Some("S3CRET-token-1"));
        assert_eq!((world.probed.len(), world.costs.exchanges), (probes, 1));
    }
}

#[test]
fn no_author_makes_the_operator_send_more_than_one_probe_in_five_seconds() {
    let mut world = refused();
    let begin = world.now;
    let probes = world.probed.len();
    for edit in 0..60 {
        world.edit_spec(|spec| {
            probe_at(&format!("https://api.cubewire.com/{edit}"), spec);
        });
        world.settle();
        world.now += seconds(1);
    }
    let sent = world.probed.len() - probes;
    let most = world.now.duration_since(begin).as_secs() / 5 + 1;
    assert!(i64::try_from(sent).unwrap() <= most, "{sent}");
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn a_refresh_request_tries_it_again_immediately_and_is_served_by_one_exchange() {
    let mut world = refused();
    world.now += seconds(5);
    world.probed.clear();
    world.api.push_back(Ok(403));
    world.api_otherwise = Ok(200);
    world.request = Some("one".into());
    world.settle();
    let tokens: Vec<_> = world
        .probed
        .iter()
        .map(|(_, token)| token.as_str())
        .collect();
    assert_eq!(tokens, ["S3CRET-token-1", "S3CRET-token-2"]);
    assert_eq!(world.token(), Some("S3CRET-token-2"));
    assert_eq!(world.status.refresh_request.as_deref(), Some("one"));
    assert_eq!(world.costs.exchanges, 2);
}

#[test]
fn another_change_of_the_spec_leaves_the_token_before_ready() {
    let mut world = refused();
    world.edit_spec(|spec| spec.refresh_before = "6m".into());
    world.settle();
    assert!(is_held_back(&world));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn a_new_client_secret_is_used_immediately() {
    let mut world = refused();
    world.put_source("S3CRET-2");
    world.settle();
    assert_eq!(world.costs.exchanges, 2);
    assert_eq!(world.probed.last().unwrap().1, "S3CRET-token-2");
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    world.api_otherwise = Ok(200);
    world.wake();
    assert_eq!(world.token(), Some("S3CRET-token-2"));
}

#[test]
fn a_new_process_requests_one_token_in_its_place() {
    let mut world = refused();
    world.restart();
    world.settle();
    assert_eq!(world.costs.exchanges, 2);
    assert_eq!(world.token(), Some("S3CRET-token-0"));
    assert!(is_held_back(&world));
}

#[test]
fn the_access_token_of_a_login_is_in_the_state_and_is_tried_again_by_a_new_process() {
    let mut world = new_login();
    world.provider.logins.rules.rotates = false;
    let mut world = settled(world);
    let before = world.token().map(str::to_owned);
    world.api_otherwise = Ok(403);
    world.request = Some("one".into());
    world.settle();
    assert!(is_held_back(&world));
    assert_eq!(world.token().map(str::to_owned), before);
    let probes = world.probed.len();
    world.restart();
    world.settle();
    assert_eq!((world.probed.len(), world.costs.exchanges), (probes + 1, 1));
    assert!(is_held_back(&world));
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.api_otherwise = Ok(200);
    world.wake();
    assert_ne!(world.token().map(str::to_owned), before);
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn a_provider_that_replaces_refresh_tokens_has_revoked_the_token_before() {
    let mut world = settled(new_login());
    let before = world.token().map(str::to_owned);
    world.api_otherwise = Ok(403);
    world.wake();
    assert_eq!(world.token().map(str::to_owned), before);
    assert!(is_held_back(&world));
    world.wake();
    world.wake();
    assert_eq!(world.probed.len(), 3);
    assert_ne!(world.token().map(str::to_owned), before);
    assert!(world.status.unproven);
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn a_deleted_target_gets_it_without_another_exchange() {
    let mut world = refused();
    world.wake();
    world.wake();
    world.cluster.secrets.clear();
    World::settle(&mut world);
    assert_eq!(world.token(), Some("S3CRET-token-1"));
    assert!(world.status.unproven);
    assert_eq!(world.costs.exchanges, 1);
}

#[test]
fn a_failure_of_a_token_that_another_process_has_proven_does_not_count() {
    let mut world = ready();
    world.api_otherwise = Ok(503);
    world.wake();
    world.wake();
    assert!(is_held_back(&world));
    // The other process publishes the token, and this one learns it from the watch.
    let mut another = Process::new("another", Budget::new(seconds(0), Timestamp::MIN));
    std::mem::swap(&mut world.process, &mut another);
    world.api_otherwise = Ok(200);
    world.request = Some("another".into());
    world.settle();
    let published = world.token().map(str::to_owned);
    std::mem::swap(&mut world.process, &mut another);
    world.api_otherwise = Ok(503);
    world.request = Some("once more".into());
    world.settle();
    world.wake();
    assert_eq!(world.token().map(str::to_owned), published);
}

use std::collections::BTreeMap;

use futures::stream::{once, pending};

use super::*;

fn of(namespace: &str, name: &str) -> Change {
    Change::One(ProviderKind::CubeProvider, ObjectKey::new(namespace, name))
}

fn one(name: &str) -> Change {
    of("treasury", name)
}

/// The users of a provider: as many as its name says.
fn users(change: &Change) -> Affected {
    let (namespace, count) = match change {
        Change::One(_, provider) | Change::Found(_, provider) => {
            (provider.namespace(), provider.name().parse().unwrap())
        }
        Change::All(_) => ("treasury", 10_000),
    };
    let key = |number: usize| ObjectKey::new(namespace, &format!("main-{number}"));
    (0..count).map(key).collect()
}

fn paced_changes(changes: Vec<Change>) -> impl Stream<Item = Affected> + Send + 'static {
    let never = once(pending::<Change>().into_future()).filter_map(async |(change, _)| change);
    paced(stream::iter(changes).chain(never).boxed(), users)
}

/// The numbers of credentials of each namespace in a group.
fn shares(group: &Affected) -> BTreeMap<&str, usize> {
    let mut shares = BTreeMap::new();
    for key in group {
        *shares.entry(key.namespace()).or_default() += 1;
    }
    shares
}

#[tokio::test(start_paused = true)]
async fn the_users_of_a_provider_follow_in_groups() {
    let begun = instant();
    let groups = paced_changes(vec![one("10000"), one("1")]);
    let groups: Vec<_> = groups.take(201).collect().await;
    assert!(groups.iter().all(|group| group.len() <= GROUP));
    assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 10_001);
    assert_eq!(instant() - begun, BETWEEN_GROUPS * 200);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_with_many_providers_delays_no_other_namespace() {
    let mut changes: Vec<_> = (1000..2000)
        .map(|users| of("greedy", &users.to_string()))
        .collect();
    changes.push(of("quiet", "20"));
    let begun = instant();
    let mut groups = Box::pin(paced_changes(changes));
    let mut quiet = 0;
    while quiet < 20 {
        let group = groups.next().await.unwrap();
        quiet += shares(&group).get("quiet").unwrap_or(&0);
    }
    assert!(instant() - begun <= BETWEEN_GROUPS);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_changes_during_its_round_waits_for_its_end_and_its_rest() {
    let changes = vec![one("200"); 1000];
    let begun = instant();
    let groups: Vec<_> = paced_changes(changes).take(5).collect().await;
    assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 250);
    assert_eq!(instant() - begun, BETWEEN_GROUPS * 3 + REST);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_changes_in_a_loop_has_one_round_and_after_its_rest_another() {
    let begun = instant();
    let groups = paced_changes(vec![one("3"); 1000]);
    let groups: Vec<_> = groups.take(2).collect().await;
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    assert_eq!(instant() - begun, REST);
}

#[tokio::test(start_paused = true)]
async fn those_that_waited_for_the_first_list_follow_together() {
    let begun = instant();
    let mut groups = Box::pin(paced_changes(vec![Change::All(ProviderKind::CubeProvider)]));
    assert_eq!(groups.next().await.map(|group| group.len()), Some(10_000));
    assert_eq!(instant() - begun, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn those_that_waited_for_the_certificates_of_a_provider_follow_together() {
    let begun = instant();
    let provider = ObjectKey::new("", "10000");
    let found = Change::Found(ProviderKind::ClusterCubeProvider, provider);
    let mut groups = Box::pin(paced_changes(vec![found]));
    assert_eq!(groups.next().await.map(|group| group.len()), Some(10_000));
    assert_eq!(instant() - begun, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_names_another_config_map_gets_no_further_round_before_its_rest_is_over() {
    let provider = ObjectKey::new("", "10000");
    let kind = ProviderKind::ClusterCubeProvider;
    let changes = vec![
        Change::One(kind, provider.clone()),
        Change::Found(kind, provider),
    ];
    let mut groups = Box::pin(paced_changes(changes));
    for _ in 0..3 {
        let group = groups.next().await.unwrap();
        assert!(group.len() <= GROUP, "{}", group.len());
    }
}

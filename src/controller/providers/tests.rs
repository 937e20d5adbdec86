use futures::stream::{once, pending};

use super::*;

fn one(name: &str) -> Change {
    Change::One(ProviderKind::CubeProvider, ObjectKey::new("treasury", name))
}

/// The users of a provider: as many as its name says.
fn users(change: &Change) -> Affected {
    let count = match change {
        Change::One(_, provider) => provider.name.parse().unwrap(),
        Change::All(_) => 10_000,
    };
    let key = |number: usize| ObjectKey::new("treasury", &format!("main-{number}"));
    (0..count).map(key).collect()
}

fn paced_changes(changes: Vec<Change>) -> impl Stream<Item = Affected> + Send + 'static {
    let never = once(pending::<Change>().into_future()).filter_map(async |(change, _)| change);
    paced(stream::iter(changes).chain(never).boxed(), users)
}

#[tokio::test(start_paused = true)]
async fn the_users_of_a_provider_follow_in_groups_and_no_provider_waits_for_another() {
    let begun = instant();
    let groups = paced_changes(vec![one("10000"), one("1")]);
    let groups: Vec<_> = groups.take(201).collect().await;
    let sizes: Vec<_> = groups.iter().map(Vec::len).collect();
    assert_eq!(sizes[..4], [50, 50, 1, 50], "they take turns");
    assert_eq!(sizes.iter().sum::<usize>(), 10_001);
    assert_eq!(instant() - begun, BETWEEN_GROUPS * 200);
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

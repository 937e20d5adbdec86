use super::*;
use crate::{controller::tests::reconciler_that, leader::Leadership};

/// Returns whether all credentials that name an object are reconciled after so many failures to list them.
async fn are_reconciled_after(failures: usize) -> bool {
    let reconciler = Arc::new(reconciler_that(Leadership::alone()));
    let failure = || {
        Err(WatchFailure {
            error: "planted".into(),
            lasts: true,
            refused: false,
        })
    };
    // A list in pages begins with an event.
    let events = (0..failures).flat_map(move |_| [Ok(Event::Init), failure()]);
    let changes = changes::<CubeProvider>(&reconciler, stream::iter(events));
    let changes: Vec<_> = changes.collect().await;
    matches!(changes[..], [Change::All(ProviderKind::CubeProvider)])
}

#[tokio::test]
async fn a_list_that_keeps_failing_is_reported_by_those_that_need_it() {
    assert!(!are_reconciled_after(REPORTED_FAILURES - 1).await);
    assert!(are_reconciled_after(REPORTED_FAILURES).await);
}

//! The slots for reads of metadata. An issuer that does not respond holds one for half a minute, so a namespace gets only few of them,
//! and a free one goes to the namespace with the fewest.

use std::sync::Mutex;

use tokio::sync::oneshot::{self, Sender};

use crate::{clock::now, controller::fair::Fair, lock::lock};

/// The most reads at the same time.
const MOST: usize = 8;
/// The most of them for the objects of a namespace, and for those of the cluster.
const MOST_OF_NAMESPACE: usize = 2;

#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<Fair<Waiting>>);

#[derive(Debug)]
struct Waiting {
    namespace: String,
    turn: Sender<()>,
}

/// A slot, which is free again when this is dropped.
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    namespace: &'a str,
}

impl Slots {
    /// Waits for a slot.
    pub(super) async fn take<'a>(&'a self, namespace: &'a str) -> Slot<'a> {
        let (turn, comes) = oneshot::channel();
        let waiting = Waiting {
            namespace: namespace.to_owned(),
            turn,
        };
        lock(&self.0).wait(namespace, now(), waiting);
        self.grant();
        comes.await.expect("each turn comes");
        Slot {
            slots: self,
            namespace,
        }
    }

    fn grant(&self) {
        let mut fair = lock(&self.0);
        while fair.in_progress() < MOST
            && let Some(Waiting { namespace, turn }) =
                fair.begin_next(|of_namespace| of_namespace < MOST_OF_NAMESPACE)
        {
            if turn.send(()).is_err() {
                // It waits no longer, because the process ends.
                fair.end(&namespace);
            }
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        lock(&self.slots.0).end(self.namespace);
        self.slots.grant();
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test]
    async fn namespaces_whose_issuers_hang_keep_no_other_from_a_slot_that_becomes_free() {
        let slots = Slots::default();
        let names = ["a", "b", "c", "d", "e"];
        let held = join_all(
            names[..4]
                .iter()
                .flat_map(|name| [name, name])
                .map(|name| slots.take(name)),
        );
        let mut held = held.now_or_never().expect("there are eight");
        let mut third = Box::pin(slots.take("a"));
        assert!((&mut third).now_or_never().is_none());
        let mut other = Box::pin(slots.take("e"));
        assert!((&mut other).now_or_never().is_none());
        drop(held.remove(0));
        assert!(
            third.now_or_never().is_none(),
            "it has one, and waits for another"
        );
        assert!(other.now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_namespace_gets_few_while_others_are_free() {
        let slots = Slots::default();
        let held = [slots.take("a").await, slots.take("a").await];
        let mut third = Box::pin(slots.take("a"));
        assert!((&mut third).now_or_never().is_none());
        assert!(slots.take("").now_or_never().is_some());
        drop(held);
        assert!(third.now_or_never().is_some());
    }
}

//! Reads the metadata of an issuer, if that is due.

use super::Work;
use crate::{
    clock::now,
    cluster::{ProviderId, Visited, discover},
    lock::lock,
    reconcile::{Discovery, DiscoveryFailure, Lookup, LookupStep, Named, ShownProvider},
};

impl Work {
    /// The next step for an object with an issuer that a credential names.
    pub(super) fn next_lookup<'a>(
        &self,
        id: &ProviderId,
        shown: &'a ShownProvider,
        named: Named,
    ) -> Option<(&'a Discovery, LookupStep)> {
        let wanted = shown.object.as_ref().ok()?.discovery()?;
        if named.credentials == 0 {
            return None;
        }
        let (kind, key) = id;
        let seed = format!("{}/{}/{}", kind.name(), key.namespace(), key.name());
        let of = (seed.as_str(), key.namespace());
        let is_suspected = self.board.is_suspected(id);
        let step = self.with_lookup(id, |lookup| {
            if is_suspected {
                lookup.suspect();
            }
            let mut budget = lock(&self.lookup_budget);
            lookup.step(wanted, of, &shown.status, &mut budget, now())
        });
        Some((wanted, step))
    }

    /// Reads the metadata of the issuer, after those that wait for a read already.
    pub(super) async fn look_up(&self, id: &ProviderId, wanted: Discovery) {
        let (_, key) = id;
        let _slot = self.lookup_slots.take(key.namespace()).await;
        // It may have waited for long, and the object may trust other certificates by now.
        if !self.leads() || !self.is_wanted(id, &wanted) {
            return;
        }
        let result = discover(&self.parts, &wanted).await;
        let failure = result.as_ref().err().cloned();
        self.board.looked_up(id);
        let is_another = self.with_lookup(id, |lookup| lookup.ended(wanted, result, now()));
        if let Some(failure) = failure.filter(|_| is_another) {
            log(id, &failure);
        }
    }

    fn is_wanted(&self, id: &ProviderId, wanted: &Discovery) -> bool {
        let Visited::Found(shown) = self.board.find(id) else {
            return false;
        };
        let object = shown.object.as_ref().ok();
        object.and_then(|object| object.discovery()) == Some(wanted)
    }

    /// Uses what is known of the lookups of an object. It is forgotten with the object.
    pub(super) fn with_lookup<T>(&self, id: &ProviderId, of: impl FnOnce(&mut Lookup) -> T) -> T {
        let mut lookups = lock(&self.lookups);
        let new = || Lookup::new(self.parts.hides_network_detail);
        of(lookups.entry(id.clone()).or_insert_with(new))
    }
}

fn log((kind, key): &ProviderId, failure: &DiscoveryFailure) {
    let (namespace, name, kind) = (key.namespace(), key.name(), kind.name());
    tracing::warn!(
        namespace,
        name,
        kind,
        "failed to find the endpoints of a provider object, retrying: {failure}"
    );
}

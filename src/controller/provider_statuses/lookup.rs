//! Reads the metadata of an issuer, if that is due.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Work;
use crate::{
    clock::now,
    cluster::{ProviderId, discover},
    lock::lock,
    reconcile::{DiscoveryFailure, Lookup, LookupStep, Named, ShownProvider},
};

impl Work {
    /// Reads the metadata of the issuer, if the object has one and a credential names it. Returns the delay of the next read.
    pub(super) async fn look_up(
        &self,
        id: &ProviderId,
        shown: &ShownProvider,
        named: Named,
        lookup: &mut Lookup,
    ) -> Option<Duration> {
        let wanted = shown.object.as_ref().ok()?.discovery()?;
        if named.credentials == 0 {
            return None;
        }
        let (kind, key) = id;
        let seed = format!("{}/{}/{}", kind.name(), key.namespace, key.name);
        let step = {
            let mut budget = lock(&self.lookup_budget);
            let of = (seed.as_str(), &*key.namespace);
            lookup.step(wanted, of, &shown.status, &mut budget, now())
        };
        if let LookupStep::Rest(until) = step {
            return Some(delay(until));
        }
        let result = discover(&self.parts, wanted).await;
        if let Err(failure) = &result
            && lookup.failure(wanted).map(|(before, _)| before) != Some(failure)
        {
            log(id, failure);
        }
        let result = match result {
            Err(failure) if self.parts.hides_network_detail => {
                Err(failure.without_network_detail())
            }
            result => result,
        };
        lookup.ended(wanted.clone(), result, now());
        Some(delay(lookup.due(wanted, &seed, &shown.status, now())))
    }
}

fn log((kind, key): &ProviderId, failure: &DiscoveryFailure) {
    let (namespace, name, kind) = (&*key.namespace, &*key.name, kind.name());
    tracing::warn!(
        namespace,
        name,
        kind,
        "failed to find the endpoints of a provider object, retrying: {failure}"
    );
}

fn delay(until: Timestamp) -> Duration {
    let left = until.duration_since(now());
    left.max(SignedDuration::ZERO).unsigned_abs()
}

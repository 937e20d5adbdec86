//! The Secret with the access token.

use super::Inspection;
use crate::{
    consumers::Consumers,
    reconcile::{
        case::{Inheritance, Inputs},
        finding::{Finding, TargetFact},
        target::EarlierUse,
    },
};

impl Inspection<'_> {
    /// The Secrets under earlier names of the target, and the pods that still use them.
    pub(crate) fn earlier_targets(&self, pods: Option<&Consumers>) -> Vec<Finding> {
        let target = &self.0.settings.target_name;
        let earlier = &self.0.observed.credential.status.previous_targets;
        let fact = |secret: &String| {
            let pod = pods.and_then(|pods| EarlierUse::of(pods, secret));
            Finding::notice(TargetFact::Earlier {
                secret: secret.clone(),
                target: target.clone(),
                pod,
            })
        };
        earlier.iter().map(fact).collect()
    }

    /// The Secret with the access token.
    pub(crate) fn target(&self) -> Finding {
        let case = &self.0;
        let retained = match case.inheritance() {
            Some(Inheritance::Refused(conflict)) => Some(conflict),
            Some(Inheritance::Unconfirmed(_) | Inheritance::Proven(_)) | None => None,
        };
        let conflict = case.older_rival().or_else(|| case.foreign_target());
        let conflict = conflict.or(retained);
        if let Some(conflict) = conflict {
            return Finding::bad(TargetFact::Conflict(conflict));
        }
        let secret = case.settings.target_name.clone();
        if case.target().is_none() {
            return Finding::bad(TargetFact::Absent { secret });
        }
        let Some(token) = case.token_on_target() else {
            return Finding::bad(TargetFact::Damaged { secret });
        };
        let expires_at = token.expires_at;
        if expires_at <= case.now {
            return Finding::bad(TargetFact::Expired {
                secret,
                expired_at: expires_at,
            });
        }
        if case.inputs(token) == Inputs::Changed {
            return Finding::notice(TargetFact::Outdated { secret, expires_at });
        }
        let keys = case.settings.target.data.keys().cloned().collect();
        Finding::good(TargetFact::Synced {
            secret,
            expires_at,
            keys,
        })
    }
}

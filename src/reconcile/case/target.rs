//! The facts of the target: the token at hand, and the one that consumers see.

use jiff::Timestamp;

use super::{Case, Inputs};
use crate::reconcile::{
    plan::Read,
    target::{Content, Kept, PodsSeen, TargetConflict, TargetOwner, TargetSecret},
    token::TokenMetadata,
};

/// The relation of this object to a Secret that a predecessor left.
#[derive(Debug)]
pub(in crate::reconcile) enum Inheritance {
    /// Something must be read first.
    Unconfirmed(Read),
    /// Its token was not issued for what the spec says now, as far as that can be seen.
    Refused(TargetConflict),
    /// It was. This is the uid of the Secret.
    Proven(String),
}

impl<'a> Case<'a> {
    /// The Secret by the target's name, if it is ours or was left by a predecessor.
    pub(in crate::reconcile) fn target(&self) -> Option<&'a TargetSecret> {
        let secret = self.observed.target.present()?;
        // Of two rivals, only the older one uses the target.
        let ours = self.observed.older_rival.is_none()
            && secret.owner(&self.observed.credential) != TargetOwner::Foreign;
        ours.then_some(secret)
    }

    /// Of two credentials with one target the older one has it.
    pub(in crate::reconcile) fn older_rival(&self) -> Option<TargetConflict> {
        Some(TargetConflict::OlderRival {
            rival: self.observed.older_rival.clone()?,
            target: self.settings.target_name.clone(),
        })
    }

    /// A Secret by the target's name that does not belong to this `CubeCredential`.
    pub(in crate::reconcile) fn foreign_target(&self) -> Option<TargetConflict> {
        let secret = self.observed.target.present()?;
        let foreign = secret.owner(&self.observed.credential) == TargetOwner::Foreign;
        let name = secret.name.clone();
        foreign.then(|| match secret.copy_of() {
            Some(of) => TargetConflict::Copy {
                name,
                of: of.to_owned(),
            },
            None => TargetConflict::Foreign { name },
        })
    }

    /// Returns whether a Secret that a predecessor left may be used: its token has to be issued for what the spec says now,
    /// unless a person gives it to this object.
    pub(in crate::reconcile) fn inheritance(&self) -> Option<Inheritance> {
        let observed = self.observed;
        let secret = observed.target.present()?;
        if secret.owner(&observed.credential) != TargetOwner::Predecessor
            || secret.is_given_to(&observed.credential)
        {
            return None;
        }
        let proven = Inheritance::Proven(secret.uid.clone());
        if observed.memory.target.inherits(&secret.uid) {
            return Some(proven);
        }
        if observed.source.is_unread() {
            let read = Read::source(self.settings, &observed.source);
            return Some(Inheritance::Unconfirmed(read));
        }
        // Nothing is requested with a client that cannot be used, so it is the first thing to repair.
        let inputs = self.token_inputs().ok()?;
        let refused = Inheritance::Refused(TargetConflict::Retained {
            name: secret.name.clone(),
            namespace: observed.credential.namespace.clone(),
            uid: observed.credential.uid.clone(),
        });
        let Some(token) = secret.confirmed_metadata() else {
            return Some(refused);
        };
        if secret.is_rendered() {
            let Some(key) = &observed.target_key else {
                let read = Read::target(self.settings, &observed.target);
                return Some(Inheritance::Unconfirmed(read));
            };
            let fits = secret.is_rendered_for(&inputs, key);
            return Some(if fits { proven } else { refused });
        }
        let Some(at_hand) = observed.memory.target.token() else {
            let read = Read::target(self.settings, &observed.target);
            return Some(Inheritance::Unconfirmed(read));
        };
        let fits = inputs.fit(&at_hand.value, &token.inputs_hash);
        Some(if fits { proven } else { refused })
    }

    /// The Secret under an earlier name with the newest token that may still be whole.
    pub(in crate::reconcile) fn newest_earlier_target(&self) -> Option<&'a TargetSecret> {
        let whole = self.observed.previous.iter();
        let whole = whole.filter(|secret| secret.content != Content::Damaged);
        let issued = |secret: &&TargetSecret| {
            let token = secret.metadata();
            token.map(|token| (token.rotation, token.issued_at))
        };
        whole.max_by_key(issued)
    }

    /// The Secrets under earlier names that are not being deleted.
    pub(in crate::reconcile) fn earlier_targets(&self) -> impl Iterator<Item = &'a TargetSecret> {
        let previous = self.observed.previous.iter();
        previous.filter(|secret| !secret.is_being_deleted())
    }

    /// Why a Secret under an earlier name is kept, as far as that is known.
    pub(in crate::reconcile) fn kept_for(&self, secret: &TargetSecret) -> Option<Kept> {
        let pods = self.observed.memory.target.pods();
        if self.observed.access.lists_pods && !pods.is_some_and(PodsSeen::is_forbidden) {
            return pods.map_or(Some(Kept::Unknown), |pods| pods.kept_for(&secret.name));
        }
        // Without a list of pods, it is kept as long as its token can be of use.
        let expires_at = secret.metadata()?.expires_at;
        (expires_at > self.now).then_some(Kept::Until(expires_at))
    }

    /// The time at which the use of the Secrets under earlier names is looked at again.
    pub(in crate::reconcile) fn earlier_targets_wake_at(&self) -> Option<Timestamp> {
        let pods = self.observed.memory.target.pods();
        let kept = self
            .earlier_targets()
            .filter_map(|secret| self.kept_for(secret));
        let ends = kept.filter_map(|kept| match kept {
            Kept::InUse(_) | Kept::Unknown => pods.map(PodsSeen::until),
            Kept::Until(expires_at) => Some(expires_at),
        });
        ends.min()
    }

    /// The token to judge: the one at hand, or the one on the target.
    pub(in crate::reconcile) fn token(&self) -> Option<&TokenMetadata> {
        let Some(at_hand) = self.observed.memory.target.token() else {
            return self.token_on_target();
        };
        let metadata = || at_hand.metadata.clone();
        let limited = || metadata().limited_to(self.settings.maximum_lifetime);
        Some(self.token_at_hand.get_or_init(limited))
    }

    /// The token on the target.
    pub(in crate::reconcile) fn token_on_target(&self) -> Option<&TokenMetadata> {
        let read = || self.target()?.confirmed_metadata();
        let limited = || Some(read()?.limited_to(self.settings.maximum_lifetime));
        self.token_on_target.get_or_init(limited).as_ref()
    }

    /// A token that has not expired.
    pub(in crate::reconcile) fn live_token(&self) -> Option<&TokenMetadata> {
        self.token().filter(|token| token.expires_at > self.now)
    }

    /// A token that has not expired and was issued for the current inputs, as far as these are known.
    pub(in crate::reconcile) fn good_token(&self) -> Option<&TokenMetadata> {
        if self.published_token_is_dead() {
            return None;
        }
        self.live_token().filter(|token| match self.inputs(token) {
            Inputs::Changed => false,
            Inputs::Unavailable => token.owner_uid == self.observed.credential.uid,
            Inputs::Current | Inputs::Unconfirmed(_) => true,
        })
    }

    /// The good token that consumers see. A token that is not published yet does not count.
    pub(in crate::reconcile) fn published_token(&self) -> Option<&TokenMetadata> {
        if self.observed.memory.target.unpublished().is_none() {
            return self.good_token();
        }
        let published = self.token_on_target()?;
        let is_current = self.is_confirmed(published) || self.was_confirmed_with(published);
        (published.expires_at > self.now && is_current).then_some(published)
    }

    /// Returns whether the token at hand was requested with the very versions that the published one was confirmed for, and its
    /// inputs have not changed since: a new token may wait for long, while other parts of the spec change.
    fn was_confirmed_with(&self, published: &TokenMetadata) -> bool {
        let Some(at_hand) = self.observed.memory.target.token() else {
            return false;
        };
        let at_hand = &at_hand.metadata;
        published.owner_uid == at_hand.owner_uid
            && published.generation == at_hand.generation
            && published.source_version == at_hand.source_version
            && published.seed_version == at_hand.seed_version
            && published.provider_version == at_hand.provider_version
            && self.inputs(at_hand) == Inputs::Current
    }

    /// The published token, if it has not expired. Where no published token is good, its inputs have changed.
    pub(in crate::reconcile) fn outdated_token(&self) -> Option<&TokenMetadata> {
        let published = self.token_on_target()?;
        let outdated = published.expires_at > self.now
            && published.owner_uid == self.observed.credential.uid
            && !self.published_token_is_dead();
        outdated.then_some(published)
    }

    /// A provider revokes the published token when it rotates the refresh token.
    fn published_token_is_dead(&self) -> bool {
        self.observed.memory.login.is_lost() && self.settings.grant.refresh_token().is_some()
    }

    /// Returns whether the inputs are the ones that this token was last confirmed for.
    pub(super) fn is_confirmed(&self, token: &TokenMetadata) -> bool {
        let credential = &self.observed.credential;
        token.owner_uid == credential.uid
            && token.generation == credential.generation
            && Some(token.source_version.as_str()) == self.observed.source.version()
            && token.seed_version == self.observed.login_version()
            && token.provider_version.as_deref() == self.settings.provider_version()
    }
}

//! The memory of the target and of its token.

use jiff::Timestamp;

use super::Unwritable;
use crate::{
    api::CubeCredentialStatus,
    reconcile::{
        record::KnownRecord,
        target::{DesiredMetadata, Found, MetadataDigest, PodsSeen, TargetSecret},
        token::{Details, Token},
        write_error::WriteError,
    },
};

/// The target's part of the memory.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct TargetMemory {
    at_hand: AtHand,
    written: Option<Written>,
    /// The last status that named the target, while that is missing: its repair may have to wait.
    missing: Option<Box<CubeCredentialStatus>>,
    unwritable: Option<Box<Unwritable>>,
    /// The uid of a predecessor's Secret whose token was issued for what the spec says: the next token replaces that one.
    inherited: Option<Box<str>>,
    /// The record of the token, with templates: its last version and owner.
    pub(in crate::reconcile) record: Option<Box<KnownRecord>>,
    /// The fingerprint of the token for which the pods that mount the target were last annotated.
    refreshed_pods: Option<Box<str>>,
    /// The pods that use the Secrets under earlier names.
    pods: Option<Box<PodsSeen>>,
}

/// The token at hand. This is the one place that could lose a token that was received: it gives up an unpublished one only when
/// it is published, expired, or replaced by a newer one.
#[derive(Clone, Debug, Default)]
enum AtHand {
    #[default]
    Nothing,
    /// It was read from a target, and is still there.
    Read(Box<Token>),
    /// It is in no target: it was issued and not published yet, or its target was deleted.
    Unpublished(Box<Token>),
}

/// Our last write of the target.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct Written {
    /// The version that it produced.
    pub(in crate::reconcile) version: Box<str>,
    /// The metadata of a target has kilobytes, so only its digest is kept.
    pub(in crate::reconcile) metadata: MetadataDigest,
}

impl TargetMemory {
    /// The token at hand, published or not.
    pub(in crate::reconcile) fn token(&self) -> Option<&Token> {
        match &self.at_hand {
            AtHand::Nothing => None,
            AtHand::Read(token) | AtHand::Unpublished(token) => Some(token),
        }
    }

    /// The token that is in no target.
    pub(in crate::reconcile) fn unpublished(&self) -> Option<&Token> {
        match &self.at_hand {
            AtHand::Unpublished(token) => Some(token),
            AtHand::Nothing | AtHand::Read(_) => None,
        }
    }

    /// A token was received: it must be published.
    pub(in crate::reconcile) fn receive(&mut self, token: Token) {
        self.at_hand = AtHand::Unpublished(Box::new(token));
    }

    /// A token was read beside the target, which holds it too.
    pub(in crate::reconcile) fn read(&mut self, token: Token) {
        self.at_hand = AtHand::Read(Box::new(token));
    }

    /// The token at hand has these details.
    pub(in crate::reconcile) fn describe(&mut self, details: Option<Box<Details>>) {
        if let AtHand::Read(token) | AtHand::Unpublished(token) = &mut self.at_hand {
            token.details = token.details.take().or(details);
        }
    }

    /// The target was read, with this content if it is whole. Returns whether an unpublished token turned out to be published.
    #[must_use]
    pub(in crate::reconcile) fn found(&mut self, found: Option<Found>) -> bool {
        let waiting = self.unpublished();
        let superfluous = waiting
            .is_some_and(|waiting| found.as_ref().is_some_and(|found| found.replaces(waiting)));
        if waiting.is_none() || superfluous {
            self.at_hand = match found {
                Some(Found::Token(token)) => AtHand::Read(Box::new(token)),
                Some(Found::Rendered { .. }) | None => AtHand::Nothing,
            };
        }
        superfluous
    }

    /// The target was written. Returns whether its token was an unpublished one.
    #[must_use]
    pub(in crate::reconcile) fn published(&mut self, written: Option<Written>) -> bool {
        let issued = self.unpublished().is_some();
        *self = Self {
            written,
            pods: self.pods.take(),
            record: self.record.take(),
            ..Self::default()
        };
        issued
    }

    /// The target was deleted, to be created again: its token must outlive this reconcile until then.
    pub(in crate::reconcile) fn deleted(&mut self) {
        self.at_hand = match std::mem::take(&mut self.at_hand) {
            AtHand::Nothing => AtHand::Nothing,
            AtHand::Read(token) | AtHand::Unpublished(token) => AtHand::Unpublished(token),
        };
    }

    pub(in crate::reconcile) fn see_pods(&mut self, seen: PodsSeen) {
        self.pods = Some(Box::new(seen));
    }

    /// The pods that mount the target were annotated for the token with this fingerprint, or that failed.
    pub(in crate::reconcile) fn pods_refreshed(&mut self, fingerprint: &str) {
        self.refreshed_pods = Some(fingerprint.into());
    }

    pub(in crate::reconcile) fn has_refreshed_pods(&self, fingerprint: &str) -> bool {
        self.refreshed_pods.as_deref() == Some(fingerprint)
    }

    pub(in crate::reconcile) fn forget_pods(&mut self) {
        self.pods = None;
    }

    /// The pods as they were listed last.
    pub(in crate::reconcile) fn pods(&self) -> Option<&PodsSeen> {
        self.pods.as_deref()
    }

    /// The Secret with this uid was left by a predecessor, and its token was issued for what the spec says.
    pub(in crate::reconcile) fn inherit(&mut self, uid: String) {
        self.inherited = Some(uid.into());
    }

    pub(in crate::reconcile) fn inherits(&self, uid: &str) -> bool {
        self.inherited.as_deref() == Some(uid)
    }

    /// Forgets a token that was only read: it can be read again.
    pub(in crate::reconcile) fn forget_read_token(&mut self) {
        if matches!(self.at_hand, AtHand::Read(_)) {
            self.at_hand = AtHand::Nothing;
        }
    }

    /// Forgets an expired token, which is useless.
    pub(in crate::reconcile) fn forget_expired_token(&mut self, now: Timestamp) {
        let expired = |token: &Token| token.metadata.expires_at <= now;
        if self.token().is_some_and(expired) {
            self.at_hand = AtHand::Nothing;
        }
    }

    /// Returns whether this is our last write of the target, with the metadata that is wanted.
    pub(in crate::reconcile) fn wrote(
        &self,
        secret: &TargetSecret,
        wanted: &DesiredMetadata<'_>,
    ) -> bool {
        self.unpublished().is_none()
            && self.written.as_ref().is_some_and(|written| {
                *written.version == *secret.version && written.metadata == wanted.digest()
            })
    }

    pub(in crate::reconcile) fn unwritable(&self) -> Option<&Unwritable> {
        self.unwritable.as_deref()
    }

    /// The API server refused the target.
    pub(in crate::reconcile) fn refused(
        &mut self,
        why: WriteError,
        of: (i64, &str),
        now: Timestamp,
    ) {
        let earlier = self.unwritable.as_deref();
        let unwritable = Unwritable::again(earlier, why, of, now);
        self.unwritable = Some(Box::new(unwritable));
    }

    /// The last status that named the target, while that is missing.
    pub(in crate::reconcile) fn missing(&self) -> Option<&CubeCredentialStatus> {
        self.missing.as_deref()
    }

    /// The target that this status names is missing.
    pub(in crate::reconcile) fn miss(&mut self, status: &CubeCredentialStatus) {
        self.missing = Some(Box::new(status.clone()));
    }
}

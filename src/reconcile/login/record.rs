//! The record beside the tokens in the state Secret, as JSON. The names and meanings of its fields are a stored format: a later
//! version must read the records of an earlier one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::binding::Binding;
use crate::{
    oauth::endpoint::Endpoint,
    reconcile::{
        pace::delays,
        time::later,
        token::{LAST_ROTATION, TokenMetadata},
    },
    scrub::Scrubber,
};

/// The record beside the tokens of a login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::reconcile) struct LoginRecord {
    /// The number of responses that have been stored since the state began.
    #[serde(rename = "generation")]
    pub(in crate::reconcile) rotation: u64,
    /// The SHA-256 of the initial refresh token of this login.
    pub(in crate::reconcile) seed: String,
    /// The last resourceVersion of the initial refresh token's Secret that was found to begin no other login.
    pub(in crate::reconcile) seed_version: Option<String>,
    /// The only hosts that the owner of the initial refresh token allows. They still hold after that Secret was deleted.
    pub(in crate::reconcile) token_hosts: Option<String>,
    /// The CA bundles that the owner of the initial refresh token permits. They still hold after that Secret was deleted; `None`:
    /// an earlier version did not record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::reconcile) token_ca: Option<String>,
    /// The use of the refresh token since its first claim; `None`: it was never claimed, or by an earlier version only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::reconcile) binding: Option<Box<Binding>>,
    /// The seeds of earlier logins: applying one of them again changes nothing.
    pub(in crate::reconcile) past_seeds: Vec<String>,
    /// The metadata of the access token.
    pub(in crate::reconcile) issued: Option<TokenMetadata>,
    pub(in crate::reconcile) claim: Option<Claim>,
    /// The refresh token was sent at least once without a response that says what happened to it.
    #[serde(rename = "inDoubt")]
    pub(in crate::reconcile) outcome_unknown: bool,
    pub(in crate::reconcile) rejection: Option<RejectedToken>,
    /// The record of the login before, until this one has worked: a wrong seed must not cost a good login.
    pub(in crate::reconcile) replaced: Option<Box<LoginRecord>>,
}

impl LoginRecord {
    /// The record with the texts that people will read as a provider's are shown, because whoever edits the Secret may write
    /// anything; `None`: its endpoint is none, or its number too large.
    pub(super) fn cleaned(mut self) -> Option<Self> {
        let scrubber = Scrubber::default();
        if let Some(rejection) = &mut self.rejection {
            rejection.what = scrubber.clean_message(&rejection.what);
        }
        if let Some(binding) = &mut self.binding {
            // An endpoint that was read has printable ASCII only.
            binding.endpoint = Endpoint::parse(&binding.endpoint).ok()?.without_query();
        }
        if self.rotation > LAST_ROTATION {
            return None;
        }
        self.issued = self.issued.map(|issued| {
            let number = issued.rotation.unwrap_or(self.rotation);
            issued.cleaned().numbered(number.min(self.rotation))
        });
        if let Some(replaced) = self.replaced {
            self.replaced = Some(Box::new(replaced.cleaned()?));
        }
        Some(self)
    }
}

/// The process that is about to send a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::reconcile) struct Claim {
    /// The SHA-256 of the token.
    pub(in crate::reconcile) of: String,
    /// The uid of the pod.
    pub(in crate::reconcile) by: String,
    pub(in crate::reconcile) until: Timestamp,
}

/// The provider's `invalid_grant` for the stored refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RejectedToken {
    /// True if an earlier attempt may have consumed the token: then its successor was lost.
    pub(in crate::reconcile) lost: bool,
    /// The provider's response, as it may be shown.
    pub(in crate::reconcile) what: String,
    pub(in crate::reconcile) at: Timestamp,
    /// True if the provider rejected it twice.
    pub(in crate::reconcile) confirmed: bool,
    /// A keyed hash of the inputs that were rejected.
    pub(in crate::reconcile) inputs: String,
    /// The refresh request at that time.
    pub(in crate::reconcile) request: Option<String>,
}

impl RejectedToken {
    /// The time at which the token is sent once more. A lost token and one that was rejected twice are never sent again.
    pub(in crate::reconcile) fn next_attempt(&self) -> Option<Timestamp> {
        (!self.lost && !self.confirmed).then(|| later(self.at, delays::CONFIRMATION))
    }
}

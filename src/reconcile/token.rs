//! An access token and its metadata: enough to judge it without any status.

mod details;
mod inputs;
mod login_expiry;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{digest::hex, time::later};
use crate::scrub::Scrubber;
pub(super) use details::{DETAILS, Details};
pub(super) use inputs::InputsDigest;
pub use inputs::TokenInputs;
pub(super) use login_expiry::{LoginExpiry, has_moved};

/// The key of the access token in the target and in the state.
pub(super) const ACCESS_TOKEN: &str = "access-token";

/// The number of a response that no other can follow. Only an edit leads there; nothing is sent then, because each token would
/// look older than the one before.
pub(super) const LAST_ROTATION: u64 = u64::MAX - 1;

/// An access token with its metadata.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) value: SecretString,
    pub(super) metadata: TokenMetadata,
    /// `None`: they are not known here.
    pub(super) details: Option<Box<Details>>,
}

/// The metadata of an access token. The target has it as annotations, the state as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenMetadata {
    /// The uid of the `CubeCredential` that the token was issued for.
    pub(super) owner_uid: String,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) inputs_hash: String,
    /// The generation and source version for which the inputs were last confirmed.
    pub(super) generation: i64,
    pub(super) source_version: String,
    /// The version of the initial refresh token's Secret, with the grant that has one.
    pub(super) seed_version: Option<String>,
    /// The version of the provider object's fields, if the spec names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provider_version: Option<String>,
    /// The number of the response that the token came with, with that grant. It orders tokens that were issued in the same
    /// second, or by different clocks.
    pub(super) rotation: Option<u64>,
    /// A hash of the initial refresh token, keyed with the access token, if the provider has replaced that one.
    #[serde(rename = "spentSeed", default, skip_serializing_if = "Option::is_none")]
    pub(super) consumed_seed: Option<String>,
    pub(super) refresh_request: Option<String>,
    pub(super) scopes: Vec<String>,
    /// The end of the login, with the grant that has one and where the provider states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) login: Option<LoginExpiry>,
    /// The API of the probe has not accepted it. Only a target says so.
    #[serde(skip)]
    pub(super) unproven: bool,
}

impl TokenMetadata {
    /// Returns whether a token with this metadata was issued with the same grant as the other one, and after it.
    pub(super) fn follows(&self, other: &Self) -> bool {
        self.rotation.is_some() == other.rotation.is_some() && self.is_newer_than(other)
    }

    /// Returns whether this token was issued after the other one.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        // A token without a number comes from an earlier grant, whatever the clock of its process said.
        (self.rotation, self.issued_at) > (other.rotation, other.issued_at)
    }

    /// The metadata with the texts that people will read as a provider's are shown: it may have been edited.
    pub(super) fn cleaned(self) -> Self {
        let scrubber = Scrubber::default();
        let scopes = self.scopes.iter().map(|scope| scrubber.clean(scope));
        Self {
            scopes: scopes.filter(|scope| !scope.is_empty()).collect(),
            refresh_request: self.refresh_request.map(|hash| scrubber.clean(&hash)),
            ..self
        }
    }

    /// The metadata with no longer lifetime than this: a spec may limit a token that was issued before.
    pub(super) fn limited_to(self, maximum: Option<SignedDuration>) -> Self {
        let latest = maximum.map(|maximum| later(self.issued_at, maximum));
        Self {
            expires_at: latest.map_or(self.expires_at, |latest| latest.min(self.expires_at)),
            ..self
        }
    }

    /// The end of the token or of its login, whichever comes first: a refresh has to be made before.
    pub(super) fn first_end(&self) -> Timestamp {
        let login = self.login.map(|login| login.at);
        login.map_or(self.expires_at, |login| login.min(self.expires_at))
    }

    /// The metadata with the number of the response that the token came with.
    pub(super) fn numbered(self, rotation: u64) -> Self {
        Self {
            rotation: Some(rotation),
            ..self
        }
    }
}

/// The first 8 hexadecimal digits of the token's SHA-256.
#[must_use]
pub fn fingerprint(token: &SecretString) -> String {
    hex(&Sha256::digest(token.expose_secret())[..4])
}

//! The budget that pays for a token request: a client at a token endpoint, with its authentication.

use std::fmt;

use jiff::SignedDuration;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::{
    oauth::{authentication::Authentication, endpoint::Endpoint},
    reconcile::provider::RequestInterval,
};

/// The first half of a SHA-256: there are thousands, and two in a table for each credential.
type Hash = [u8; 16];

/// A client at a token endpoint, with what authenticates it.
///
/// A client id is no secret: anybody can ask for a token with it, and only the client secret tells the client from a stranger.
/// The key is for this process alone. It is a plain hash that would confirm a guessed secret, so it is never stored or shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientKey {
    client: ClientHash,
    proof: Proof,
    /// Few have one.
    limit: Option<Box<Limit>>,
}

/// A further limit of a client, which a provider object sets.
///
/// An administrator's takes the place of the operator's, and only those who may use such an object at this token endpoint share it. A
/// namespace's holds besides the operator's, so further objects with further intervals allow no further request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Limit {
    pub(super) interval: RequestInterval,
    /// The namespace whose limit it is; empty: it is an administrator's.
    namespace: Box<str>,
}

impl Limit {
    pub(super) fn is_in_place(&self) -> bool {
        matches!(self.interval, RequestInterval::InPlace(_))
    }

    /// Returns whether a request ever waits for it, where the operator's interval is this one.
    pub(super) fn has_effect(&self, operator: SignedDuration) -> bool {
        match self.interval {
            RequestInterval::InPlace(_) => true,
            RequestInterval::Besides(own) => operator < own,
        }
    }
}

/// The token endpoint and the client id. The provider counts the requests of each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClientHash(Hash);

/// The authentication of the client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Proof(Hash);

impl ClientKey {
    /// Endpoints that differ only in their query are one, because the provider's server counts the requests. `evidence` stands in
    /// for the secret of a client that has none, and the namespace for both of a public client.
    pub(in crate::reconcile) fn new(
        endpoint: &Endpoint,
        client: &Authentication,
        evidence: Option<&[u8; 32]>,
        namespace: &str,
    ) -> Self {
        let secret = client.client_secret().map(ExposeSecret::expose_secret);
        let proof = match (secret, evidence) {
            (Some(secret), _) => secret.as_bytes(),
            (None, Some(evidence)) => evidence,
            (None, None) => namespace.as_bytes(),
        };
        let proof = hash(&[client.spec_name().as_bytes(), proof]);
        let endpoint = endpoint.without_query();
        let client = hash(&[endpoint.as_bytes(), client.client_id().as_bytes()]);
        Self {
            client: ClientHash(client),
            proof: Proof(proof),
            limit: None,
        }
    }

    /// The client at a provider object, which may set an interval.
    pub(in crate::reconcile) fn with_interval(
        self,
        interval: Option<RequestInterval>,
        namespace: &str,
    ) -> Self {
        let limit = interval.map(|interval| {
            let namespace = match interval {
                RequestInterval::InPlace(_) => "",
                RequestInterval::Besides(_) => namespace,
            };
            Box::new(Limit {
                interval,
                namespace: namespace.into(),
            })
        });
        Self { limit, ..self }
    }

    pub(super) fn client(&self) -> ClientHash {
        self.client
    }

    pub(super) fn limit(&self) -> Option<&Limit> {
        self.limit.as_deref()
    }

    /// The interval that a provider object sets.
    pub(in crate::reconcile) fn interval(&self) -> Option<RequestInterval> {
        self.limit().map(|limit| limit.interval)
    }

    /// Returns whether the same buckets pay for both, whatever their proofs.
    pub(super) fn is_paid_like(&self, other: &Self) -> bool {
        self.client == other.client && self.limit == other.limit
    }

    pub(super) fn proof(&self) -> Proof {
        self.proof
    }
}

/// The hash of texts or bytes, each with its length, so that no two lists are the same bytes.
fn hash(texts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    let mut first = Hash::default();
    first.copy_from_slice(&hash.finalize()[..size_of::<Hash>()]);
    first
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

impl fmt::Debug for ClientHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

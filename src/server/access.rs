//! The clients that may read the metrics: all, or those that the API server allows to `get` the path `/metrics`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use kube::Client;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    kubernetes::{access, error::ApiError},
    lock::lock,
};

/// The path as roles name it, in `nonResourceURLs`.
const PATH: &str = "/metrics";
/// How long a decision of the API server holds. Prometheus scrapes every half minute.
const ALLOWED_FOR: Duration = Duration::from_secs(60);
const REFUSED_FOR: Duration = Duration::from_secs(10);
/// The most decisions that are remembered: anybody can invent tokens.
const MOST: usize = 64;

/// The clients that may read the metrics.
#[derive(Clone)]
pub(crate) enum MetricsAccess {
    /// Every client that reaches the port may read them.
    Open,
    /// Only a client with a bearer token whose user may `get` the path may read them.
    Authorized(Arc<Authorizer>),
}

/// Asks the API server, and remembers its decisions for a while.
pub(crate) struct Authorizer {
    client: Client,
    decided: Mutex<HashMap<TokenHash, Decision>>,
}

type TokenHash = [u8; 32];

#[derive(Clone, Copy)]
struct Decision {
    status: StatusCode,
    until: Instant,
}

impl MetricsAccess {
    /// Access for those whom this API server allows it.
    #[must_use]
    pub(crate) fn authorized_by(client: Client) -> Self {
        let decided = Mutex::default();
        Self::Authorized(Arc::new(Authorizer { client, decided }))
    }

    /// Refuses a request with a status: 401 without a valid token, 403 for a user without the right, and 503 while the API server
    /// does not say.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        let Self::Authorized(authorizer) = self else {
            return Ok(());
        };
        let token = bearer(headers).ok_or(StatusCode::UNAUTHORIZED)?;
        match authorizer.status(&token).await {
            StatusCode::OK => Ok(()),
            status => Err(status),
        }
    }
}

impl Authorizer {
    #[expect(
        clippy::disallowed_methods,
        reason = "a decision of the API server holds for a while"
    )]
    async fn status(&self, token: &SecretString) -> StatusCode {
        let now = Instant::now();
        let hash: TokenHash = Sha256::digest(token.expose_secret()).into();
        let decided = lock(&self.decided).get(&hash).copied();
        if let Some(decision) = decided.filter(|decision| now < decision.until) {
            return decision.status;
        }
        let status = match self.ask(token).await {
            Ok(status) => status,
            Err(error) => {
                tracing::warn!(%error, "failed to authorize a request for the metrics");
                return StatusCode::SERVICE_UNAVAILABLE;
            }
        };
        let period = if status == StatusCode::OK {
            ALLOWED_FOR
        } else {
            REFUSED_FOR
        };
        let mut all = lock(&self.decided);
        if all.len() >= MOST {
            all.clear();
        }
        let until = now + period;
        all.insert(hash, Decision { status, until });
        status
    }

    async fn ask(&self, token: &SecretString) -> Result<StatusCode, ApiError> {
        let Some(user) = access::authenticate(&self.client, token).await? else {
            return Ok(StatusCode::UNAUTHORIZED);
        };
        let allowed = access::may_get(&self.client, user, PATH).await?;
        Ok(if allowed {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim().into())
}

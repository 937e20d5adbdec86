//! Leader election: of the processes that have one Lease, one makes token requests.
//!
//! What needs it is politeness: a client's budget is kept in one process. A stored refresh token does not depend on it; it is
//! fenced by the claim in its state.
//!
//! A leader that cannot renew the lease begins no exchange when its term is over, and goes on if it gets through before somebody
//! else took the lease: an API server that is away for a minute restarts nobody. One that finds another leader ends.

mod term;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    kubernetes::{
        convert::now,
        error::ApiError,
        lease::{Found, LeaseAccess},
    },
    lock::lock,
    metrics::Metrics,
};

/// How often a leader renews the lease, and another looks at it.
const PERIOD: Duration = Duration::from_secs(2);
/// How long a leader leads without renewing the lease. Others wait longer (`term::LEASE_SECONDS`), and from a later moment on.
const TERM: Duration = Duration::from_secs(10);

/// Whether this process leads.
#[derive(Clone, Debug, Default)]
pub struct Leadership(Arc<Mutex<Standing>>);

#[derive(Debug, Default)]
enum Standing {
    /// The lease could not be read yet.
    #[default]
    Unknown,
    /// It is somebody else's.
    StandsBy,
    /// Until then, unless the lease is renewed.
    Leads(Instant),
    /// There is no lease, and nobody else.
    Alone,
}

impl Leadership {
    /// Of a process that has no rivals.
    #[must_use]
    pub fn alone() -> Self {
        Self(Arc::new(Mutex::new(Standing::Alone)))
    }

    /// Whether an exchange may begin now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        match *lock(&self.0) {
            Standing::Alone => true,
            Standing::Leads(until) => Instant::now() < until,
            Standing::Unknown | Standing::StandsBy => false,
        }
    }

    /// Whether this process is ready to take over.
    #[must_use]
    pub fn stands_by(&self) -> bool {
        matches!(*lock(&self.0), Standing::StandsBy)
    }

    fn set(&self, standing: Standing) {
        *lock(&self.0) = standing;
    }
}

/// A candidate, or the leader.
pub struct Election {
    lease: LeaseAccess,
    me: String,
    leadership: Leadership,
    metrics: Metrics,
    seen: Option<Seen>,
    /// What was told last, so that it is told once.
    told: Option<String>,
}

/// The lease as it was last seen.
struct Seen {
    found: Found,
    since: Instant,
    /// It is our own write, and nothing went wrong since.
    certain: bool,
}

impl Election {
    /// A candidate by this name, which no other process may have.
    #[must_use]
    pub fn new(lease: LeaseAccess, me: String, metrics: Metrics) -> Self {
        Self {
            lease,
            me,
            leadership: Leadership::default(),
            metrics,
            seen: None,
            told: None,
        }
    }

    /// Whether it leads, now and later.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits until this process leads.
    pub async fn win(&mut self) {
        loop {
            match self.round().await {
                Ok(None) => break self.tell("leading"),
                Ok(Some(leader)) => {
                    self.leadership.set(Standing::StandsBy);
                    self.tell(&format!("standing by: {leader} leads"));
                }
                Err(error) => {
                    self.leadership.set(Standing::Unknown);
                    self.warn(&format!("cannot take part in leader election: {error}"));
                }
            }
            sleep(PERIOD).await;
        }
        self.metrics.leads(true);
    }

    /// Keeps the lease until `done`, then gives it back. Cancels `stop` if somebody else has it.
    ///
    /// # Errors
    /// If somebody else has it.
    pub async fn keep(
        mut self,
        stop: CancellationToken,
        done: CancellationToken,
    ) -> Result<(), String> {
        while done.run_until_cancelled(sleep(PERIOD)).await.is_some() {
            match self.round().await {
                Ok(None) => self.tell("leading"),
                Ok(Some(leader)) => {
                    self.leadership.set(Standing::StandsBy);
                    self.metrics.leads(false);
                    stop.cancel();
                    let lease = self.lease.name();
                    return Err(format!(
                        "{leader} has taken Lease {lease} and leads now, because this process did not renew it in time"
                    ));
                }
                Err(error) => self.warn(&format!(
                    "the lease is not renewed, and soon no exchange begins: {error}"
                )),
            }
            self.metrics.leads(self.leadership.is_current());
        }
        self.give_back().await;
        Ok(())
    }

    /// Looks at the lease and writes what there is to write. Returns who leads, unless it is this process.
    async fn round(&mut self) -> Result<Option<String>, ApiError> {
        // A term counts from before the write: others cannot have seen it earlier.
        let start = Instant::now();
        if !self.seen.as_ref().is_some_and(|seen| seen.certain) {
            self.look().await?;
        }
        let found = self.seen.as_ref().map(|seen| &seen.found);
        let unchanged_for = self.seen.as_ref().map(|seen| seen.since.elapsed());
        let spec = term::claim(
            found.map(|found| &found.spec),
            unchanged_for.unwrap_or_default(),
            &self.me,
            now(),
        );
        let Some(spec) = spec else {
            let holder = found.and_then(|found| term::holder(&found.spec));
            return Ok(holder.map(str::to_owned));
        };
        let version = found.map(|found| found.version.clone());
        match self.lease.write(spec, version.as_deref()).await {
            Ok(found) => {
                self.seen = Some(Seen {
                    found,
                    since: start,
                    certain: true,
                });
                self.leadership.set(Standing::Leads(start + TERM));
                Ok(None)
            }
            Err(error) => {
                if let Some(seen) = &mut self.seen {
                    seen.certain = false;
                }
                Err(error)
            }
        }
    }

    /// Reads the lease. Its time counts from when this version of it was first seen.
    async fn look(&mut self) -> Result<(), ApiError> {
        let found = self.lease.read().await?;
        let known = |found: &Found| {
            let seen = self.seen.as_ref()?;
            (seen.found.version == found.version).then_some(seen.since)
        };
        self.seen = found.map(|found| Seen {
            since: known(&found).unwrap_or_else(Instant::now),
            found,
            certain: false,
        });
        Ok(())
    }

    /// Nobody has to wait for the end of a lease that is given back.
    async fn give_back(&self) {
        let Some(seen) = self.seen.as_ref().filter(|seen| seen.certain) else {
            return;
        };
        let spec = term::given_back(&seen.found.spec, now());
        if let Err(error) = self.lease.write(spec, Some(&seen.found.version)).await {
            tracing::warn!(%error, "the lease was not given back");
        }
    }

    fn tell(&mut self, what: &str) {
        if self.told.as_deref() != Some(what) {
            tracing::info!(lease = %self.lease.name(), "{what}");
            self.told = Some(what.to_owned());
        }
    }

    fn warn(&mut self, what: &str) {
        if self.told.as_deref() != Some(what) {
            tracing::warn!(lease = %self.lease.name(), "{what}");
            self.told = Some(what.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;

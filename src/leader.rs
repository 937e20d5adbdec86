//! Leader election: of the processes that share a Lease, one makes token requests.
//!
//! It protects the request budget of each client, which is kept in one process. A stored refresh token does not depend on it,
//! because the claim in the state fences every use.
//!
//! A leader that cannot renew the lease begins no exchange after its term. It resumes if it can renew before another process
//! takes the lease, so that a short outage of the API server restarts no process. A leader that finds another leader ends.

#![expect(
    clippy::disallowed_methods,
    reason = "a term ends by the first of two clocks of this process"
)]

mod event;
mod term;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::now,
    kubernetes::{
        error::ApiError,
        lease::{Found, LeaseAccess},
    },
    lock::lock,
    metrics::Metrics,
};
use event::ElectionEvent;

/// The interval at which a leader renews the lease, and a standby reads it.
const PERIOD: Duration = Duration::from_secs(2);
/// The term of a leader that does not renew the lease. Others wait longer (`term::LEASE_SECONDS`), counted from a later moment.
const TERM: Duration = Duration::from_secs(10);

/// Whether this process leads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leadership(Arc<Mutex<Role>>);

#[derive(Debug, Default)]
enum Role {
    /// The lease could not be read, or taken.
    #[default]
    Unknown,
    /// Another process has the lease.
    StandsBy,
    /// This process leads until this time; a renewal extends it.
    Leads(End),
    /// There is no lease, and no other process.
    Alone,
}

/// The end of a term by two clocks: one stops while a machine is suspended, and the other may be set back.
#[derive(Clone, Copy, Debug)]
struct End(Instant, SystemTime);

impl Leadership {
    /// The leadership of a process that has no rivals.
    #[must_use]
    pub(crate) fn alone() -> Self {
        Self(Arc::new(Mutex::new(Role::Alone)))
    }

    /// Whether an exchange may begin now.
    #[must_use]
    pub(crate) fn is_current(&self) -> bool {
        match *lock(&self.0) {
            Role::Alone => true,
            Role::Leads(End(instant, time)) => Instant::now() < instant && SystemTime::now() < time,
            Role::Unknown | Role::StandsBy => false,
        }
    }

    /// Whether this process is ready to take over.
    #[must_use]
    pub(crate) fn stands_by(&self) -> bool {
        matches!(*lock(&self.0), Role::StandsBy)
    }

    fn set(&self, role: Role) {
        *lock(&self.0) = role;
    }
}

/// A candidate, or the leader.
pub(crate) struct Election {
    lease: LeaseAccess,
    me: String,
    leadership: Leadership,
    metrics: Metrics,
    observed: ObservedLease,
    /// Whether it has won, and only renews a lease that is still its own.
    leads: bool,
    /// The last event in the log, so that it is logged once.
    logged: Option<ElectionEvent>,
}

/// The lease as it was last read or written.
struct ObservedLease {
    found: Found,
    since: Instant,
    /// Whether it is our own write, and nothing failed since.
    certain: bool,
}

impl Election {
    /// A candidate by this name, which no other process may have.
    #[must_use]
    pub(crate) fn new(lease: LeaseAccess, me: String, metrics: Metrics) -> Self {
        Self {
            lease,
            me,
            leadership: Leadership::default(),
            metrics,
            observed: ObservedLease {
                found: Found::default(),
                since: Instant::now(),
                certain: false,
            },
            leads: false,
            logged: None,
        }
    }

    /// A handle that follows the election.
    #[must_use]
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits until this process leads, or is stopped. Returns whether it leads.
    pub(crate) async fn win(&mut self, stop: &CancellationToken) -> bool {
        // A round is never cancelled: it may take the lease, which must then be given back.
        while !stop.is_cancelled() {
            match self.round().await {
                Ok(None) => {
                    self.leads = true;
                    self.log(ElectionEvent::Leads);
                    self.metrics.leads(true);
                    return true;
                }
                Ok(Some(leader)) => {
                    self.leadership.set(Role::StandsBy);
                    self.log(ElectionEvent::StandsBy { leader });
                }
                // Another process was faster: the next read shows which one.
                Err(error) if error.is_conflict() => {}
                Err(error) => {
                    // The holder may not have been able to renew the lease either.
                    self.observed.since = Instant::now();
                    self.leadership.set(Role::Unknown);
                    self.log(ElectionEvent::TakesNoPart(error));
                }
            }
            stop.run_until_cancelled(sleep(PERIOD)).await;
        }
        false
    }

    /// Keeps the lease until `done`, then gives it back. Cancels `stop` if another process has it.
    ///
    /// # Errors
    /// If another process has it.
    pub(crate) async fn keep(
        mut self,
        stop: CancellationToken,
        done: CancellationToken,
    ) -> Result<(), String> {
        while done.run_until_cancelled(sleep(PERIOD)).await.is_some() {
            match self.round().await {
                Ok(None) => self.log(ElectionEvent::Leads),
                Ok(Some(other)) => {
                    self.leadership.set(Role::StandsBy);
                    self.metrics.leads(false);
                    self.log(ElectionEvent::LeadsNoLonger);
                    stop.cancel();
                    return Err(format!(
                        "{other} has taken Lease {}, because this process did not renew it in time",
                        self.lease.name()
                    ));
                }
                Err(error) => self.log(ElectionEvent::NotRenewed(error)),
            }
            self.metrics.leads(self.leadership.is_current());
        }
        self.leadership.set(Role::StandsBy);
        self.metrics.leads(false);
        self.give_back().await;
        Ok(())
    }

    /// Reads the lease unless it is known, and writes it if this process may. Returns the leader, unless it is this process.
    async fn round(&mut self) -> Result<Option<String>, ApiError> {
        // A term counts from before the write, because others cannot have observed the write earlier.
        let end = End(Instant::now() + TERM, SystemTime::now() + TERM);
        if !self.observed.certain {
            self.read().await?;
        }
        let found = &self.observed.found;
        let holder = term::holder(&found.spec);
        // The lease is lost even if the other process has given it back since: the budgets and pauses known here are out of date.
        let lost = self.leads && holder != Some(&self.me);
        let spec = term::claim(&found.spec, self.observed.since.elapsed(), &self.me, now());
        let Some(spec) = spec.filter(|_| !lost) else {
            return Ok(Some(holder.unwrap_or("another process").to_owned()));
        };
        self.observed.certain = false;
        self.observed = ObservedLease {
            found: self.lease.write(spec, found.version.as_deref()).await?,
            since: Instant::now(),
            certain: true,
        };
        self.leadership.set(Role::Leads(end));
        Ok(None)
    }

    /// Reads the lease. Its time counts from when this version was first observed.
    async fn read(&mut self) -> Result<(), ApiError> {
        let found = self.lease.read().await?;
        if found.version != self.observed.found.version {
            self.observed.since = Instant::now();
        }
        self.observed.found = match found.version {
            Some(_) => found,
            // The holder may not know yet that the lease was deleted, and still leads.
            None => Found {
                spec: self.observed.found.spec.clone(),
                ..found
            },
        };
        Ok(())
    }

    /// Gives the lease back, so that the next process need not wait for its end.
    async fn give_back(&self) {
        let ObservedLease { found, certain, .. } = &self.observed;
        if !certain {
            return;
        }
        let spec = term::given_back(&found.spec, now());
        if let Err(error) = self.lease.write(spec, found.version.as_deref()).await {
            tracing::warn!(%error, "the lease was not given back");
        }
    }

    fn log(&mut self, event: ElectionEvent) {
        if self.logged.as_ref() == Some(&event) {
            return;
        }
        let lease = self.lease.name();
        if event.is_warning() {
            tracing::warn!(%lease, "{event}");
        } else {
            tracing::info!(%lease, "{event}");
        }
        self.logged = Some(event);
    }
}

#[cfg(test)]
mod tests;

//! Leader election: of the processes that share a Lease, one makes token requests.
//!
//! It protects the request budget of each client, which is kept in one process. A stored refresh token does not depend on it,
//! because the claim in the state fences every use.
//!
//! A leader that cannot renew the lease begins no exchange after its term. It resumes if it can renew before another process
//! takes the lease, so that a short outage of the API server restarts no process. A leader that finds another leader ends.
//!
//! Where the namespaces are divided into shards, a process needs two Leases. The processes of one shard count hold the first one
//! together, so those of another count, and a process that serves all namespaces, wait until the last of them is gone. The second
//! one belongs to the shard.
//!
//! ```text
//!   Lease            cube-operator            cube-operator-shard-0    cube-operator-shard-1    cube-operator-shard-2
//!   its holder       shards-3                 a process of 0/3         a process of 1/3         a process of 2/3
//!   without shards   the only leader
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "a term ends by the first of two clocks of this process"
)]

mod candidate;
mod event;
mod shard;
mod term;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

pub use crate::kubernetes::lease::Found;
use crate::{
    clock::now,
    kubernetes::{
        error::ApiError,
        lease::{LeaseAccess, LeaseName},
    },
    lock::lock,
    metrics::Metrics,
};
pub use candidate::{Candidate, Identity, Moment, Step};
use event::ElectionEvent;
pub use shard::Shard;

/// The interval at which a leader renews the lease, and a standby reads it.
const PERIOD: Duration = Duration::from_secs(2);

/// The leadership of this process: it leads while it has each of the Leases that it needs. Without any, it has no rivals.
#[derive(Clone, Debug)]
pub(crate) struct Leadership(Vec<Arc<Mutex<Role>>>);

#[derive(Debug, Default)]
enum Role {
    /// The lease could not be read, or taken.
    #[default]
    Unknown,
    /// Another process has the lease.
    StandsBy,
    /// This process leads until this time; a renewal extends it.
    Leads(Moment),
}

impl Leadership {
    /// The leadership of a process that has no rivals.
    #[must_use]
    pub(crate) fn alone() -> Self {
        Self(Vec::new())
    }

    /// The leadership of a process that needs so many Leases, and has none yet.
    #[must_use]
    pub(crate) fn of(leases: usize) -> Self {
        Self((0..leases).map(|_| Arc::default()).collect())
    }

    /// Returns whether an exchange may begin now.
    #[must_use]
    pub(crate) fn is_current(&self) -> bool {
        let now = moment();
        self.0.iter().all(|role| lock(role).is_current(now))
    }

    /// Returns whether this process is ready to take over: another one has the first of the Leases that this one lacks.
    #[must_use]
    pub(crate) fn stands_by(&self) -> bool {
        let now = moment();
        let missing = self.0.iter().find(|role| !lock(role).is_current(now));
        missing.is_some_and(|role| matches!(*lock(role), Role::StandsBy))
    }
}

impl Role {
    fn is_current(&self, now: Moment) -> bool {
        match self {
            Self::Leads(end) => !end.is_over(now),
            Self::Unknown | Self::StandsBy => false,
        }
    }
}

fn moment() -> Moment {
    Moment {
        instant: Instant::now(),
        time: SystemTime::now(),
    }
}

/// The elections of a process, in the order in which they have to be won.
#[must_use]
pub(crate) fn elections(
    client: &kube::Client,
    lease: &LeaseName,
    shard: Shard,
    me: &str,
    metrics: &Metrics,
) -> (Vec<Election>, Leadership) {
    let needed = shard.leases(&lease.name, me);
    let leadership = Leadership::of(needed.len());
    let needed = needed.into_iter().zip(&leadership.0);
    let elections = needed.map(|((name, identity), role)| Election {
        lease: LeaseAccess::new(client.clone(), lease.beside(name)),
        candidate: Candidate::new(identity, moment()),
        role: Arc::clone(role),
        leadership: leadership.clone(),
        metrics: metrics.clone(),
        logged: None,
    });
    (elections.collect(), leadership)
}

/// Does the work once all elections are won, one after the other. Each Lease is kept until `done`, and then given back.
///
/// # Errors
/// If another process has taken one of the Leases.
pub(crate) async fn lead(
    elections: Vec<Election>,
    stop: &CancellationToken,
    done: &CancellationToken,
    work: impl AsyncFnOnce(),
) -> Result<(), String> {
    let mut kept = JoinSet::new();
    let mut leads = true;
    for mut election in elections {
        leads = election.win(stop).await;
        if !leads {
            break;
        }
        kept.spawn(election.keep(stop.clone(), done.clone()));
    }
    if leads {
        work().await;
    } else {
        done.cancel();
    }
    kept.join_all().await.into_iter().collect()
}

/// A candidate for one Lease, or its holder.
pub(crate) struct Election {
    lease: LeaseAccess,
    candidate: Candidate,
    role: Arc<Mutex<Role>>,
    /// The leadership of the process, for which it may need other Leases too.
    leadership: Leadership,
    metrics: Metrics,
    /// The last event in the log, so that it is logged once.
    logged: Option<ElectionEvent>,
}

impl Election {
    /// Waits until this process has the lease, or is stopped. Returns whether it has it.
    pub(crate) async fn win(&mut self, stop: &CancellationToken) -> bool {
        // A round is never cancelled: it may take the lease, which must then be given back.
        while !stop.is_cancelled() {
            match self.round().await {
                Ok(None) => {
                    self.log_that_it_leads();
                    self.show();
                    return true;
                }
                Ok(Some(leader)) => {
                    self.set(Role::StandsBy);
                    self.log(ElectionEvent::StandsBy { leader });
                }
                // Another process was faster: the next read shows which one.
                Err(error) if error.is_conflict() => {}
                Err(error) => {
                    self.candidate.failed(moment());
                    self.set(Role::Unknown);
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
                Ok(None) => self.log_that_it_leads(),
                Ok(Some(other)) => {
                    self.set(Role::StandsBy);
                    self.show();
                    self.log(ElectionEvent::LeadsNoLonger);
                    stop.cancel();
                    return Err(format!(
                        "{other} has taken Lease {}, because this process did not renew it in time",
                        self.lease.name()
                    ));
                }
                // Another one of the group was faster, and the next read shows its renewal.
                Err(error) if error.is_conflict() && self.candidate.identity().is_group() => {}
                Err(error) => self.log(ElectionEvent::NotRenewed(error)),
            }
            self.show();
        }
        self.set(Role::StandsBy);
        self.show();
        self.give_back().await;
        Ok(())
    }

    /// Reads the lease unless it is known, and writes it if this process may. Returns the leader, unless it is this process.
    async fn round(&mut self) -> Result<Option<String>, ApiError> {
        let asked = moment();
        if self.candidate.must_read() {
            let found = self.lease.read().await?;
            self.candidate.read(found, asked, moment());
        }
        let end = match self.candidate.step(moment(), now()) {
            Step::StandsBy(leader) => return Ok(Some(leader)),
            Step::Leads(end) => end,
            Step::Write(spec) => {
                let version = self.candidate.found().version.as_deref();
                let written = self.lease.write(spec, version).await?;
                self.candidate.written(written, asked, moment())
            }
        };
        self.set(Role::Leads(end));
        Ok(None)
    }

    /// Gives the lease back, so that the next process need not wait for its end.
    async fn give_back(&self) {
        let Some(spec) = self.candidate.given_back(now()) else {
            return;
        };
        let version = self.candidate.found().version.as_deref();
        if let Err(error) = self.lease.write(spec, version).await {
            tracing::warn!(lease = %self.lease.name(), %error, "failed to release the Lease");
        }
    }

    fn set(&self, role: Role) {
        *lock(&self.role) = role;
    }

    fn show(&self) {
        self.metrics.leads(self.leadership.is_current());
    }

    fn log_that_it_leads(&mut self) {
        let identity = self.candidate.identity();
        let event = match identity {
            Identity::Process(_) => ElectionEvent::Leads,
            Identity::Group(group) => ElectionEvent::TakesPart {
                group: group.clone(),
            },
        };
        self.log(event);
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

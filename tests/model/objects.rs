//! The objects of one `CubeCredential`: how they are read, and how an action changes them.

mod writes;

use cube_operator::{
    api::{CubeCredentialStatus, annotation, label},
    api_error::ApiError,
    consumers::{ConsumerAccess, Consumers, Pod},
    oauth::hosts::HostList,
    reconcile::{
        AccountRole, Action, CaBundle, ClientValues, Credential, Event, NoAccountToken, Observed,
        OtherState, Outcome, PodList, PodsRefresh, Read, Source, SourceSecret, SourceValue,
        StateReading, TargetReading, TokenUse, is_state_of,
    },
};
use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    cluster::{Cluster, Stored},
    process::Process,
    workloads::Workloads,
};

/// A Secret that a user provides.
#[derive(Clone, Debug)]
pub(crate) struct Provided<T> {
    pub(crate) version: u64,
    pub(crate) labelled: bool,
    pub(crate) token_hosts: Option<String>,
    pub(crate) token_ca: Option<String>,
    pub(crate) values: T,
}

pub(crate) struct Objects {
    pub(crate) name: &'static str,
    pub(crate) uid: String,
    pub(crate) generation: i64,
    pub(crate) request: Option<String>,
    pub(crate) deleting: bool,
    pub(crate) rival: Option<String>,
    pub(crate) allowed_hosts: Option<HostList>,
    pub(crate) hides_network_detail: bool,
    pub(crate) token_hosts_required: bool,
    /// Why the next token of a ServiceAccount is not issued.
    pub(crate) no_account_token: Option<NoAccountToken>,
    /// The only use of a token that is not issued then; `None`: both.
    pub(crate) no_account_token_for: Option<AccountRole>,
    /// The tokens of ServiceAccounts that were issued.
    pub(crate) account_tokens: u64,
    pub(crate) status: CubeCredentialStatus,
    /// The events of all reports.
    pub(crate) events: Vec<Event>,
    pub(crate) source: Option<Provided<ClientValues>>,
    pub(crate) seed: Option<Provided<SourceValue>>,
    /// The only name of that Secret; `None`: whatever the spec names.
    pub(crate) seed_name: Option<&'static str>,
    pub(crate) ca_bundle: CaBundle,
    /// The pods of the namespace; `None`: they are not listed.
    pub(crate) pods: Option<Vec<Pod>>,
    /// What the operator may do with them, and with workloads.
    pub(crate) access: ConsumerAccess,
    /// The refreshes after which pods were annotated.
    pub(crate) pod_refreshes: Vec<PodsRefresh>,
    /// How the next refresh of pods fails.
    pub(crate) pods_fail: Option<ApiError>,
    pub(crate) workloads: Workloads,
    /// An older object that is given the same initial refresh token.
    pub(crate) older_login: Option<String>,
    pub(crate) cluster: Cluster,
}

impl Objects {
    pub(crate) fn new(name: &'static str, uid: &str) -> Self {
        Self {
            name,
            uid: uid.into(),
            generation: 1,
            request: None,
            deleting: false,
            rival: None,
            allowed_hosts: None,
            hides_network_detail: false,
            token_hosts_required: false,
            no_account_token: None,
            no_account_token_for: None,
            account_tokens: 0,
            status: CubeCredentialStatus::default(),
            events: Vec::new(),
            source: None,
            seed: None,
            seed_name: None,
            ca_bundle: CaBundle::Absent,
            pods: Some(Vec::new()),
            access: ConsumerAccess::default(),
            pod_refreshes: Vec::new(),
            pods_fail: None,
            workloads: Workloads::default(),
            older_login: None,
            cluster: Cluster::default(),
        }
    }

    pub(crate) fn credential(&self, status: CubeCredentialStatus) -> Credential {
        Credential {
            namespace: "treasury".into(),
            name: self.name.into(),
            uid: self.uid.clone(),
            generation: self.generation,
            deleting: self.deleting,
            refresh_request: self.request.clone(),
            status,
        }
    }

    /// Creates or replaces the Secret with the client.
    pub(crate) fn put_client(&mut self, id: SourceValue, secret: SourceValue) {
        let version = self.cluster.next_version();
        self.source = Some(Provided::new(
            version,
            ClientValues::with_secret(id, secret),
        ));
    }

    /// Creates or replaces the Secret with the initial refresh token.
    pub(crate) fn put_seed(&mut self, token: SourceValue) {
        let version = self.cluster.next_version();
        self.seed = Some(Provided::new(version, token));
    }

    /// The Secret with the initial refresh token, if that is its name.
    pub(super) fn seed_named(&self, name: &str) -> Option<&Provided<SourceValue>> {
        let is_named = self.seed_name.is_none_or(|only| only == name);
        self.seed.as_ref().filter(|_| is_named)
    }

    pub(crate) fn read(&self, what: &Read, observed: &Observed) -> Outcome {
        match what {
            Read::Target { name, .. } => Outcome::Target(self.read_target(name, observed)),
            Read::Previous { name } => Outcome::Previous {
                name: name.clone(),
                reading: self.read_target(name, observed),
            },
            Read::Consumers { secrets } => {
                let mut pods = Consumers::of(secrets);
                pods.add(self.pods.as_deref().unwrap_or_default());
                Outcome::Consumers {
                    secrets: secrets.clone(),
                    pods: PodList::Listed(pods),
                }
            }
            Read::OtherStates {
                state,
                labels,
                token_hashes,
            } => {
                let mut others = self.other_states(state, labels).into_iter();
                let elsewhere = others.find_map(|other| other.use_of(token_hashes));
                Outcome::OtherStates(elsewhere.unwrap_or(TokenUse::OnlyHere))
            }
            Read::Source { .. }
            | Read::ServiceAccount {
                role: AccountRole::Client,
                ..
            } => Outcome::Source(Provided::read(self.source.as_ref())),
            Read::ServiceAccount {
                role: AccountRole::Subject,
                ..
            } => Outcome::Seed(Provided::read(self.seed.as_ref())),
            Read::Seed { reference, .. } => {
                Outcome::Seed(Provided::read(self.seed_named(&reference.name)))
            }
            Read::Record { name } => Outcome::Record(self.read_state(name, observed)),
            Read::State { name } => Outcome::State(self.read_state(name, observed)),
            Read::CaBundle(_) => Outcome::CaBundle(self.ca_bundle.clone()),
            Read::Workloads { mark, workloads } => Outcome::Workloads {
                mark: mark.clone(),
                readings: self.workloads.read(workloads),
            },
        }
    }

    fn read_target(&self, name: &str, observed: &Observed) -> Option<TargetReading> {
        let secret = self.cluster.target(name)?;
        let foreign = secret.is_foreign_to(&observed.credential);
        let data = (!foreign).then(|| self.cluster.secrets[name].secret_data());
        Some(TargetReading {
            secret,
            data: data.unwrap_or_default(),
        })
    }

    fn other_states(&self, state: &str, labels: &[String]) -> Vec<OtherState> {
        let secrets = self.cluster.secrets.iter();
        let others = secrets.filter(|(name, stored)| {
            name.as_str() != state
                && labels
                    .iter()
                    .any(|label| label::is_set(&stored.labels, label))
        });
        let other = |(name, stored): (&String, &Stored)| OtherState {
            secret: name.clone(),
            owner: stored.annotations[annotation::OWNER_NAME].clone(),
            data: stored.secret_data(),
        };
        others.map(other).collect()
    }

    fn read_state(&self, name: &str, observed: &Observed) -> Option<StateReading> {
        let stored = self.cluster.secrets.get(name)?;
        let ours = is_state_of(
            &observed.credential,
            name,
            &stored.labels,
            &stored.annotations,
        );
        Some(StateReading {
            name: name.into(),
            uid: stored.uid.clone(),
            version: stored.version.to_string(),
            labels: stored.labels.clone(),
            annotations: stored.annotations.clone(),
            owners: stored.owners.clone(),
            data: ours.then(|| stored.secret_data()),
        })
    }

    /// Does what the process asks for, except for a token request. The next fault of the cluster is that of a write.
    pub(crate) fn act(
        &mut self,
        action: Action,
        process: &mut Process,
        observed: &Observed,
        now: Timestamp,
    ) -> Result<Outcome, ApiError> {
        match action {
            Action::TakePermit(request) => {
                let permit = process.budget.borrow_mut().take(&request, now);
                Ok(Outcome::Permit(request, permit))
            }
            Action::RequestAccountToken(role, _) => {
                Ok(Outcome::AccountToken(role, self.account_token(role)))
            }
            Action::Exchange(_) | Action::Probe(_) => unreachable!("another server responds to it"),
            Action::Store(state) => Ok(self.store(*state)),
            Action::Record(record) => self.record(*record),
            Action::Publish(target) => self.publish(&target, process),
            Action::RefreshPods(refresh) => {
                let fingerprint = refresh.fingerprint.clone();
                let error = self.pods_fail.clone();
                self.pod_refreshes.push(refresh);
                Ok(Outcome::PodsRefreshed { fingerprint, error })
            }
            Action::DeleteRecord(version) => Ok(self.delete_record(&version)),
            Action::Delete(version) => self.delete(&version, process, observed),
            Action::Report { status, events } => self.report(status, events),
            Action::Restart(restart) => {
                self.events.push(restart.event.clone());
                Ok(self.workloads.restart(restart))
            }
            Action::Announce(events) => {
                self.events.extend(events);
                Ok(Outcome::Announced)
            }
        }
    }

    fn account_token(&mut self, role: AccountRole) -> Result<SecretString, NoAccountToken> {
        let concerns = self.no_account_token_for.is_none_or(|only| only == role);
        if let Some(why) = self.no_account_token.clone().filter(|_| concerns) {
            return Err(why);
        }
        self.account_tokens += 1;
        let token = match role {
            AccountRole::Client => "S3CRET-assertion",
            AccountRole::Subject => "S3CRET-subject",
        };
        Ok(format!("{token}-{}", self.account_tokens).into())
    }
}

impl<T: Clone> Provided<T> {
    fn new(version: u64, values: T) -> Self {
        Self {
            version,
            labelled: true,
            token_hosts: None,
            token_ca: None,
            values,
        }
    }

    fn read(found: Option<&Self>) -> Source<T> {
        match found {
            None => Source::Absent,
            Some(found) if !found.labelled => Source::NotLabelled,
            Some(found) => Source::Read(SourceSecret {
                version: found.version.to_string(),
                token_hosts: found.token_hosts.clone(),
                token_ca: found.token_ca.clone(),
                values: found.values.clone(),
            }),
        }
    }

    /// What the watch on labelled Secrets shows of it.
    pub(super) fn watched(found: Option<&Self>) -> Source<T> {
        let labelled = found.filter(|found| found.labelled);
        Source::Unread(labelled.map(|found| found.version.to_string()))
    }
}

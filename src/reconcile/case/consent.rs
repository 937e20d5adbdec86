//! The hosts that the operator's flags and the owners of the Secrets allow, and the CAs that prove them.

use super::Case;
use crate::{
    oauth::endpoint::Endpoint,
    reconcile::source::{Holder, Rejection, SecretRole, Source, consent, preflight},
};

impl Case<'_> {
    /// Checks that the operator and the owners of the Secrets allow the host, and the one that the token is tried at.
    pub(in crate::reconcile) fn check_hosts(&self) -> Result<(), Rejection> {
        self.check_host(&self.settings.endpoint)?;
        if let Some(probe) = &self.settings.probe {
            self.check_host(&probe.endpoint)
                .map_err(Rejection::of_probe)?;
        }
        if self.observed.token_hosts_required {
            self.hosts_are_named()?;
        }
        Ok(())
    }

    fn check_host(&self, endpoint: &Endpoint) -> Result<(), Rejection> {
        let (observed, settings) = (self.observed, self.settings);
        preflight::operator_allows(observed.allowed_hosts.as_ref(), endpoint)?;
        let client_hosts = observed.source.token_hosts();
        preflight::owner_allows(Holder::of_client(settings), client_hosts, endpoint)?;
        if let Some(initial) = settings.grant.refresh_token() {
            for hosts in &self.seed_hosts() {
                preflight::owner_allows(secret(&initial.name), hosts.as_deref(), endpoint)?;
            }
        } else if let Some(subject) = Holder::of_seed(settings) {
            preflight::owner_allows(subject, observed.seed.token_hosts(), endpoint)?;
        }
        Ok(())
    }

    /// Checks that each Secret that is there names the hosts that it may be sent to. A seed that was deleted is not asked for
    /// again.
    fn hosts_are_named(&self) -> Result<(), Rejection> {
        let (observed, settings) = (self.observed, self.settings);
        if let Source::Read(client) = &observed.source {
            consent::names_hosts(Holder::of_client(settings), client)?;
        }
        match (Holder::of_seed(settings), &observed.seed) {
            (Some(holder), Source::Read(seed)) => consent::names_hosts(holder, seed),
            _ => Ok(()),
        }
    }

    /// The first Secret that names no hosts.
    pub(in crate::reconcile) fn unlimited_secret(&self) -> Option<SecretRole> {
        match self.hosts_are_named() {
            Err(Rejection::HostsNotNamed { holder })
                if holder == Holder::of_client(self.settings) =>
            {
                Some(SecretRole::of_client(self.settings))
            }
            Err(_) => SecretRole::of_seed(self.settings),
            Ok(()) => None,
        }
    }

    /// Checks that the owners of the Secrets allow the CA certificates of the spec, where a list of hosts applies to their
    /// Secret: its own or the installer's. After the seed was deleted, the consent of its owner at the last request
    /// holds, and the owner of the client's Secret speaks for it too.
    pub(in crate::reconcile) fn check_ca_certificates(&self) -> Result<(), Rejection> {
        let (observed, settings) = (self.observed, self.settings);
        let limited = |has_list: bool| has_list || observed.allowed_hosts.is_some();
        let initial = settings.grant.refresh_token();
        let limits_seed =
            initial.is_some() && limited(self.seed_hosts().iter().any(Option::is_some));
        let seed_is_read = matches!(observed.seed, Source::Read(_));
        if let Source::Read(client) = &observed.source
            && (limited(client.token_hosts.is_some()) || limits_seed && !seed_is_read)
        {
            let allowed = client.token_ca.as_deref();
            consent::allows_ca(Holder::of_client(settings), allowed, false, settings)?;
        }
        if initial.is_none()
            && let (Some(holder), Source::Read(subject)) =
                (Holder::of_seed(settings), &observed.seed)
            && limited(subject.token_hosts.is_some())
        {
            consent::allows_ca(holder, subject.token_ca.as_deref(), false, settings)?;
        }
        let Some(initial) = initial.filter(|_| limits_seed) else {
            return Ok(());
        };
        let stored = observed.state.stored();
        let recorded = stored.and_then(|login| login.record.token_ca.as_deref());
        match (&observed.seed, recorded) {
            (Source::Read(seed), _) => {
                let allowed = seed.token_ca.as_deref();
                consent::allows_ca(secret(&initial.name), allowed, false, settings)
            }
            (_, Some(recorded)) => {
                consent::allows_ca(secret(&initial.name), Some(recorded), true, settings)
            }
            (_, None) => Ok(()),
        }
    }
}

fn secret(name: &str) -> Holder {
    Holder::Secret(name.to_owned())
}

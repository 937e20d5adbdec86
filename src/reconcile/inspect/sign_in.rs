//! A person's sign-in needs these things from the cluster, for `kubectl cube login`.

use std::collections::BTreeMap;

use super::Inspection;
use crate::{
    api::annotation,
    oauth::{authentication::Authentication, ca_bundle::TrustedCa},
    reconcile::{
        finding::{Finding, InputFact},
        source::{CaOrigin, Rejection, Source, client, preflight},
    },
};

/// The client that signs in, after the checks of an exchange.
pub(crate) struct SignIn {
    pub(crate) authentication: Authentication,
    /// The same client with the other one of two client secrets.
    pub(crate) with_other_secret: Option<Authentication>,
    pub(crate) ca_bundle: Option<TrustedCa>,
    /// The hosts that the owner of the client allows, if there is a list.
    pub(crate) client_hosts: Option<String>,
    /// The annotations with which the Secret of the refresh token allows its use. Those of its owner are kept.
    pub(crate) consent: BTreeMap<&'static str, String>,
}

impl Inspection<'_> {
    /// The needs of a sign-in.
    ///
    /// # Errors
    /// The finding about the first input that an exchange would reject too.
    pub(crate) fn sign_in(&self) -> Result<SignIn, Box<Finding>> {
        self.signing_in().map_err(|rejection| {
            let settings = Box::new(self.0.settings.clone());
            Box::new(Finding::bad(InputFact::Rejected(rejection, settings)))
        })
    }

    fn signing_in(&self) -> Result<SignIn, Rejection> {
        let (observed, settings) = (self.0.observed, self.0.settings);
        preflight::provider(settings)?;
        let preferred = self.0.preferred_secret();
        let client = client::usable(settings, &observed.source, preferred, self.0.now)?;
        self.0.check_hosts()?;
        self.0.check_ca_certificates()?;
        let other = client.other_secret().cloned();
        let with_other = |secret| client.authentication.clone().with_client_secret(secret);
        Ok(SignIn {
            with_other_secret: other.map(with_other),
            authentication: client.authentication,
            client_hosts: observed.source.token_hosts().map(str::to_owned),
            ca_bundle: preflight::ca_bundle(settings, &observed.ca_bundle)?,
            consent: self.consent_to_refresh_token(),
        })
    }

    fn consent_to_refresh_token(&self) -> BTreeMap<&'static str, String> {
        let (observed, settings) = (self.0.observed, self.0.settings);
        let (hosts, ca) = match &observed.seed {
            Source::Read(seed) => (seed.token_hosts.clone(), seed.token_ca.clone()),
            Source::Unread(_) | Source::Absent | Source::NotLabelled => (None, None),
        };
        let bundle = CaOrigin::of(settings).map(|ca| ca.entry());
        let ca = match (ca, bundle) {
            (Some(ca), Some(bundle)) if !ca.split(',').any(|entry| entry.trim() == bundle) => {
                Some(format!("{ca},{bundle}"))
            }
            (ca, bundle) => ca.or(bundle),
        };
        let hosts = hosts.unwrap_or_else(|| settings.endpoint.authority());
        let hosts = [(annotation::TOKEN_HOSTS, hosts)];
        hosts
            .into_iter()
            .chain(ca.map(|ca| (annotation::TOKEN_CA, ca)))
            .collect()
    }
}

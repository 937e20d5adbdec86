//! The inputs that users provide besides the spec.

use std::sync::Arc;

use super::Inspection;
use crate::{
    oauth::{
        authentication::Authentication,
        ca_bundle::{CaCertificates, TrustedCa},
    },
    reconcile::{
        finding::{Finding, InputFact, KeyFact},
        settings::AccountToken,
        source::{AccountRole, CaOrigin, Rejection, Source, UsableClient, client, preflight},
    },
};

/// The private key of a client that has one.
fn key(client: &UsableClient) -> Option<KeyFact> {
    if let Some(bearer) = &client.bearer {
        return Some(KeyFact {
            kind: bearer.key.kind(),
            algorithm: Some(bearer.algorithm),
            id: bearer.key_id.clone(),
            certificate_expires_at: None,
        });
    }
    match &client.authentication {
        Authentication::PrivateKeyJwt(signer) | Authentication::Assertion { signer, .. } => {
            let certificate = signer.certificate.as_ref();
            Some(KeyFact {
                kind: signer.key.kind(),
                algorithm: Some(signer.algorithm),
                id: signer.key_id.clone(),
                certificate_expires_at: certificate.map(|certificate| certificate.not_after()),
            })
        }
        Authentication::MutualTls(client) => Some(KeyFact {
            kind: client.key.kind(),
            algorithm: None,
            id: None,
            certificate_expires_at: Some(client.certificate.not_after()),
        }),
        Authentication::Body(_)
        | Authentication::Basic(_)
        | Authentication::BasicEmptySecret { .. }
        | Authentication::None { .. }
        | Authentication::ByGrant { .. }
        | Authentication::ServiceAccountToken { .. } => None,
    }
}

/// A ServiceAccount whose token is requested only for an exchange.
fn consenting(account: &AccountToken) -> Finding {
    let account = account.service_account.clone();
    Finding::good(InputFact::ServiceAccount { account })
}

impl Inspection<'_> {
    /// The Secret with the client.
    pub(crate) fn source(&self) -> Finding {
        let settings = self.0.settings;
        let source = &self.0.observed.source;
        let checked = client::usable(settings, source, self.0.preferred_secret(), self.0.now);
        let missing = settings.two_secret_keys().and_then(|keys| {
            let Source::Read(found) = source else {
                return None;
            };
            preflight::missing_secret(&found.values, keys)
        });
        let client = checked.as_ref().ok();
        let key = client.and_then(key);
        let keys = settings.client_keys().filter(|key| Some(*key) != missing);
        let enabled = self.0.check_account_token(AccountRole::Client);
        let checked = enabled.and(checked);
        self.checked(checked, || {
            if let Some(account) = &settings.service_account {
                return consenting(account);
            }
            Finding::good(InputFact::Client {
                secret: settings.source.name.clone(),
                keys: keys.map(str::to_owned).collect(),
                works: self.0.working_secret(),
                key,
            })
        })
    }

    /// The Secret with the initial refresh token or the subject token, with the grants that have one, or the ServiceAccount of the
    /// subject.
    pub(crate) fn seed(&self) -> Option<Finding> {
        if let Some(account) = self.0.settings.grant.subject_account() {
            let enabled = self.0.check_account_token(AccountRole::Subject);
            return Some(self.checked(enabled.and(self.0.check_own_token()), || {
                consenting(account)
            }));
        }
        let initial = self.0.settings.grant.own_token()?;
        let secret = initial.name.clone();
        let usable = preflight::usable_token(&self.0.observed.seed);
        Some(self.checked(self.0.check_own_token(), || match usable {
            Some(_) => Finding::good(InputFact::InitialToken {
                secret,
                key: initial.key.clone(),
            }),
            None => Finding::unseen(InputFact::InitialTokenGone { secret }),
        }))
    }

    /// The further CA certificates, if there are any.
    pub(crate) fn ca_bundle(&self) -> Option<Finding> {
        let ca = CaOrigin::of(self.0.settings)?;
        let read = preflight::ca_bundle(self.0.settings, &self.0.observed.ca_bundle);
        let read = self.0.check_ca_certificates().and(read);
        let certificates = match &read {
            Ok(Some(trusted)) => Some(Arc::clone(&trusted.certificates)),
            _ => None,
        };
        Some(self.checked(read, || self.ca_certificates(ca, certificates.as_deref())))
    }

    /// A bundle that can be used, perhaps not as a whole.
    fn ca_certificates(&self, ca: CaOrigin, certificates: Option<&CaCertificates>) -> Finding {
        let left_out = certificates.and_then(CaCertificates::left_out);
        let expired = certificates.and_then(CaCertificates::first_to_expire);
        let expired = expired.filter(|expiry| expiry.at < self.0.now);
        let fact = InputFact::CaBundle {
            ca,
            key: match &self.0.settings.ca_bundle {
                Some(reference) => reference.key.clone(),
                // A provider object has them in a field of this name.
                None => self
                    .0
                    .settings
                    .provider_ca_field()
                    .unwrap_or_default()
                    .to_owned(),
            },
            certificates: certificates.map_or(0, |found| found.roots().len()),
            left_out,
            expired,
        };
        if left_out.is_some() || expired.is_some() {
            return Finding::notice(fact);
        }
        Finding::good(fact)
    }

    /// The CA certificates that an exchange would trust besides or in place of the system's.
    pub(crate) fn trusted_ca(&self) -> Option<TrustedCa> {
        let read = preflight::ca_bundle(self.0.settings, &self.0.observed.ca_bundle);
        read.ok().flatten()
    }

    /// Returns whether the operator and the owners of the Secrets allow the host.
    pub(crate) fn hosts(&self) -> Finding {
        let host = self.0.settings.endpoint.authority();
        self.checked(self.0.check_hosts(), || match &self.0.observed.source {
            Source::Unread(_) => Finding::unseen(InputFact::HostConsentUnknown {
                secret: self.0.settings.source.name.clone(),
                host,
            }),
            _ => match self.0.unlimited_secret() {
                Some(role) => {
                    let settings = Box::new(self.0.settings.clone());
                    Finding::notice(InputFact::HostsNotNamed(role, settings))
                }
                None => Finding::good(InputFact::HostAllowed { host }),
            },
        })
    }

    /// The finding about an input that is not rejected.
    fn checked<T>(
        &self,
        checked: Result<T, Rejection>,
        usable: impl FnOnce() -> Finding,
    ) -> Finding {
        match checked {
            Ok(_) => usable(),
            Err(rejection) => {
                let settings = Box::new(self.0.settings.clone());
                Finding::bad(InputFact::Rejected(rejection, settings))
            }
        }
    }
}

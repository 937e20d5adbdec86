//! The client in its Secret, and the checks of its values before anything is sent.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{
    ClientKeyFlaw, ClientValues, Rejection, SecretKey, SecretRole, Source, SourceCertificate,
    SourceKey, SourceSecret, SourceValue, UsableClient,
    preflight::{Checked, absent, key_missing, malformed, not_labelled, text},
    secrets::Secrets,
};
use crate::{
    api::{ClientAuthentication, SigningAlgorithm},
    oauth::{
        assertion::Signer,
        authentication::{Authentication, Client, ClientValue},
        grant::{BearerClaims, JwtBearer},
        identity::{CertifiedClient, ClientCertificate},
        private_key::PrivateKey,
    },
    reconcile::settings::Settings,
};

/// The client, if all values that its method needs are present and can be used. Of two client secrets, the preferred one is sent.
pub(in crate::reconcile) fn usable(
    settings: &Settings,
    source: &Source,
    preferred: SecretKey,
    now: Timestamp,
) -> Checked<UsableClient> {
    let role = SecretRole::of_client(settings);
    let name = &settings.source.name;
    let found = match source {
        Source::Absent => return Err(absent(role, name)),
        // Its content may not be read, and no watch reports on it without the label.
        Source::NotLabelled | Source::Unread(_) => return Err(not_labelled(role, name)),
        Source::Read(found) => found,
    };
    let values = Values {
        settings,
        found,
        now,
    };
    let (authentication, secrets) = values.authentication(preferred)?;
    let bearer = match settings.grant.assertion() {
        Some(claims) => Some(values.bearer(claims, authentication.client_id())?),
        None => None,
    };
    Ok(UsableClient {
        authentication,
        secrets,
        bearer,
    })
}

/// The values of a Secret that was read.
struct Values<'a> {
    settings: &'a Settings,
    found: &'a SourceSecret<ClientValues>,
    now: Timestamp,
}

impl<'a> Values<'a> {
    fn authentication(&self, preferred: SecretKey) -> Checked<(Authentication, Option<Secrets>)> {
        let with_secret = |method: fn(Client) -> Authentication| {
            let id = self.id()?;
            let (secret, secrets) = self.secret(preferred)?;
            Ok((method(Client { id, secret }), Some(secrets)))
        };
        let authentication = match self.settings.authentication {
            ClientAuthentication::Body => return with_secret(Authentication::Body),
            ClientAuthentication::Basic => return with_secret(Authentication::Basic),
            ClientAuthentication::BasicEmptySecret => {
                Authentication::BasicEmptySecret { id: self.id()? }
            }
            ClientAuthentication::None if self.settings.grant.assertion().is_some() => {
                Authentication::ByGrant { id: self.id()? }
            }
            ClientAuthentication::None => Authentication::None { id: self.id()? },
            ClientAuthentication::PrivateKeyJwt => Authentication::PrivateKeyJwt(self.signer()?),
            ClientAuthentication::MutualTls => Authentication::MutualTls(self.certified()?),
            ClientAuthentication::ServiceAccountToken => self.account(),
        };
        Ok((authentication, None))
    }

    /// The assertion of the grant. It is signed when the request is sent.
    fn bearer(&self, claims: &BearerClaims, client_id: &str) -> Checked<JwtBearer> {
        let key = self.private_key()?;
        let algorithm = self.algorithm(&key, claims.algorithm)?;
        let issuer = claims.issuer.as_deref().unwrap_or(client_id);
        let key_id = claims.key_id.as_deref().or(key.id());
        Ok(JwtBearer {
            issuer: issuer.to_owned(),
            subject: claims.subject.clone(),
            audience: claims.audience.clone(),
            algorithm,
            key_id: key_id.map(str::to_owned),
            key,
            assertion: SecretString::default(),
        })
    }

    fn algorithm(
        &self,
        key: &PrivateKey,
        wanted: Option<SigningAlgorithm>,
    ) -> Checked<SigningAlgorithm> {
        let unusable = |flaw| self.unusable(ClientValue::PrivateKey, ClientKeyFlaw::Key(flaw));
        key.algorithm(wanted).map_err(unusable)
    }

    fn id(&self) -> Checked<String> {
        if let Some(id) = &self.settings.client_id {
            return Ok(id.clone());
        }
        let id = self.text(self.key(ClientValue::Id), &self.found.values.id)?;
        let id = id.ok_or_else(|| self.missing(ClientValue::Id))?;
        Ok(id.expose_secret().to_owned())
    }

    /// The client secret that is sent, and the other one. One that cannot be sent counts as missing while the other one can: a
    /// rotation must not stop what works.
    fn secret(&self, preferred: SecretKey) -> Checked<(SecretString, Secrets)> {
        let mut keys = self.settings.source.client_secret_keys();
        let mut read = |value| match keys.next() {
            Some(key) => self.text(key, value),
            None => Ok(None),
        };
        let values = &self.found.values;
        let (first, second) = match (read(&values.secret), read(&values.next_secret)) {
            (Ok(Some(first)), Err(_)) => (Some(first), None),
            (Err(_), Ok(Some(second))) => (None, Some(second)),
            (first, second) => (first?, second?),
        };
        let missing = || self.missing(ClientValue::Secret);
        Secrets::choose(first.cloned(), second.cloned(), preferred).ok_or_else(missing)
    }

    fn text(&self, key: &str, value: &'a SourceValue) -> Checked<Option<&'a SecretString>> {
        text(value).map_err(|flaw| malformed(SecretRole::Client, self.name(), key, flaw))
    }

    fn signer(&self) -> Checked<Signer> {
        let settings = self.settings;
        let id = self.id()?;
        let key = self.private_key()?;
        let wanted = settings.assertion.as_deref();
        let algorithm = self.algorithm(&key, wanted.and_then(|wanted| wanted.algorithm))?;
        let audience = wanted.and_then(|wanted| wanted.audience.clone());
        let key_id = wanted.and_then(|wanted| wanted.key_id.clone());
        Ok(Signer {
            id,
            algorithm,
            key_id: key_id.or_else(|| key.id().map(str::to_owned)),
            certificate: self.certificate(&key)?,
            audience: audience.unwrap_or_else(|| settings.endpoint.url().to_string()),
            key,
        })
    }

    /// The client that has no value in a Secret. Its token is requested last of all.
    fn account(&self) -> Authentication {
        let settings = self.settings;
        let account = settings.service_account.as_ref();
        let subject = account.map(|account| account.subject(&settings.namespace));
        Authentication::ServiceAccountToken {
            id: settings.client_id.clone(),
            subject: subject.unwrap_or_default(),
            token: SecretString::default(),
        }
    }

    fn certified(&self) -> Checked<CertifiedClient> {
        let id = self.id()?;
        let key = self.private_key()?;
        let certificate = self.certificate(&key)?;
        let certificate = certificate.ok_or_else(|| self.missing(ClientValue::Certificate))?;
        Ok(CertifiedClient {
            id,
            key,
            certificate,
        })
    }

    fn private_key(&self) -> Checked<Arc<PrivateKey>> {
        let value = ClientValue::PrivateKey;
        match &self.found.values.key {
            SourceKey::Absent => Err(self.missing(value)),
            SourceKey::Unusable(flaw) => Err(self.unusable(value, ClientKeyFlaw::Key(*flaw))),
            SourceKey::Read(key) => Ok(Arc::clone(key)),
        }
    }

    /// The certificate that the spec names, if it names one.
    fn certificate(&self, key: &PrivateKey) -> Checked<Option<Arc<ClientCertificate>>> {
        let value = ClientValue::Certificate;
        if self.settings.client_key(value).is_none() {
            return Ok(None);
        }
        match &self.found.values.certificate {
            SourceCertificate::Absent => Err(self.missing(value)),
            SourceCertificate::Unusable => Err(self.unusable(value, ClientKeyFlaw::NoCertificate)),
            SourceCertificate::Read(certificate) => match self.flaw(certificate, key) {
                Some(flaw) => Err(self.unusable(value, flaw)),
                None => Ok(Some(Arc::clone(certificate))),
            },
        }
    }

    fn flaw(&self, certificate: &ClientCertificate, key: &PrivateKey) -> Option<ClientKeyFlaw> {
        if !certificate.is_of(key) {
            return Some(ClientKeyFlaw::OtherCertificate);
        }
        let (from, at) = (certificate.not_before(), certificate.not_after());
        if at < self.now {
            return Some(ClientKeyFlaw::Expired { at });
        }
        (self.now < from).then_some(ClientKeyFlaw::NotYetValid { from })
    }

    fn missing(&self, value: ClientValue) -> Rejection {
        key_missing(SecretRole::Client, self.name(), self.key(value))
    }

    fn unusable(&self, value: ClientValue, flaw: ClientKeyFlaw) -> Rejection {
        Rejection::ClientKey {
            name: self.name().to_owned(),
            key: self.key(value).to_owned(),
            flaw,
        }
    }

    fn name(&self) -> &'a str {
        &self.settings.source.name
    }

    fn key(&self, value: ClientValue) -> &'a str {
        self.settings.client_key(value).unwrap_or_default()
    }
}

//! The observation that a reconcile begins with. It uses only the caches of the watches, which costs no request; everything else
//! is read when a decision needs it.

use std::sync::Mutex;

use super::{
    arrival::Watched,
    cache::Cache,
    context::Context,
    convert,
    slim::KeptTarget,
    watched::{service_account, spec, subject_account, target_name},
};
use crate::{
    api::CubeCredential,
    lock::lock,
    object::ObjectKey,
    reconcile::{
        AccountTokens, CaBundle, Credential, FoundProvider, Memory, Observed, Record, Settings,
        SettingsError, Source, State, Target, TokenUse,
    },
};

impl Context {
    /// Observes an object without a request.
    #[must_use]
    pub fn observe(&self, object: &Watched, memory: Memory) -> Observed {
        let credential = convert::credential(object);
        let settings = match &object.0 {
            Ok(object) => {
                let (namespace, name) = (&credential.namespace, &credential.name);
                Settings::with_provider(namespace, name, &object.spec, self.provider(object))
            }
            Err(invalid) => Err(SettingsError::Unreadable(invalid.to_string())),
        };
        let target = target_name(object).unwrap_or_default();
        let spec = spec(object);
        // The version of a Secret by this name that a watch shows.
        let version = |watched: &Mutex<Cache<Box<str>>>, name: Option<&String>| {
            let key = ObjectKey::new(&credential.namespace, name?);
            lock(watched).get(&key).map(ToString::to_string)
        };
        let secret = spec.and_then(|spec| spec.client_secret_ref.as_ref());
        let account = spec.and_then(service_account);
        let own_token = settings.as_ref().ok();
        let own_token = own_token.and_then(|settings| settings.grant.own_token());
        let state = settings.as_ref().ok().map(|settings| &settings.state_name);
        let source = match account {
            Some(account) => version(&self.service_accounts, Some(account)),
            None => version(&self.sources, secret.map(|secret| &secret.name)),
        };
        let seed = match spec.and_then(subject_account) {
            Some(account) => version(&self.service_accounts, Some(account)),
            None => version(&self.sources, own_token.map(|token| &token.name)),
        };
        let watched_state = version(&self.states, state);
        let record = settings.as_ref().ok().map(|settings| &settings.record_name);
        let watched_record = version(&self.states, record);
        Observed {
            older_rival: self.older_rival(object),
            target: self.cached_target(&credential, &target),
            previous: self.previous_targets(&credential.namespace, &credential.uid, &target),
            target_key: None,
            record: Record::Unread,
            watched_record,
            access: self.parts.access,
            source: Source::Unread(source),
            seed: Source::Unread(seed),
            older_login: self.older_login(object),
            state: State::Unread,
            watched_state,
            token_use: TokenUse::Unread,
            identity: self.parts.identity.clone(),
            ca_bundle: CaBundle::Unread,
            account_tokens: AccountTokens::default(),
            account_tokens_enabled: self.parts.api_audiences.is_some(),
            permit: None,
            slot: None,
            allowed_hosts: self.parts.allowed_hosts.clone(),
            hides_network_detail: self.parts.hides_network_detail,
            token_hosts_required: self.parts.token_hosts_required,
            credential,
            settings,
            memory,
        }
    }

    /// The provider object that a spec names, as the watches show it.
    pub(crate) fn provider(&self, object: &CubeCredential) -> FoundProvider {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        match &object.spec.provider_ref {
            Some(reference) => lock(&self.providers).find(reference, namespace),
            None => FoundProvider::Unlisted,
        }
    }

    fn cached_target(&self, credential: &Credential, name: &str) -> Target {
        let key = ObjectKey::new(&credential.namespace, name);
        let cached = lock(&self.targets).get(&key).and_then(KeptTarget::unpack);
        cached.map_or(Target::Unknown, |secret| {
            Target::Present(self.with_owner(secret, &credential.namespace))
        })
    }
}

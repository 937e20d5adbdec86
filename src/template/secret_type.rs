//! The types of Kubernetes that a target may have, and what the API server demands of their data.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{TemplateError, TemplateErrorKind};

/// A type of Kubernetes for credentials of others. The types for credentials of the cluster itself are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretType {
    /// A user name and a password.
    BasicAuth,
    /// Credentials of registries, in the format of old versions of Docker.
    DockerCfg,
    /// Credentials of registries.
    DockerConfigJson,
    /// A private key for SSH.
    SshAuth,
    /// A certificate and its private key.
    Tls,
}

impl SecretType {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::BasicAuth,
        Self::DockerCfg,
        Self::DockerConfigJson,
        Self::SshAuth,
        Self::Tls,
    ];

    /// The type with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The name, as a Secret has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BasicAuth => "kubernetes.io/basic-auth",
            Self::DockerCfg => "kubernetes.io/dockercfg",
            Self::DockerConfigJson => "kubernetes.io/dockerconfigjson",
            Self::SshAuth => "kubernetes.io/ssh-auth",
            Self::Tls => "kubernetes.io/tls",
        }
    }

    /// The key that is missing among these, for a message.
    #[must_use]
    pub fn missing_key(self, has: impl Fn(&str) -> bool) -> Option<&'static str> {
        let needed: &[&str] = match self {
            Self::BasicAuth if has("username") || has("password") => &[],
            Self::BasicAuth => return Some("username or password"),
            Self::DockerCfg => &[".dockercfg"],
            Self::DockerConfigJson => &[".dockerconfigjson"],
            Self::SshAuth => &["ssh-privatekey"],
            Self::Tls => &["tls.crt", "tls.key"],
        };
        needed.iter().find(|key| !has(key)).copied()
    }

    /// Checks rendered data, as the API server will. What was rendered before the first response may fail only because of a
    /// placeholder.
    ///
    /// # Errors
    /// Names the key and what it must hold.
    pub fn check(self, data: &BTreeMap<String, SecretString>) -> Result<(), TemplateError> {
        let error = |key: &str, kind| {
            Err(TemplateError {
                key: key.to_owned(),
                line: None,
                kind,
            })
        };
        if let Some(key) = self.missing_key(|key| data.contains_key(key)) {
            return error(key, TemplateErrorKind::TypeKey(self.name(), key));
        }
        let (key, is_valid, content) = match self {
            Self::BasicAuth | Self::Tls => return Ok(()),
            Self::SshAuth => ("ssh-privatekey", is_present as fn(&_) -> _, "a private key"),
            Self::DockerCfg => (".dockercfg", is_object as fn(&_) -> _, "a JSON object"),
            Self::DockerConfigJson => {
                let content = "a JSON object with field \"auths\"";
                (".dockerconfigjson", has_auths as fn(&_) -> _, content)
            }
        };
        if data.get(key).is_some_and(is_valid) {
            return Ok(());
        }
        error(key, TemplateErrorKind::TypeContent(self.name(), content))
    }
}

fn is_present(text: &SecretString) -> bool {
    !text.expose_secret().is_empty()
}

fn is_object(text: &SecretString) -> bool {
    object(text).is_some()
}

fn has_auths(text: &SecretString) -> bool {
    object(text).is_some_and(|fields| fields.get("auths").is_some_and(Value::is_object))
}

fn object(text: &SecretString) -> Option<Map<String, Value>> {
    serde_json::from_str(text.expose_secret()).ok()
}

//! The Secrets that the operator writes: the target and the state.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// One version of one Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SecretVersion {
    pub name: String,
    pub uid: String,
    pub version: String,
}

/// A Secret of ours as it should be.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DesiredSecret {
    pub name: String,
    pub r#type: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub data: BTreeMap<String, SecretString>,
    /// True if it has an owner reference.
    pub owned: bool,
    /// The version that it replaces; `None`: it must not exist yet.
    pub replaces: Option<SecretVersion>,
}

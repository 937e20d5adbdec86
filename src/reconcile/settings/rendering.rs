//! The templates of the target, as the spec has them.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::{
    api::TargetSpec,
    reconcile::digest::{Fields, hex},
    template::{SecretType, TemplateError, Templates, Values},
};

type Compiled = Result<Arc<Templates>, TemplateError>;

/// The templates of the target.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// They are compiled when they are first needed: most reconciles render nothing.
    compiled: OnceLock<Compiled>,
    /// Their hash. They are in the spec, which everybody may read who may read this hash on a target.
    pub hash: String,
    /// Their keys, separated by commas: none of them can contain one.
    pub keys: String,
}

impl Rendering {
    /// The rendering of these templates, if there are some.
    pub(super) fn of(data: &BTreeMap<String, String>) -> Option<Self> {
        if data.is_empty() {
            return None;
        }
        let mut fields = Fields::default();
        for (key, template) in data {
            fields.push(key);
            fields.push(template);
        }
        let keys: Vec<&str> = data.keys().map(String::as_str).collect();
        Some(Self {
            compiled: OnceLock::new(),
            hash: hex(&Sha256::digest(fields.into_bytes())[..8]),
            keys: keys.join(","),
        })
    }

    /// The templates of this target, or the reason why they cannot be used whatever the provider responds.
    pub(super) fn templates(
        &self,
        namespace: &str,
        name: &str,
        scopes: &[String],
        target: &TargetSpec,
    ) -> Result<&Templates, &TemplateError> {
        let compile = || tried(namespace, name, scopes, target).map(Arc::new);
        self.compiled.get_or_init(compile).as_ref().map(Arc::as_ref)
    }
}

/// Returns whether a Secret of this type may hold this data.
///
/// # Errors
/// Names the key, and what it must hold.
pub(in crate::reconcile) fn fits(
    r#type: &str,
    data: &BTreeMap<String, SecretString>,
) -> Result<(), TemplateError> {
    SecretType::named(r#type).map_or(Ok(()), |r#type| r#type.check(data))
}

/// The templates, tried with a token of no value: what is wrong with them is found before a token is requested.
fn tried(
    namespace: &str,
    name: &str,
    scopes: &[String],
    target: &TargetSpec,
) -> Result<Templates, TemplateError> {
    let templates = Templates::compile(&target.data)?;
    let data = templates.render(&Values {
        access_token: &"token".into(),
        token_type: "Bearer",
        issued_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH,
        scopes,
        client_id: "client",
        namespace,
        name,
        response: None,
    })?;
    // A response may mend what a placeholder breaks.
    if !templates.names_response() {
        fits(&target.r#type, &data)?;
    }
    Ok(templates)
}

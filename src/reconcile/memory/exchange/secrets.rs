//! The memory of two client secrets: which one works, and which one was refused before the other is tried.

use crate::reconcile::{
    source::{SecretKey, SentSecret},
    token::InputsDigest,
};

/// Only credentials whose spec names two keys for the client secret have something to remember.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct SecretsMemory(Option<Box<Secrets>>);

#[derive(Clone, Debug, Default)]
struct Secrets {
    /// The key of the secret that last worked. An earlier process has it in the status.
    works: Option<String>,
    /// The secret that was refused, until the other one has worked or was refused too.
    refused: Option<(SecretKey, InputsDigest)>,
}

impl SecretsMemory {
    /// The key of the client secret that last worked in this process.
    pub(in crate::reconcile) fn working(&self) -> Option<&str> {
        self.0.as_ref()?.works.as_deref()
    }

    /// Returns whether this one of two client secrets was refused. The digest covers both of them: others are not refused.
    pub(in crate::reconcile) fn has_refused(
        &self,
        key: SecretKey,
        digest: impl FnOnce() -> InputsDigest,
    ) -> bool {
        let refused = self.0.as_ref().and_then(|secrets| secrets.refused.as_ref());
        refused.is_some_and(|(refused, of)| *refused == key && *of == digest())
    }

    /// The provider has refused this one of two client secrets: the other one is tried before the attempt counts as failed.
    pub(in crate::reconcile) fn refused(&mut self, key: SecretKey, of: InputsDigest) {
        self.0.get_or_insert_default().refused = Some((key, of));
    }

    /// Both client secrets were refused: the next attempt begins anew.
    pub(in crate::reconcile) fn forget_refused(&mut self) {
        if let Some(secrets) = &mut self.0 {
            secrets.refused = None;
        }
    }

    /// The provider has accepted this client secret.
    pub(in crate::reconcile) fn worked(&mut self, sent: Option<&SentSecret>) {
        self.0 = sent.map(|sent| {
            Box::new(Secrets {
                works: Some(sent.name.clone()),
                refused: None,
            })
        });
    }
}

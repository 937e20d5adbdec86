//! The facts of the templates: what they make of a token, and where the token is that they may hide.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::Case;
use crate::{
    reconcile::{
        plan::Read,
        record::Record,
        settings::fits,
        source::Rejection,
        target::{BEARER, DesiredContent},
        token::{Token, fingerprint},
    },
    template::{TemplateError, Templates, Values},
};

/// Why a token cannot be published as the spec wants it.
#[derive(Debug)]
pub(in crate::reconcile) enum Unrendered {
    /// Something must be read first.
    Unconfirmed(Read),
    /// The templates name what nobody has kept of this token. Another token brings it.
    Forgotten,
    /// The templates are wrong.
    Rejected(Rejection),
}

impl Case<'_> {
    /// The content of the target for this token.
    pub(in crate::reconcile) fn content_of(
        &self,
        token: &Token,
    ) -> Result<DesiredContent, Unrendered> {
        let Some(templates) = self.settings.templates() else {
            return Ok(DesiredContent::Plain);
        };
        let templates = templates.map_err(|error| Unrendered::Rejected(rejected(error)))?;
        if self.lacks_details(token) {
            return Err(self.unknown());
        }
        let consumed_seed = match token.metadata.consumed_seed {
            Some(_) => Some(self.seed_of_login()?),
            None => None,
        };
        if self.observed.source.is_unread() {
            let read = Read::source(self.settings, &self.observed.source);
            return Err(Unrendered::Unconfirmed(read));
        }
        let data = self.rendered(templates, token);
        Ok(DesiredContent::Rendered {
            data: data.map_err(Unrendered::Rejected)?,
            consumed_seed,
            // Of a token that is about to be replaced, nothing is proven.
            inputs: self
                .token_inputs()
                .ok()
                .filter(|inputs| inputs.fit(&token.value, &token.metadata.inputs_hash)),
        })
    }

    fn rendered(
        &self,
        templates: &Templates,
        token: &Token,
    ) -> Result<BTreeMap<String, SecretString>, Rejection> {
        let details = token.details.as_deref();
        let values = Values {
            access_token: &token.value,
            token_type: BEARER,
            issued_at: token.metadata.issued_at,
            expires_at: token.metadata.expires_at,
            scopes: &token.metadata.scopes,
            client_id: details.map_or("", |details| &details.client_id),
            namespace: &self.settings.namespace,
            name: &self.settings.name,
            response: details.map(|details| &details.fields),
        };
        let data = templates.render(&values).map_err(Rejection::Template)?;
        fits(&self.settings.target.r#type, &data).map_err(Rejection::Template)?;
        Ok(data)
    }

    /// Returns whether the templates name what nobody has kept of the token at hand, so that only another token can be published.
    pub(in crate::reconcile) fn is_forgotten(&self) -> bool {
        let at_hand = self.observed.memory.target.token();
        at_hand.is_some_and(|token| self.lacks_details(token))
            && self.read_beside_target().is_none()
    }

    fn lacks_details(&self, token: &Token) -> bool {
        let Some(Ok(templates)) = self.settings.templates() else {
            return false;
        };
        match &token.details {
            None => templates.names_response() || templates.names_client_id(),
            Some(details) => templates.names_id_token() && !details.with_id_token,
        }
    }

    /// Nothing counts as forgotten before the Secret beside the target was read.
    fn unknown(&self) -> Unrendered {
        let read = self.read_beside_target();
        read.map_or(Unrendered::Forgotten, Unrendered::Unconfirmed)
    }

    /// The hash of the initial refresh token, for the mark that it is consumed.
    fn seed_of_login(&self) -> Result<String, Unrendered> {
        let stored = self.observed.state.stored();
        let seed = stored.map(|stored| stored.record.seed.clone());
        seed.ok_or_else(|| self.unknown())
    }

    /// The read that brings the token of the target; `None`: it was made, and did not bring it.
    pub(in crate::reconcile) fn read_of_token(&self) -> Option<Read> {
        let rendered = self.target().is_some_and(|target| {
            // One that was edited is written again from what is beside it.
            target.is_rendered() || (target.is_damaged() && self.settings.rendering.is_some())
        });
        if rendered {
            return self.read_beside_target();
        }
        Some(Read::target(self.settings, &self.observed.target))
    }

    /// The read of the Secret of ours that holds the token of a rendered target, unless it was read.
    pub(in crate::reconcile) fn read_beside_target(&self) -> Option<Read> {
        let observed = self.observed;
        if self.settings.grant.refresh_token().is_some() {
            return observed
                .state
                .is_unread()
                .then(|| Read::state(self.settings));
        }
        observed
            .record
            .is_unread()
            .then(|| Read::record(self.settings))
    }

    /// Checks that the last response is fit for the templates, as far as it is known.
    pub(in crate::reconcile) fn check_templates(&self) -> Result<(), Rejection> {
        let Some(templates) = self.settings.templates() else {
            return Ok(());
        };
        let templates = templates.map_err(rejected)?;
        if self.is_rendered() {
            return Ok(());
        }
        let other = |token: &Token| self.lacks_details(token) || self.is_of_other_inputs(token);
        let Some(token) = self.last_token().filter(|token| !other(token)) else {
            return Ok(());
        };
        // A person may know that the next response is another one.
        if self.requested(&token.metadata) {
            return Ok(());
        }
        self.rendered(templates, &token).map(|_| ())
    }

    /// Returns whether a token was issued for other inputs than those of the spec, whose response may be another one.
    pub(in crate::reconcile) fn is_of_other_inputs(&self, token: &Token) -> bool {
        let inputs = self.token_inputs();
        inputs.is_ok_and(|inputs| !inputs.fit(&token.value, &token.metadata.inputs_hash))
    }

    /// Returns whether the present templates have made what the target holds.
    fn is_rendered(&self) -> bool {
        let on_target = self.target().filter(|target| target.is_confirmed());
        let rendering = self.settings.rendering.as_ref();
        on_target
            .zip(rendering)
            .is_some_and(|(target, rendering)| target.is_rendered_with(rendering))
    }

    /// The last token with its details, as far as they are known.
    fn last_token(&self) -> Option<Token> {
        let observed = self.observed;
        let stored = || observed.state.stored()?.token();
        let known = [
            observed.memory.target.token().cloned(),
            observed.record.token().cloned(),
            stored(),
        ];
        let mut known = known.into_iter().flatten();
        known.find(|token| token.details.is_some())
    }
}

fn rejected(error: &TemplateError) -> Rejection {
    Rejection::Template(error.clone())
}

/// The record.
impl Case<'_> {
    /// Returns whether the token is kept beside the target. With a stored refresh token, the state has it.
    pub(in crate::reconcile) fn wants_record(&self) -> bool {
        self.settings.rendering.is_some() && self.settings.grant.refresh_token().is_none()
    }

    /// Returns whether the record holds this token, with everything that may be kept of it.
    pub(in crate::reconcile) fn is_recorded(&self, token: &Token) -> bool {
        let Record::Present(record) = &self.observed.record else {
            return false;
        };
        let recorded = self.observed.record.token();
        let same = |found: &Token| {
            fingerprint(&found.value) == fingerprint(&token.value)
                && found.metadata.issued_at == token.metadata.issued_at
                && found.details.is_some() == token.details.is_some()
        };
        record.owned == self.settings.owns_target() && recorded.is_some_and(same)
    }

    /// Returns whether the record is not needed any more: the target says all that it says, or the state does.
    pub(in crate::reconcile) fn is_record_over(&self) -> bool {
        let on_target = self.target().filter(|target| target.is_confirmed());
        let over = on_target.is_some_and(|target| {
            let token = target.metadata();
            !target.is_rendered() || token.is_some_and(|token| token.rotation.is_some())
        });
        !self.wants_record() && over
    }
}

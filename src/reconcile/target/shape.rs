//! The shape of a target: the three keys that every target has by default, or the keys of the spec's templates.

use std::borrow::Cow;

use secrecy::SecretString;

use super::secret::TargetSecret;
use crate::{
    api::annotation,
    reconcile::{settings::Rendering, token::TokenInputs},
};

/// The shape of a target, according to its annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Shape<'a> {
    /// The token, its type and its end.
    Plain,
    /// The product of the templates.
    Rendered {
        /// The hash of the templates.
        templates: Cow<'a, str>,
        /// The keys, in order.
        keys: Vec<Cow<'a, str>>,
        /// The fingerprint of the token.
        fingerprint: Cow<'a, str>,
    },
}

impl<'a> Shape<'a> {
    /// The shape of a target that these templates make of a token.
    pub(super) fn of(rendering: &'a Rendering, fingerprint: &'a str) -> Self {
        Self::Rendered {
            templates: rendering.hash.as_str().into(),
            keys: keys(&rendering.keys),
            fingerprint: fingerprint.into(),
        }
    }
}

fn keys(list: &str) -> Vec<Cow<'_, str>> {
    list.split(',').map(Cow::from).collect()
}

impl TargetSecret {
    pub(in crate::reconcile) fn shape(&self) -> Shape<'_> {
        let Some(templates) = self.stated(annotation::TEMPLATES) else {
            return Shape::Plain;
        };
        let text = |name| self.stated(name).map_or("", String::as_str);
        Shape::Rendered {
            templates: templates.into(),
            keys: keys(text(annotation::KEYS)),
            fingerprint: text(annotation::TOKEN_FINGERPRINT).into(),
        }
    }

    /// Returns whether templates made its data, so that it may not hold the token itself.
    pub(in crate::reconcile) fn is_rendered(&self) -> bool {
        self.shape() != Shape::Plain
    }

    /// Returns whether its token was issued for these inputs, according to its own keyed hash of them.
    pub(in crate::reconcile) fn is_rendered_for(
        &self,
        inputs: &TokenInputs,
        key: &SecretString,
    ) -> bool {
        let stated = self.stated(annotation::RENDERED_INPUTS_HASH);
        stated.is_some_and(|hash| inputs.fit(key, hash))
    }

    /// Returns whether these templates made its data.
    pub(in crate::reconcile) fn is_rendered_with(&self, wanted: &Rendering) -> bool {
        self.stated(annotation::TEMPLATES) == Some(&wanted.hash)
    }
}

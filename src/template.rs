//! The templates of `spec.target.data`: the target in the shape that its consumer wants. Pure: from texts and values to texts.
//!
//! ```text
//!  spec.target.data ─▶ size ─▶ allowed ─▶ Templates ─▶ render ─▶ the keys of the target
//!                     tokens    syntax      engine      values
//! ```
//!
//! An author of a `CubeCredential` writes the templates, and the operator renders them for everybody. So they may cost little, and
//! each bound holds before the work that it bounds is begun:
//!
//! - `size` bounds the text, the number of its tags and the length of each one, because a parser descends into them.
//! - `allowed` lists the syntax, which has no loop, no call, no assignment and no arithmetic: each part of a template is evaluated
//!   at most once. Everything else is an error, with its line.
//! - `work` bounds the bytes of the values in all places where the templates of a target use them, and of all results of filters.
//! - `render` bounds the output of all templates.
//! - The engine has fuel for a number of instructions and bytes, which bounds what `~` copies.
//!
//! An error names a key, a line and the words of the template, never a value.
//!
//! The engine copies the values that a template uses into strings of its own, which are freed without being overwritten. The
//! results are [`SecretString`]s, and the buffer that they are rendered into is overwritten.

mod allowed;
mod engine;
mod error;
mod filters;
mod render;
mod secret_type;
mod size;
mod values;
mod work;

use std::{collections::BTreeMap, fmt};

use minijinja::Environment;
use secrecy::SecretString;

use allowed::Uses;
pub use error::{TemplateError, TemplateErrorKind};
pub use render::LARGEST_OUTPUT;
pub use secret_type::SecretType;
pub use values::Values;
use values::Variable;

/// The templates of a target, by the keys that they render.
pub struct Templates {
    engine: Environment<'static>,
    uses: BTreeMap<String, Uses>,
}

impl Templates {
    /// Compiles the templates.
    ///
    /// # Errors
    /// Names the first key whose template cannot be used, its line and what to write.
    pub fn compile(texts: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        size::check_keys(texts)?;
        let mut engine = engine::new();
        let mut uses = BTreeMap::new();
        for (key, text) in texts {
            let found = compiled(&mut engine, key, text).map_err(|error| error.of(key))?;
            uses.insert(key.clone(), found);
        }
        Ok(Self { engine, uses })
    }

    /// Renders the templates.
    ///
    /// # Errors
    /// Names the key, and what its template wants that the values do not have.
    pub fn render(
        &self,
        values: &Values<'_>,
    ) -> Result<BTreeMap<String, SecretString>, TemplateError> {
        render::all(&self.engine, &self.uses, values)
    }

    /// The keys of the target.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.uses.keys().map(String::as_str)
    }

    /// Returns whether a template uses a field of the response. Until the first response, such a template renders a placeholder.
    #[must_use]
    pub fn names_response(&self) -> bool {
        self.uses.values().any(|uses| !uses.fields.is_empty())
    }

    /// Returns whether a template uses this field of the response.
    #[must_use]
    pub fn names_field(&self, name: &str) -> bool {
        let mut uses = self.uses.values();
        uses.any(|uses| uses.fields.keys().any(|field| field.name == name))
    }

    /// Returns whether a template uses the ID token, which is a secret about a person.
    #[must_use]
    pub fn names_id_token(&self) -> bool {
        self.names_field("id_token")
    }

    /// Returns whether a template uses the client id.
    #[must_use]
    pub fn names_client_id(&self) -> bool {
        let mut uses = self.uses.values();
        uses.any(|uses| uses.variables.contains_key(&Variable::ClientId))
    }
}

fn compiled(
    engine: &mut Environment<'static>,
    key: &str,
    text: &str,
) -> Result<Uses, error::Located> {
    size::check(text)?;
    let uses = allowed::check(text)?;
    engine.add_template_owned(key.to_owned(), text.to_owned())?;
    Ok(uses)
}

/// Without the texts: an author may have written a secret into one.
impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}

#[cfg(test)]
mod tests;

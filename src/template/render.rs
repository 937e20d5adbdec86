//! Rendering, with the values that the templates use and no others.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use minijinja::{Environment, Error, ErrorKind, Value, value::Object};
use secrecy::{SecretString, zeroize::Zeroizing};

use super::{
    TemplateError, TemplateErrorKind, Values,
    allowed::Uses,
    error::{Located, shown, word},
    values::value_of,
    work::{self, Work},
};
use crate::lock::lock;

/// The most bytes that the templates of one target may render to: half of what fits in a Secret.
pub const LARGEST_OUTPUT: usize = 512 << 10;

/// A field of the response, before there is one.
const PLACEHOLDER: &str = "before-the-first-response";

pub(super) fn all(
    engine: &Environment<'static>,
    templates: &BTreeMap<String, Uses>,
    values: &Values<'_>,
) -> Result<BTreeMap<String, SecretString>, TemplateError> {
    let mut render = Render {
        engine,
        values,
        left: LARGEST_OUTPUT,
        work: Arc::default(),
    };
    let rendered = templates.iter().map(|(key, uses)| {
        let text = render.one(key, uses).map_err(|error| error.of(key))?;
        Ok((key.clone(), text))
    });
    rendered.collect()
}

/// The rendering of one target.
struct Render<'a> {
    engine: &'a Environment<'static>,
    values: &'a Values<'a>,
    /// The bytes that are left for the output.
    left: usize,
    work: Arc<Work>,
}

impl Render<'_> {
    fn one(&mut self, key: &str, uses: &Uses) -> Result<SecretString, Located> {
        let response = Arc::new(Response::of(uses, self.values));
        let rendered = self.context(uses, &response).and_then(|context| {
            let template = self.engine.get_template(key)?;
            let mut output = Bounded {
                bytes: Zeroizing::default(),
                left: &mut self.left,
            };
            template.render_captured_to(context, &mut output)?;
            Ok(output.bytes)
        });
        let bytes = rendered.map_err(|error| Located {
            line: error.line(),
            kind: kind(error.kind(), uses, &response, self.values),
        })?;
        match str::from_utf8(&bytes) {
            Ok(text) => Ok(SecretString::from(text)),
            Err(_) => Err(TemplateErrorKind::Render.into()),
        }
    }

    /// The variables of a template.
    fn context(&self, uses: &Uses, response: &Arc<Response>) -> Result<Value, Error> {
        let mut context = BTreeMap::from([
            ("response", Value::from_dyn_object(Arc::clone(response))),
            (work::NAME, self.work.value()),
        ]);
        for (variable, places) in &uses.variables {
            let value = variable.value(self.values);
            self.work.add_value(&value, *places)?;
            context.insert(variable.name(), value);
        }
        for (field, places) in &uses.fields {
            if let Some(value) = response.fields.get(&field.name) {
                self.work.add_value(value, *places)?;
            }
        }
        Ok(Value::from_pairs(context))
    }
}

/// Nothing of the engine's error but its kind: its text may repeat a value.
fn kind(
    kind: ErrorKind,
    uses: &Uses,
    response: &Response,
    values: &Values<'_>,
) -> TemplateErrorKind {
    match kind {
        ErrorKind::WriteFailure => TemplateErrorKind::Output(LARGEST_OUTPUT),
        ErrorKind::OutOfFuel => TemplateErrorKind::Work,
        ErrorKind::UndefinedError => match response.last_absent(uses) {
            Some(name) => TemplateErrorKind::Field {
                name: word(&name),
                fields: shown(values.response.iter().flat_map(|fields| fields.keys())),
            },
            None => TemplateErrorKind::Render,
        },
        _ => TemplateErrorKind::Render,
    }
}

/// The fields of the response that a template uses.
struct Response {
    fields: BTreeMap<String, Value>,
    /// The fields that the template looked up and that are not there, in the order of their use. The engine's error names none.
    absent: Mutex<Vec<String>>,
}

impl Response {
    fn of(uses: &Uses, values: &Values<'_>) -> Self {
        let names = uses.fields.keys().map(|field| &field.name);
        let fields = names.filter_map(|name| {
            let value = match values.response {
                Some(fields) => value_of(fields.get(name)?),
                None => PLACEHOLDER.into(),
            };
            Some((name.clone(), value))
        });
        Self {
            fields: fields.collect(),
            absent: Mutex::default(),
        }
    }

    /// The field that the template needed last.
    fn last_absent(&self, uses: &Uses) -> Option<String> {
        let is_needed = |name: &&String| {
            let mut fields = uses.fields.keys();
            fields.any(|field| field.name == **name && !field.may_be_absent)
        };
        lock(&self.absent).iter().rev().find(is_needed).cloned()
    }
}

impl Object for Response {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let value = self.fields.get(name).cloned();
        if value.is_none() {
            lock(&self.absent).push(name.to_owned());
        }
        value
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields.keys()).finish()
    }
}

/// A writer that takes no more than is left.
struct Bounded<'a> {
    bytes: Zeroizing<Vec<u8>>,
    left: &'a mut usize,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.left = self
            .left
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

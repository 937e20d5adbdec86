//! The bytes that the templates of one target read and write, whether or not they end up in the output. All templates are rendered
//! by the one thread that refreshes everybody's tokens.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use minijinja::{Error, ErrorKind, State, Value, value::Object};

/// The most bytes: enough for a token of 4 KiB in several places of each of 32 keys.
pub(super) const MOST: usize = 2 << 20;

/// The name of the counter among the variables. `allowed` lets no template name it.
pub(super) const NAME: &str = "work";

/// The bytes up to now.
#[derive(Debug, Default)]
pub(super) struct Work(AtomicUsize);

impl Object for Work {}

impl Work {
    pub(super) fn add(&self, bytes: usize) -> Result<(), Error> {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > MOST {
            return Err(ErrorKind::OutOfFuel.into());
        }
        Ok(())
    }

    /// Counts a value in all places where a template uses it.
    pub(super) fn add_value(&self, value: &Value, places: usize) -> Result<(), Error> {
        let length = value.as_str().map_or(0, str::len);
        self.add(length.saturating_mul(places))
    }

    pub(super) fn value(self: &Arc<Self>) -> Value {
        Value::from_dyn_object(Arc::clone(self))
    }
}

/// Counts what a filter has written.
pub(super) fn add(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let counter = state.lookup(NAME);
    match counter
        .as_ref()
        .and_then(Value::downcast_object_ref::<Work>)
    {
        Some(work) => work.add(bytes),
        None => Err(ErrorKind::OutOfFuel.into()),
    }
}

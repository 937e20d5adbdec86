//! The engine, with nothing in it but our filters and tests.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig};

use super::filters;

/// The most work of one template, by the engine's own count: an instruction is one, and so are 64 bytes that an operator or a filter
/// takes or makes, or that are written. It bounds what `~` copies; the rest meets a narrower bound before.
const FUEL: u64 = 1 << 17;

/// The engine without templates. All copies share its filters.
static EMPTY: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    // A file ends as its template does.
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    engine.set_syntax(syntax.expect("the delimiters are the default ones"));
    filters::add_to(&mut engine);
    engine
});

pub(super) fn new() -> Environment<'static> {
    EMPTY.clone()
}

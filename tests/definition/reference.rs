//! The pages below `docs/reference`, made from the sources that they describe. `make reference` writes them, and each test fails if
//! its page is stale.

#![expect(clippy::format_push_string, reason = "a page reads like its text")]

mod api;
mod conditions;
mod events;
mod flags;
mod metrics;
mod names;
mod plugin;
mod values;

use std::{env, fmt::Write, fs, path::PathBuf};

/// Writes the page if `make reference` asks for it. Otherwise fails if the page differs.
fn check(name: &str, source: &str, text: &str) {
    let path = file(&format!("docs/reference/{name}"));
    let (title, rest) = text.split_once('\n').unwrap();
    let note = format!("<!-- Generated from {source} by `make reference`; do not edit. -->");
    let page = format!("{title}\n\n{note}\n{}\n", rest.trim_end());
    if env::var_os("WRITE_REFERENCE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/reference/{name} is stale: run `make reference`"
    );
}

pub(crate) fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A table in Markdown.
struct Table(String);

impl Table {
    fn new(columns: &[&str]) -> Self {
        let line = "---|".repeat(columns.len());
        Self(format!("| {} |\n|{line}\n", columns.join(" | ")))
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        writeln!(self.0, "| {} |", cells.join(" | ")).unwrap();
    }
}

/// A text of the sources as Markdown: `<name>` is no element of HTML, and a line break means nothing.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(number, part)| {
        let is_code = number % 2 == 1;
        if is_code {
            part.to_owned()
        } else {
            part.replace('<', "&lt;")
        }
    });
    parts.collect::<Vec<_>>().join("`").replace('\n', " ")
}

/// A meaning that other texts continue, as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut text = prose(text);
    let is_name = text
        .split(' ')
        .next()
        .is_some_and(|word| word.contains('.'));
    if let Some(first) = text.get_mut(..1).filter(|_| !is_name) {
        first.make_ascii_uppercase();
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[test]
fn the_folder_has_no_page_that_nothing_generates() {
    let generated = [
        "api.md",
        "providers.md",
        "conditions.md",
        "events.md",
        "flags.md",
        "kubectl-cube.md",
        "metrics.md",
        "values.md",
    ];
    for entry in fs::read_dir(file("docs/reference")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            generated.contains(&name.as_str()),
            "nothing generates docs/reference/{name}"
        );
    }
}

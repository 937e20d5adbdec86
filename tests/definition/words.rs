//! The words of everything that people read: the pages, the chart, the CRD, and the comments and texts of the sources. They have the
//! plain English of the Kubernetes documentation, and one term for each thing.

use std::{fs, path::Path};

use super::reference::{file, read};

/// Phrases that are found nowhere, each with what to write instead.
const PHRASES: [(&str, &str); 26] = [
    ("next try", "next attempt, or: retrying at"),
    ("tries again", "retries"),
    ("try again", "retry"),
    ("tried again", "retried"),
    ("at once", "immediately"),
    ("so far", "yet, or up to now"),
    ("nothing has to be done", "no action needed"),
    ("if it lasts", "if this persists"),
    ("if this lasts", "if this persists"),
    ("to go on", "to resume, or to continue"),
    ("on the way to", "between … and …"),
    ("by which", "another sentence"),
    ("that of", "the noun itself"),
    ("is to be", "must be"),
    ("are to be", "must be"),
    ("line break", "trailing newline"),
    ("somebody else", "another client, or another owner"),
    ("used up", "consumed"),
    ("for ever", "forever"),
    ("come to rest", "end"),
    ("what is in the way", "the cause"),
    ("not looked at", "not checked"),
    ("comes about", "is made"),
    ("come about", "be made"),
    ("owner permits", "owner allows"),
    ("has to permit", "must allow"),
];

/// Words that comments and pages do not have. Code may: a type can have such a name.
const WORDS: [(&str, &str); 6] = [
    ("answer", "response"),
    ("answers", "responds, or responses"),
    ("answered", "responded"),
    ("permitted", "allowed"),
    ("authorities", "CA certificates"),
    ("spent", "consumed"),
];

/// Words that open no sentence of a comment: they would be its subject or object.
const OPENINGS: [&str; 4] = ["What ", "Who ", "Whoever ", "Whether "];

/// Pages that record what the program printed, or measured.
const EXCEPT: [&str; 3] = [
    "docs/demo.md",
    "docs/performance.md",
    "docs/troubleshooting.md",
];

/// The files below a folder.
pub(crate) fn below(folder: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(file(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() {
            below(&path, found);
        } else {
            found.push(path);
        }
    }
}

pub(crate) fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(path).extension().and_then(|end| end.to_str());
    extension.is_some_and(|end| extensions.contains(&end))
}

fn documents() -> Vec<String> {
    let mut found = vec!["CHANGELOG.md".to_owned(), "README.md".to_owned()];
    for folder in ["docs", "charts/cube-operator", ".github"] {
        below(folder, &mut found);
    }
    found.retain(|path| {
        let is_text = has_extension(path, &["md", "yaml", "txt", "tpl", "json"]);
        is_text && !EXCEPT.contains(&path.as_str()) && !path.contains("/workflows/")
    });
    found
}

fn sources() -> Vec<String> {
    let mut found = Vec::new();
    below("src", &mut found);
    found.retain(|path| has_extension(path, &["rs"]));
    found
}

/// Whether the text has these words, in any case, and not as a part of others.
fn has(text: &str, words: &str) -> bool {
    let is_letter =
        |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    text.match_indices(words).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        !is_letter(before.chars().next_back()) && !is_letter(after.chars().next())
    })
}

/// A line of a page without its code and the targets of its links.
fn without_code(line: &str) -> String {
    let prose = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let mut parts = prose.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.filter_map(|part| Some(part.split_once(')')?.1));
    rest.fold(first, |text, part| text + part)
}

/// One line without what only wraps lines.
fn flat(text: &str) -> String {
    let words = text
        .split_whitespace()
        .filter(|word| !["\\", "//", "///", "//!", "#"].contains(word));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The comments of a source, block by block.
fn comments(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        let line = line.trim();
        match line.strip_prefix("//") {
            Some(comment) => {
                let comment = comment.trim_start_matches(['/', '!']).trim();
                let block = blocks.last_mut().unwrap();
                block.push_str(if block.is_empty() { "" } else { " " });
                block.push_str(comment);
            }
            None => blocks.push(String::new()),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// What is wrong with a text: with all of it, and with its prose.
fn faults(all: &str, prose: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let all = flat(all);
    for (phrase, instead) in PHRASES {
        if has(&all, phrase) {
            found.push(format!("{phrase:?}: write {instead:?}"));
        }
    }
    for block in prose {
        let block = flat(block);
        for (word, instead) in WORDS {
            if has(&block, word) {
                found.push(format!("{word:?} in {block:?}: write {instead:?}"));
            }
        }
    }
    found
}

#[test]
fn pages_and_chart_have_the_terms_of_this_project() {
    let mut found = Vec::new();
    for path in documents() {
        let text = read(&path);
        let lines: Vec<_> = text.lines().map(without_code).collect();
        found.extend(
            faults(&text, &lines)
                .into_iter()
                .map(|fault| format!("{path}: {fault}")),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn sources_have_the_terms_of_this_project() {
    let mut found = Vec::new();
    for path in sources() {
        let text = read(&path);
        let comments = comments(&text);
        // Tests quote the sentences of conditions and events.
        let is_test = path.contains("/tests");
        let text = if is_test { comments.join("\n") } else { text };
        found.extend(
            faults(&text, &comments)
                .into_iter()
                .map(|fault| format!("{path}: {fault}")),
        );
        for comment in comments {
            if OPENINGS.iter().any(|opening| comment.starts_with(opening)) {
                found.push(format!("{path}: {comment}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_phrase_is_found_over_the_end_of_a_line_and_a_word_only_in_prose() {
    let of = |text: &str| {
        let prose: Vec<_> = text.lines().map(without_code).collect();
        faults(text, &prose).len()
    };
    assert_eq!(of("// it is used at\n// once"), 1);
    assert_eq!(of("At once, for ever."), 2);
    assert_eq!(of("it is not so farther, and the attorney"), 0);
    assert_eq!(of("the answer is in [answers](answers.md)"), 2);
    assert_eq!(of("see `tests/answers.rs` and [this](answers.md)"), 0);
    let blocks = comments("/// What it is.\nfn f() {} // no\n// Whoever\n// comes");
    assert_eq!(blocks, ["What it is.", "Whoever comes"]);
}

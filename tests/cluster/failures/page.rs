//! `docs/troubleshooting.md`: it is written from a run of the table, or compared with one.

mod excerpt;
mod retries;
mod sections;

use std::{collections::BTreeMap, env, fmt::Write, fs};

use cube_operator::api::Reason;

use super::{row::Row, setup::Setup};
use crate::environment::ROOT;

use excerpt::excerpt;
use retries::{next, summary};
use sections::{INTRODUCTION, PARTS, Section};

/// The output of kubectl for the rows that are on the page.
#[derive(Default)]
pub(super) struct Page(BTreeMap<&'static str, String>);

impl Page {
    /// Records the output of kubectl for a row that is on the page. `false` if events or conditions are not those of the row yet.
    pub(super) fn record(&mut self, setup: &Setup, row: &Row) -> bool {
        let is_on_the_page = sections()
            .flat_map(|section| section.rows)
            .any(|(name, _)| *name == row.name);
        if !is_on_the_page {
            return true;
        }
        let events = setup.events().remove(&row.object()).unwrap_or_default();
        if events != row.events {
            return false;
        }
        let excerpt = excerpt(setup, row);
        let is_there = excerpt.is_some();
        self.0.extend(excerpt.map(|text| (row.name, text)));
        is_there
    }

    /// Asserts that the page in the repository is the one of this run. `WRITE_TROUBLESHOOTING` writes it first.
    pub(super) fn check(&self) {
        let path = format!("{ROOT}/docs/troubleshooting.md");
        let page = self.page();
        if env::var_os("WRITE_TROUBLESHOOTING").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        let differs = found
            .lines()
            .zip(page.lines())
            .find(|(found, page)| found != page);
        assert!(
            found == page,
            "docs/troubleshooting.md is out of date: run make troubleshooting. The first line that differs, and what it is now: \
             {differs:#?}"
        );
    }

    fn page(&self) -> String {
        let mut page = INTRODUCTION.to_owned();
        page += "\n| reason | meaning | who can fix it | first step | next attempt |\n|---|---|---|---|---|\n";
        for section in sections() {
            page += &line(section);
        }
        for (heading, sections) in PARTS {
            write!(page, "\n## {heading}\n").unwrap();
            for section in sections {
                page += &self.section(section);
            }
        }
        page
    }

    fn section(&self, section: &Section) -> String {
        let mut text = words(section);
        for (row, caption) in section.rows {
            let excerpt = self.0.get(row).expect("the table has this row");
            let caption = if caption.is_empty() {
                String::new()
            } else {
                format!("\n{caption}\n")
            };
            write!(text, "{caption}\n```\n{excerpt}```\n").unwrap();
        }
        text
    }
}

fn sections() -> impl Iterator<Item = &'static Section> {
    PARTS.iter().flat_map(|(_, sections)| *sections)
}

/// The line of a section in the index.
fn line(section: &Section) -> String {
    let Section {
        reason, who, first, ..
    } = section;
    let (anchor, again) = (reason.to_string().to_lowercase(), summary(*reason));
    let meaning = reason.meaning();
    format!("| [`{reason}`](#{anchor}) | {meaning} | {who} | {first} | {again} |\n")
}

/// The part of a section that is the same in every run.
fn words(section: &Section) -> String {
    let Section {
        reason, who, act, ..
    } = section;
    let (meaning, who) = (sentence(reason.meaning()), sentence(who));
    format!(
        "\n### {reason}\n\n{meaning}.\n\n- **Who can fix it:** {who}.\n- **What to do:** {act}\n- **If nobody acts:** {}\n",
        next(*reason)
    )
}

/// A field at the beginning is code, and keeps its letters.
fn sentence(text: &str) -> String {
    if let Some((field, rest)) = text.split_once(' ').filter(|(word, _)| word.contains('.')) {
        return format!("`{field}` {rest}");
    }
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[test]
fn every_reason_has_a_section() {
    let told = sections().map(|section| section.reason.to_string());
    let all = Reason::ALL.iter().map(ToString::to_string);
    assert_eq!(
        told.collect::<std::collections::BTreeSet<_>>(),
        all.collect()
    );
    assert_eq!(sections().count(), Reason::ALL.len());
}

/// Most changes of the page are found here, before all failures are played.
#[test]
fn the_page_has_the_words_of_each_section() {
    let page = fs::read_to_string(format!("{ROOT}/docs/troubleshooting.md")).unwrap();
    let missing = sections()
        .flat_map(|section| [line(section), words(section)])
        .find(|text| !page.contains(text));
    assert_eq!(missing, None, "run make troubleshooting");
}

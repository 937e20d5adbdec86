//! Each link within the repository leads to a file, and to a heading in it.

use std::{collections::BTreeSet, path::Path};

use super::{
    reference::{file, read},
    words::{below, has_extension},
};

fn pages() -> Vec<String> {
    let mut found = vec!["CHANGELOG.md".to_owned(), "README.md".to_owned()];
    for folder in ["docs", ".github"] {
        below(folder, &mut found);
    }
    found.retain(|path| has_extension(path, &["md"]));
    found
}

/// The page without its blocks of code, in which nothing is a heading or a link.
fn without_code(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of the links on a page. Between backquotes there is none.
fn targets(page: &str) -> Vec<String> {
    let text = without_code(&read(page));
    let prose: Vec<_> = text.split('`').step_by(2).collect();
    let prose = prose.concat();
    let links = prose.split("](").skip(1);
    links
        .map(|link| link.split(')').next().unwrap().to_owned())
        .collect()
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let text = without_code(&read(page));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// The path of a link from a page, without `..`.
fn resolved(page: &str, link: &str) -> String {
    let mut parts: Vec<_> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn each_link_within_the_repository_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    let mut links = 0;
    for page in pages() {
        for link in targets(&page) {
            if link.contains("://") {
                continue;
            }
            links += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = if path.is_empty() {
                page.clone()
            } else {
                resolved(&page, path)
            };
            let is_there = file(&path).exists();
            let is_page = Path::new(&path).extension().is_some_and(|end| end == "md");
            let has_heading = || anchor.is_empty() || !is_page || anchors(&path).contains(anchor);
            if !is_there || !has_heading() {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(links > 100, "the links were found: {links}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

//! Links that lead to a file or heading that is not there.

use std::{collections::BTreeSet, path::Path};

use crate::page::{Page, Target, files};

/// The index of all pages.
const INDEX: &str = "docs/README.md";

/// The Markdown files that users and contributors read.
fn pages() -> Vec<Page> {
    let mut paths = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    for folder in ["docs", ".github", "charts"] {
        paths.extend(files(folder, &[".md"]));
    }
    paths.iter().map(|path| Page::read(path)).collect()
}

fn is_page(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "md")
}

#[test]
fn each_link_of_a_page_leads_to_a_file_and_a_heading() {
    let mut faults = Vec::new();
    let mut count = 0;
    for page in pages() {
        let links = page.links();
        count += links.len();
        let found = links.iter().filter_map(Target::fault);
        faults.extend(found.map(|fault| format!("{}: {fault}", page.path)));
    }
    assert!(count > 100, "only {count} links were found");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn each_page_of_the_documentation_is_found_from_its_index() {
    let mut reached = BTreeSet::from([INDEX.to_owned()]);
    let mut left = vec![INDEX.to_owned()];
    while let Some(path) = left.pop() {
        for Target { path, .. } in Page::read(&path).links() {
            if path.starts_with("docs/") && is_page(&path) && reached.insert(path.clone()) {
                left.push(path);
            }
        }
    }
    let all = BTreeSet::from_iter(files("docs", &[".md"]));
    let lost: Vec<_> = all.difference(&reached).collect();
    assert!(lost.is_empty(), "no page links to {lost:?}");
    let index: BTreeSet<_> = Page::read(INDEX).links().into_iter().collect();
    assert!(index.len() > 20, "the index has only {} links", index.len());
}

/// Where other texts name a page: messages of the operator, comments of the chart, annotations of alerts and notes after an install.
#[test]
fn each_page_that_another_text_names_exists() {
    const HERE: &str = "https://github.com/cube-operator/cube-operator/blob/main/";
    let endings = [
        ".rs", ".yaml", ".txt", ".tpl", ".json", ".py", ".sh", "Makefile",
    ];
    let mut paths = files("src", &endings);
    paths.extend(files("charts", &endings));
    paths.extend(files("tests", &endings));
    paths.push("Makefile".into());
    let mut faults = BTreeSet::new();
    let mut count = 0;
    for page in paths.iter().map(|path| Page::read(path)) {
        // Its own words are about pages that are not there.
        if page.path.starts_with("tests/pages/") {
            continue;
        }
        for (place, _) in page.text.match_indices("docs/") {
            let before = &page.text[..place];
            let is_path = before.ends_with(HERE) || !before.ends_with(['/', '.', '-', '_']);
            let link = page.text[place..]
                .split(|c: char| !c.is_alphanumeric() && !"/.-_#".contains(c))
                .next()
                .unwrap();
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = path.trim_end_matches('.');
            if !is_path || !is_page(path) {
                continue;
            }
            count += 1;
            let anchor = anchor.trim_end_matches('.');
            let target = Target {
                path: path.to_owned(),
                anchor: (!anchor.is_empty()).then(|| anchor.to_owned()),
            };
            faults.extend(
                target
                    .fault()
                    .map(|fault| format!("{}: {fault}", page.path)),
            );
        }
    }
    assert!(count > 10, "only {count} names of pages were found");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_link_to_nothing_is_noticed() {
    let page = Page {
        path: "docs/providers/page.md".into(),
        text: "# One, two\n[a](#one-two) [b](../README.md)\n```\n# not a heading\n[c](nowhere)\n```\n## One, two\n".into(),
    };
    let anchors = ["one-two", "one-two-1"].map(str::to_owned);
    assert_eq!(page.anchors(), anchors.into());
    let links: Vec<_> = page.links().into_iter().map(|target| target.path).collect();
    assert_eq!(links, ["docs/providers/page.md", "docs/README.md"]);
    let fault = |link: &str| page.target(link).unwrap().fault();
    assert_eq!(fault("../README.md"), None);
    assert_eq!(
        fault("nowhere.md").as_deref(),
        Some("docs/providers/nowhere.md does not exist")
    );
    assert_eq!(
        fault("../README.md#nowhere").as_deref(),
        Some("docs/README.md has no heading for #nowhere")
    );
    assert_eq!(page.target("https://example.com/#a"), None);
    let here = "https://github.com/cube-operator/cube-operator/blob/main/docs/nowhere.md";
    assert_eq!(
        fault(here).as_deref(),
        Some("docs/nowhere.md does not exist")
    );
}

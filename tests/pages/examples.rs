//! A page shows an example by quoting its file: `<!-- docs/examples/custom.yaml -->`, and the block that follows is the file.

use std::{collections::BTreeSet, fs, path::Path};

use crate::page::{Page, ROOT, files};

/// The file that each marked block is to be, and the block.
fn quotes(page: &Page) -> Vec<(String, String)> {
    let marked = page.text.split("<!-- docs/examples/").skip(1);
    let quotes = marked.map(|rest| {
        let (name, rest) = rest.split_once(" -->\n").unwrap();
        let rest = rest
            .strip_prefix("```yaml\n")
            .unwrap_or_else(|| panic!("{}: no block follows {name}", page.path));
        let (block, _) = rest.split_once("```").unwrap();
        (format!("docs/examples/{name}"), block.to_owned())
    });
    quotes.collect()
}

#[test]
fn each_example_on_a_page_is_its_file_and_each_file_is_shown() {
    let mut pages = vec!["README.md".to_owned()];
    pages.extend(files("docs", &[".md"]));
    let mut shown = BTreeSet::new();
    for page in pages.iter().map(|path| Page::read(path)) {
        for (path, block) in quotes(&page) {
            let file = fs::read_to_string(Path::new(ROOT).join(&path));
            let file = file.unwrap_or_else(|error| panic!("{}: {path}: {error}", page.path));
            assert_eq!(block, file, "{} does not show {path}", page.path);
            shown.insert(path);
        }
    }
    assert_eq!(
        shown,
        BTreeSet::from_iter(files("docs/examples", &[".yaml"]))
    );
}

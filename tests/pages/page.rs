//! A page: its text, its headings and its links.

use std::{collections::BTreeSet, fs, path::Path};

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file of the repository.
pub(crate) struct Page {
    /// From the root of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A place that a link names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// From the root of the repository.
    pub(crate) path: String,
    pub(crate) anchor: Option<String>,
}

/// All files below a folder with such an ending, or none.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| path.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

impl Page {
    pub(crate) fn read(path: &str) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(path));
        Self {
            path: path.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    /// The lines outside of code blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut in_code = false;
        self.text.lines().filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            in_code ^= fence;
            !fence && !in_code
        })
    }

    /// The anchors of its headings, as GitHub makes them.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let mut anchors = BTreeSet::new();
        for line in self.prose().filter(|line| line.starts_with('#')) {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            let name: String = kept.collect::<String>().replace(' ', "-");
            let numbered = (1..).map(|number| format!("{name}-{number}"));
            let mut names = std::iter::once(name.clone()).chain(numbered);
            let free = names.find(|name| !anchors.contains(name)).unwrap();
            anchors.insert(free);
        }
        anchors
    }

    /// The places in the repository that its Markdown links lead to.
    pub(crate) fn links(&self) -> Vec<Target> {
        let prose = self.prose().collect::<Vec<_>>().join("\n");
        // What is between backquotes is no link; a span and its end are on one line here.
        let words: String = prose.split('`').step_by(2).collect();
        let links = words.split("](").skip(1);
        let targets = links.map(|link| link.split([')', ' ']).next().unwrap());
        targets.filter_map(|target| self.target(target)).collect()
    }

    /// The place that a link on this page leads to, unless that is elsewhere on the web.
    pub(crate) fn target(&self, link: &str) -> Option<Target> {
        const HERE: &str = "https://github.com/cube-operator/cube-operator/blob/main/";
        let (path, anchor) = match link.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor.to_owned())),
            None => (link, None),
        };
        let path = match (path, path.strip_prefix(HERE)) {
            ("", _) => self.path.clone(),
            (_, Some(path)) => path.to_owned(),
            (_, None) if path.contains("://") || path.starts_with("mailto:") => return None,
            (_, None) => joined(&self.path, path),
        };
        Some(Target { path, anchor })
    }
}

impl Target {
    /// The fault of a link to it.
    pub(crate) fn fault(&self) -> Option<String> {
        let Self { path, anchor } = self;
        if !Path::new(ROOT).join(path).exists() {
            return Some(format!("{path} does not exist"));
        }
        let anchor = anchor.as_ref()?;
        let missing = !Page::read(path).anchors().contains(anchor);
        missing.then(|| format!("{path} has no heading for #{anchor}"))
    }
}

/// A relative path on this page, from the root of the repository.
fn joined(page: &str, relative: &str) -> String {
    let mut parts: Vec<_> = page.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

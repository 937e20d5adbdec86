//! Files that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::imports::Import;

/// Files that all reach each other, and one shortest way around.
pub(crate) struct Circle<'a> {
    pub(crate) files: usize,
    pub(crate) path: Vec<&'a Import>,
}

pub(crate) fn report(circles: &[Circle<'_>]) -> String {
    let text = circles.iter().map(|circle| {
        let steps: Vec<_> = circle.path.iter().map(|step| step.sentence()).collect();
        format!(
            "{} files import each other in a circle:\n  {}\n",
            circle.files,
            steps.join("\n  ")
        )
    });
    text.collect()
}

pub(crate) fn circles(imports: &[Import]) -> Vec<Circle<'_>> {
    let mut from: BTreeMap<&str, Vec<&Import>> = BTreeMap::new();
    for import in imports {
        from.entry(&import.from).or_default().push(import);
    }
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for file in from.keys() {
        let reached = reached(&from, file);
        if seen.contains(file) || !reached.contains_key(file) {
            continue;
        }
        let back = |other: &&&str| self::reached(&from, other).contains_key(file);
        let members: Vec<_> = reached.keys().filter(back).copied().collect();
        let ways = members.iter().map(|member| way_around(&from, member));
        circles.push(Circle {
            files: members.len(),
            path: ways.min_by_key(Vec::len).expect("it has a member"),
        });
        seen.extend(members);
    }
    circles
}

type Imports<'a> = BTreeMap<&'a str, Vec<&'a Import>>;

/// What a file imports, directly or through others: by file, the last import on a shortest way to it.
fn reached<'a>(from: &Imports<'a>, start: &str) -> BTreeMap<&'a str, &'a Import> {
    let mut reached = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for import in from.get(file).into_iter().flatten().copied() {
            if !reached.contains_key(import.to.as_str()) {
                reached.insert(import.to.as_str(), import);
                queue.push_back(&import.to);
            }
        }
    }
    reached
}

/// A shortest way from a file in a circle back to itself.
fn way_around<'a>(from: &Imports<'a>, start: &str) -> Vec<&'a Import> {
    let reached = reached(from, start);
    let mut path = vec![reached[start]];
    while path[0].from != start {
        path.insert(0, reached[path[0].from.as_str()]);
    }
    path
}

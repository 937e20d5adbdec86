//! Which file takes which names from which other file.
//!
//! A name is taken from the file that defines it, also where a parent shows it with `pub use child::Name`: such a parent is a face
//! and imports nothing by that.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    reader::{Code, Kind, Mention},
    sources::{Names, Sources, crate_of},
};

/// One file that takes names from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) names: BTreeSet<String>,
}

impl Import {
    pub(crate) fn sentence(&self) -> String {
        let names: Vec<_> = self.names.iter().map(String::as_str).collect();
        format!("{} takes {} from {}", self.from, names.join(", "), self.to)
    }
}

/// Where a path leads.
enum Place {
    Module(Names),
    Item { module: Names, name: String },
}

/// The library's name in the programs beside it.
const LIBRARY: &str = "cube_operator";
/// A chain of re-exports that is longer than this is a circle of them.
const LONGEST_CHAIN: usize = 16;

pub(crate) fn imports(sources: &Sources) -> Vec<Import> {
    let code = Code::of(sources);
    let mut names: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for mention in &code.mentions {
        let from = code.scopes[&mention.module].file.as_str();
        let Some((module, name)) = code.taken(mention) else {
            continue;
        };
        let Some(to) = code.scopes.get(&module).map(|scope| scope.file.as_str()) else {
            continue;
        };
        if to != from {
            names.entry((from, to)).or_default().insert(name);
        }
    }
    let import = |((from, to), names): ((&str, &str), _)| Import {
        from: from.to_owned(),
        to: to.to_owned(),
        names,
    };
    names.into_iter().map(import).collect()
}

impl Code {
    /// The module and the name that a mention takes, unless the mention only brings a module into scope or is a face.
    fn taken(&self, mention: &Mention) -> Option<(Names, String)> {
        let place = self.locate(&mention.module, &mention.path, LONGEST_CHAIN)?;
        let (module, name) = match (place, mention.kind) {
            (Place::Item { module, name }, _) => (module, name),
            (Place::Module(module), Kind::Use { glob: true, .. }) => (module, "*".to_owned()),
            (Place::Module(_), _) => return None,
        };
        let face = matches!(mention.kind, Kind::Use { public: true, .. });
        if face && module.starts_with(&mention.module) {
            return None;
        }
        Some((module, name))
    }

    /// What `path` means in `module`; nothing if that is in another crate, or of the file itself.
    fn locate(&self, module: &[String], path: &[String], chain: usize) -> Option<Place> {
        let chain = chain.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(crate_of(module), rest, chain),
            LIBRARY => self.walk(&[], rest, chain),
            "self" => self.walk(module, rest, chain),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let base = &module[..module.len().checked_sub(ups)?];
                self.walk(base, &path[ups..], chain)
            }
            name => {
                let known = self.child(module, name).is_some()
                    || self.scopes.get(module)?.uses.contains_key(name);
                // `use rustls;` and `use url::Url as url` lead to themselves, out of this crate.
                known.then(|| self.walk(module, path, chain))?
            }
        }
    }

    /// Follows the names from a module downwards, through the re-exports on the way.
    fn walk(&self, module: &[String], path: &[String], chain: usize) -> Option<Place> {
        let Some((name, rest)) = path.split_first() else {
            return Some(Place::Module(module.to_vec()));
        };
        let scope = self.scopes.get(module)?;
        let used = scope.uses.get(name);
        let shown = used.and_then(|path| self.locate(module, path, chain));
        // A function can have the name of its module, as in `pub use absorb::absorb`: the last name of a path is the function.
        if rest.is_empty()
            && let Some(item @ Place::Item { .. }) = shown
        {
            return Some(item);
        }
        if let Some(child) = self.child(module, name) {
            return self.walk(&child, rest, chain);
        }
        if used.is_some() {
            return match shown? {
                Place::Module(module) => self.walk(&module, rest, chain.checked_sub(1)?),
                item @ Place::Item { .. } => Some(item),
            };
        }
        let owner = if scope.items.contains(name) {
            None
        } else {
            self.through_globs(module, name, chain)
        };
        Some(owner.unwrap_or_else(|| Place::Item {
            module: module.to_vec(),
            name: name.clone(),
        }))
    }

    /// The item of this name in a module that this one shows with `pub use child::*`.
    fn through_globs(&self, module: &[String], name: &String, chain: usize) -> Option<Place> {
        let globs = &self.scopes.get(module)?.globs;
        globs.iter().find_map(|glob| {
            let Place::Module(source) = self.locate(module, glob, chain)? else {
                return None;
            };
            let found = self.walk(&source, std::slice::from_ref(name), chain.checked_sub(1)?)?;
            match &found {
                Place::Item { module, name } => self.scopes[module].items.contains(name),
                Place::Module(_) => true,
            }
            .then_some(found)
        })
    }

    fn child(&self, module: &[String], name: &str) -> Option<Names> {
        let mut child = module.to_vec();
        child.push(name.to_owned());
        self.scopes.contains_key(&child).then_some(child)
    }
}

//! The source files below `src/`, parsed, without their tests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A module's path from the root of its crate, or the names of a path in code.
pub(crate) type Names = Vec<String>;

/// Files by their path from the package's folder, such as `src/reconcile/plan.rs`.
pub(crate) struct Sources(BTreeMap<String, syn::File>);

impl Sources {
    /// Every file below `src/` that is not a test.
    pub(crate) fn read() -> Self {
        let root = root();
        let texts = below(&root.join("src")).into_iter().map(|path| {
            let text = fs::read_to_string(&path).expect("the file can be read");
            let name = path.strip_prefix(root).expect("it is below the root");
            (name.display().to_string(), text)
        });
        Self::of(texts)
    }

    /// Files by path and text.
    pub(crate) fn of(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let parse = |(path, text): (String, String)| {
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
            (path, file)
        };
        let parsed = texts
            .into_iter()
            .filter(|(path, _)| !is_test(path))
            .map(parse);
        let mut sources = Self(parsed.collect());
        sources.drop_modules_of_tests();
        sources
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &syn::File)> {
        self.0.iter()
    }

    pub(crate) fn files(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// A test module can have any name: its parent declares it with `#[cfg(test)] mod name;`.
    fn drop_modules_of_tests(&mut self) {
        let mut tests = Vec::new();
        for (path, file) in &self.0 {
            for item in &file.items {
                if let syn::Item::Mod(module) = item
                    && test_only(&module.attrs)
                {
                    let mut name = module_of(path);
                    name.push(module.ident.to_string());
                    tests.push(name);
                }
            }
        }
        self.0
            .retain(|path, _| !tests.iter().any(|test| module_of(path).starts_with(test)));
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files at or below a path.
pub(crate) fn below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries
        .flat_map(|entry| below(&entry.expect("it can be listed").path()))
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

fn is_test(path: &str) -> bool {
    path.trim_end_matches(".rs")
        .split('/')
        .any(|part| part == "tests")
}

/// The module that a file is. The library's root has the empty path, a program's root the name of its file.
pub(crate) fn module_of(path: &str) -> Names {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    if path == "lib" {
        return Names::new();
    }
    path.split('/').map(str::to_owned).collect()
}

/// The root of the crate that a module belongs to: `src/main.rs` and each file in `src/bin` are crates of their own.
pub(crate) fn crate_of(module: &[String]) -> &[String] {
    match module.first().map(String::as_str) {
        Some("main") => &module[..1],
        Some("bin") => &module[..2],
        _ => &[],
    }
}

/// Whether these attributes keep an item out of every build but that of the tests.
pub(crate) fn test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Meta>()
                .is_ok_and(|condition| needs_test(&condition))
    })
}

fn needs_test(condition: &syn::Meta) -> bool {
    let parts = |list: &syn::MetaList| {
        let parse = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
        list.parse_args_with(parse).into_iter().flatten()
    };
    match condition {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("all") => {
            parts(list).any(|part| needs_test(&part))
        }
        syn::Meta::List(list) if list.path.is_ident("any") => {
            parts(list).all(|part| needs_test(&part))
        }
        _ => false,
    }
}

//! The names that each module declares, and the paths that its code mentions.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Path, UseTree, Visibility,
    buffer::{Cursor, TokenBuffer},
    visit::{self, Visit},
};

use crate::sources::{Names, Sources, module_of, test_only};

/// What a module declares: names of its own, and names that stand for something elsewhere.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) file: String,
    pub(crate) items: BTreeSet<String>,
    pub(crate) uses: BTreeMap<String, Names>,
    pub(crate) globs: Vec<Names>,
}

/// A path that code in a module names.
pub(crate) struct Mention {
    pub(crate) module: Names,
    pub(crate) path: Names,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `use a::b`, or `pub use a::b` if it is public.
    Use { public: bool, glob: bool },
    /// `a::b` in the code itself.
    Inline,
}

/// Modules by path, those in braces too, and everything that they mention.
#[derive(Default)]
pub(crate) struct Code {
    pub(crate) scopes: BTreeMap<Names, Scope>,
    pub(crate) mentions: Vec<Mention>,
}

impl Code {
    pub(crate) fn of(sources: &Sources) -> Self {
        let mut code = Self::default();
        for (path, file) in sources.iter() {
            let mut reader = Reader {
                file: path,
                module: module_of(path),
                code: &mut code,
            };
            reader.scope();
            reader.visit_file(file);
        }
        code
    }
}

struct Reader<'a> {
    file: &'a str,
    module: Names,
    code: &'a mut Code,
}

impl Reader<'_> {
    fn scope(&mut self) -> &mut Scope {
        let scope = self.code.scopes.entry(self.module.clone()).or_default();
        if scope.file.is_empty() {
            self.file.clone_into(&mut scope.file);
        }
        scope
    }

    fn mention(&mut self, path: Names, kind: Kind) {
        let module = self.module.clone();
        self.code.mentions.push(Mention { module, path, kind });
    }

    fn use_tree(&mut self, tree: &UseTree, prefix: &[String], public: bool) {
        let mut path = prefix.to_vec();
        match tree {
            UseTree::Path(tree) => {
                path.push(name(&tree.ident));
                self.use_tree(&tree.tree, &path, public);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, prefix, public);
                }
            }
            UseTree::Name(tree) => self.used(path, name(&tree.ident), None, public),
            UseTree::Rename(tree) => {
                self.used(path, name(&tree.ident), Some(name(&tree.rename)), public);
            }
            UseTree::Glob(_) => {
                self.scope().globs.push(path.clone());
                self.mention(path, Kind::Use { public, glob: true });
            }
        }
    }

    /// `use path::last as alias`; `self` at the end of a group is the module before it.
    fn used(&mut self, mut path: Names, last: String, alias: Option<String>, public: bool) {
        if last != "self" || path.is_empty() {
            path.push(last);
        }
        let bound = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        self.scope().uses.insert(bound, path.clone());
        let glob = false;
        self.mention(path, Kind::Use { public, glob });
    }

    /// The paths in tokens that only a macro can parse.
    fn tokens(&mut self, mut cursor: Cursor<'_>) {
        let mut path = Names::new();
        while !cursor.eof() {
            if let Some((ident, rest)) = cursor.ident() {
                path.push(name(&ident));
                let more = colons(rest);
                if more.is_none() {
                    self.mention(std::mem::take(&mut path), Kind::Inline);
                }
                cursor = more.unwrap_or(rest);
                continue;
            }
            // Something other than a name ends a path too, such as the `<` of `Vec::<u8>`.
            if !path.is_empty() {
                self.mention(std::mem::take(&mut path), Kind::Inline);
            }
            if let Some((inside, _, _, rest)) = cursor.any_group() {
                self.tokens(inside);
                cursor = rest;
            } else if let Some((_, rest)) = cursor.token_tree() {
                cursor = rest;
            }
        }
    }
}

/// The tokens after a `::`.
fn colons(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let (first, rest) = cursor.punct()?;
    let (second, rest) = rest.punct()?;
    (first.as_char() == ':' && second.as_char() == ':').then_some(rest)
}

fn name(ident: &syn::Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, ident) = head(item);
        if test_only(attributes) {
            return;
        }
        if let Some(ident) = ident {
            self.scope().items.insert(name(ident));
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let only_in_tests = match item {
            ImplItem::Fn(item) => test_only(&item.attrs),
            ImplItem::Const(item) => test_only(&item.attrs),
            _ => false,
        };
        if !only_in_tests {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if let Some((_, items)) = &item.content {
            self.module.push(name(&item.ident));
            self.scope();
            for item in items {
                self.visit_item(item);
            }
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let public = !matches!(item.vis, Visibility::Inherited);
        self.use_tree(&item.tree, &[], public);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| name(&segment.ident));
            self.mention(names.collect(), Kind::Inline);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.tokens(TokenBuffer::new2(call.tokens.clone()).begin());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(TokenBuffer::new2(list.tokens.clone()).begin());
        }
    }

    /// `pub(in crate::a)` takes nothing from `a`.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

/// The attributes of an item, and the name that it declares.
fn head(item: &Item) -> (&[Attribute], Option<&syn::Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}

//! The labels and annotations of `api.md`, from the documentation in `src/api/names.rs`.

use syn::{Attribute, Expr, Item, ItemConst, Lit, Meta};

use super::{Table, code, prose, read};

/// The text of documentation comments.
pub(super) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => string(&meta.value),
            _ => None,
        });
    lines
        .map(|line| line.trim().to_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

fn string(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn constants(module: &str) -> Vec<ItemConst> {
    let source = syn::parse_file(&read("src/api/names.rs")).unwrap();
    let module = source.items.into_iter().find_map(|item| match item {
        Item::Mod(item) if item.ident == module => item.content,
        _ => None,
    });
    let (_, items) = module.unwrap_or_else(|| panic!("src/api/names.rs has no such module"));
    let constants = items.into_iter().filter_map(|item| match item {
        Item::Const(item) => Some(item),
        _ => None,
    });
    constants.collect()
}

pub(super) fn table(module: &str) -> String {
    let mut table = Table::new(&[module, "meaning"]);
    for constant in constants(module) {
        let name = string(&constant.expr).unwrap();
        if !name.starts_with("cube-operator.dev/") {
            continue;
        }
        let text = documentation(&constant.attrs);
        assert!(!text.is_empty(), "{name} has no documentation");
        let name = if name.ends_with('-') {
            name + "…"
        } else {
            name
        };
        table.row([code(&name), prose(&text)]);
    }
    table.0
}

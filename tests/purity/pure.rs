//! The decision is pure: nothing below `src/reconcile` and nothing that reads an answer knows a cluster, a network, a clock, a
//! runtime or chance.

use std::fs;

use syn::{
    ItemUse, UseTree,
    visit::{self, Visit},
};

use crate::sources::{below, root};

const PURE: [&str; 35] = [
    "src/api_error.rs",
    "src/consumers.rs",
    "src/consumers",
    "src/object.rs",
    "src/object",
    "src/reconcile.rs",
    "src/reconcile",
    "src/providers.rs",
    "src/scrub.rs",
    "src/scrub",
    "src/oauth/assertion.rs",
    "src/oauth/authentication.rs",
    "src/oauth/ca_bundle.rs",
    "src/oauth/certificate.rs",
    "src/oauth/client/error.rs",
    "src/oauth/identity.rs",
    "src/oauth/diagnose/probe.rs",
    "src/oauth/discovery.rs",
    "src/oauth/discovery",
    "src/oauth/endpoint.rs",
    "src/oauth/error.rs",
    "src/oauth/example.rs",
    "src/oauth/grant.rs",
    "src/oauth/grant",
    "src/oauth/hosts.rs",
    "src/oauth/networks.rs",
    "src/oauth/networks",
    "src/oauth/private_key.rs",
    "src/oauth/private_key",
    "src/oauth/request.rs",
    "src/oauth/request",
    "src/oauth/response.rs",
    "src/oauth/response",
    "src/template.rs",
    "src/template",
];

/// What a pure module names, and what of it is impure.
const IMPURE: [(&str, &str); 20] = [
    ("kube::", "the cluster"),
    ("k8s_openapi", "the cluster"),
    ("crate::cluster", "the cluster"),
    ("crate::kubernetes", "the cluster"),
    ("crate::controller", "the cluster"),
    ("oauth::client", "the network"),
    ("hyper", "the network"),
    ("std::net::Tcp", "the network"),
    ("std::net::Udp", "the network"),
    ("tokio", "a runtime"),
    ("async fn", "a runtime"),
    ("std::thread", "a runtime"),
    ("std::env", "the environment"),
    ("std::fs", "the environment"),
    ("std::process", "the environment"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("rand::", "chance"),
];
/// What only a program's hands do: a pure function returns what it has to say.
const TALK: [&str; 5] = ["println!", "eprintln!", "print!(", "dbg!", "tracing::"];

/// Modules of the standard library that are impure as a whole.
const IMPURE_STD: [&str; 5] = ["env", "fs", "process", "thread", "time"];

/// What code names that is impure; a comment may.
fn offences(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let mut code: Vec<_> = lines.map(str::to_owned).collect();
    // A path can also be taken apart, as in `use std::{env, fs}`.
    let mut uses = Uses::default();
    uses.visit_file(&syn::parse_file(text).expect("the source is Rust"));
    let grouped = uses.0.iter().filter(|path| {
        let module = path.strip_prefix("std::").unwrap_or_default();
        IMPURE_STD.iter().any(|name| {
            module
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    });
    let grouped: Vec<_> = grouped.cloned().collect();
    code.extend(uses.0);
    let code = code.join("\n");
    IMPURE
        .iter()
        .map(|(name, _)| *name)
        .chain(TALK)
        .filter(|name| code.contains(name))
        .map(str::to_owned)
        .chain(grouped)
        .collect()
}

/// Every path that a `use` names, written out.
#[derive(Default)]
struct Uses(Vec<String>);

impl Uses {
    fn add(&mut self, tree: &UseTree, prefix: &str) {
        match tree {
            UseTree::Path(path) => self.add(&path.tree, &format!("{prefix}{}::", path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add(tree, prefix);
                }
            }
            UseTree::Name(name) => self.0.push(format!("{prefix}{}", name.ident)),
            UseTree::Rename(name) => self.0.push(format!("{prefix}{}", name.ident)),
            UseTree::Glob(_) => self.0.push(format!("{prefix}*")),
        }
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add(&item.tree, "");
        visit::visit_item_use(self, item);
    }
}

#[test]
fn the_decision_and_the_reading_of_answers_are_pure() {
    let files: Vec<_> = PURE
        .iter()
        .flat_map(|path| below(&root().join(path)))
        .collect();
    assert!(files.len() > 30, "the sources were found: {files:?}");
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for offence in offences(&text) {
            found.push(format!("{} names {offence}", file.display()));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn an_impure_line_is_found_and_a_comment_is_not() {
    for (text, found) in [
        ("fn f() { let now = Timestamp::now(); }", true),
        ("use std::{collections::BTreeMap, env};", true),
        ("use std::{\n    fs::File,\n};", true),
        ("use kube::Api;", true),
        ("use crate::{api::Reason, kubernetes::convert};", true),
        ("use std::{cmp, time::{Duration, Instant}};", true),
        ("// Timestamp::now() is the caller's", false),
        (
            "use std::{collections::BTreeMap, fmt};\nconst ENV: u8 = 1;\nfn f(env: u8) {}",
            false,
        ),
    ] {
        assert_eq!(!offences(text).is_empty(), found, "{text}");
    }
}

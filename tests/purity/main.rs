//! The structure of `src/`, proven from the sources: no circle of imports, imports that run downwards through the layers, and a
//! decision that is pure.
//!
//! - [`sources`]: the files, parsed, without their tests.
//! - [`reader`]: the names that a file declares, and the paths that its code mentions.
//! - [`imports`]: the file that defines what a path names, and so which file takes what from which.
//! - [`circles`], [`layers`]: the two rules on imports. `layers` has the table of the rooms, top to bottom.
//! - [`pure`]: no cluster, network, clock, runtime or chance where decisions are made.

mod circles;
mod examples;
mod imports;
mod layers;
mod pure;
mod reader;
mod sources;

use imports::{Import, imports};
use layers::LAYERS;
use sources::Sources;

fn of_src() -> (Sources, Vec<Import>) {
    let sources = Sources::read();
    let imports = imports(&sources);
    assert!(sources.files().len() > 50, "the sources were found");
    assert!(imports.len() > 200, "their imports were found");
    (sources, imports)
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let (_, imports) = of_src();
    let circles = circles::circles(&imports);
    assert!(circles.is_empty(), "{}", circles::report(&circles));
}

#[test]
fn imports_run_downwards_through_the_layers() {
    let (sources, imports) = of_src();
    let found = layers::violations(LAYERS, &sources.files(), &imports);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// `tests/figures.sh` shows this line.
#[test]
fn figures() {
    let (sources, imports) = of_src();
    let circles = circles::circles(&imports);
    let within = |import: &&Import| {
        let core = |file: &str| file.starts_with("src/reconcile");
        core(&import.from) && core(&import.to)
    };
    let core: Vec<_> = imports.iter().filter(within).cloned().collect();
    println!(
        "{} files, {} imports; circles {}, the largest of {} files; {} imports within src/reconcile, {} of them not downwards",
        sources.files().len(),
        imports.len(),
        circles.len(),
        circles
            .iter()
            .map(|circle| circle.files)
            .max()
            .unwrap_or_default(),
        core.len(),
        core.iter()
            .filter(|import| !layers::runs_downwards(LAYERS, import))
            .count(),
    );
}

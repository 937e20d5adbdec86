//! The rooms of `src/` from top to bottom, and the rule that imports run downwards.

use crate::imports::Import;

/// A row may take from the rows below it. The rooms of one row know nothing of each other; the files of one room may take from
/// each other, as long as that is no circle.
///
/// A room is a path: `src/leader` is `src/leader.rs` and everything in `src/leader/`, `src/leader.rs` is that file alone. A file
/// belongs to the room with the longest path. A new file that fits no room fails the test: say here where it stands.
pub(crate) const LAYERS: &[&[&str]] = &[
    // The program.
    &["src/main.rs", "src/bin/kubectl-cube.rs", "src/lib.rs"],
    &["src/plugin"],
    &["src/command"],
    &["src/server", "src/telemetry.rs"],
    &["src/cli"],
    &["src/controller"],
    &["src/leader"],
    // The effects: what is read from the cluster, what is written to it and sent to token endpoints.
    &["src/cluster"],
    &["src/kubernetes"],
    &["src/metrics"],
    &["src/oauth/diagnose"],
    &["src/oauth/client"],
    // The core, which is pure. `src/reconcile.rs` only shows what the files below it define.
    &["src/reconcile.rs"],
    &["src/reconcile/session.rs", "src/reconcile/inspect"],
    &["src/reconcile/absorb", "src/reconcile/decide"],
    &["src/reconcile/checks"],
    &["src/reconcile/status"],
    &["src/reconcile/case", "src/reconcile/finding"],
    &["src/reconcile/plan", "src/reconcile/observed"],
    &["src/reconcile/memory"],
    &["src/reconcile/record.rs"],
    &["src/reconcile/login"],
    &["src/reconcile/target"],
    &["src/reconcile/pace"],
    &["src/reconcile/token"],
    &["src/reconcile/source"],
    &["src/reconcile/settings", "src/reconcile/credential"],
    &["src/reconcile/provider"],
    // A provider object may not fit a spec.
    &["src/reconcile/settings/error.rs"],
    &["src/reconcile/event.rs", "src/reconcile/secret.rs"],
    &[
        "src/reconcile/digest.rs",
        "src/reconcile/time.rs",
        "src/reconcile/write_error.rs",
    ],
    // What the core speaks about.
    &["src/consumers", "src/template"],
    &["src/oauth/example.rs"],
    // `check` judges the response to its probe as the core judges a response: without sending anything.
    &["src/oauth/error.rs", "src/oauth/diagnose/probe.rs"],
    // The errors of the network are data: only the rest of that room sends anything.
    &["src/oauth/client/error.rs"],
    &["src/oauth", "src/providers.rs"],
    &["src/api", "src/scrub"],
    &[
        "src/api_error.rs",
        "src/clock.rs",
        "src/last_error.rs",
        "src/lock.rs",
        "src/object",
        "src/process.rs",
    ],
];

type Layers = [&'static [&'static str]];

/// Every import that does not run downwards, every file without a room and every room without a file.
pub(crate) fn violations(layers: &Layers, files: &[&str], imports: &[Import]) -> Vec<String> {
    let upwards = imports
        .iter()
        .filter(|import| !runs_downwards(layers, import))
        .map(|import| match directions(layers, import) {
            Some((from, to)) => format!("{}: {to} is not below {from}", import.sentence()),
            None => import.sentence(),
        });
    let homeless = files
        .iter()
        .filter(|file| room(layers, file).is_none())
        .map(|file| format!("{file} has no row in LAYERS"));
    let empty = layers
        .iter()
        .flat_map(|row| row.iter())
        .filter(|name| !files.iter().any(|file| covers(name, file)))
        .map(|name| format!("{name} in LAYERS has no file"));
    homeless.chain(empty).chain(upwards).collect()
}

pub(crate) fn runs_downwards(layers: &Layers, import: &Import) -> bool {
    match (room(layers, &import.from), room(layers, &import.to)) {
        (Some(from), Some(to)) => from.name == to.name || from.row < to.row,
        // A file without a room is reported by itself.
        _ => true,
    }
}

fn directions(layers: &Layers, import: &Import) -> Option<(&'static str, &'static str)> {
    let from = room(layers, &import.from)?;
    let to = room(layers, &import.to)?;
    Some((from.name, to.name))
}

struct Room {
    row: usize,
    name: &'static str,
}

fn room(layers: &Layers, file: &str) -> Option<Room> {
    let rooms = layers
        .iter()
        .enumerate()
        .flat_map(|(row, names)| names.iter().map(move |name| Room { row, name }));
    rooms
        .filter(|room| covers(room.name, file))
        .max_by_key(|room| room.name.len())
}

fn covers(room: &str, file: &str) -> bool {
    file.strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}

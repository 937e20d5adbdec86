//! `kubectl cube status`: the tokens, those that need a person first; or one token, from its client to the pods that use it.
//!
//! - `urgency`: what each object needs, and from whom. It is pure.
//! - `table`: the objects as lines, in as many columns as there is room for.
//! - `scope`: the objects that the flags name.
//! - `watch`: the same, again and again.
//! - `path`, `secrets`, `recent`: one object with everything around it; `tree` draws it.
//! - `document`: both as JSON or YAML.
//!
//! No Secret is read: its metadata says whether it is there, who wrote it and which keys it has.

mod document;
mod path;
mod recent;
mod scope;
mod secrets;
mod table;
mod tree;
mod urgency;
mod watch;

use clap::Args;

use super::{
    Context, cluster::Cluster, error::Result, names::names, output::Format, screen::Screen,
};
use crate::clock::now;
use document::{List, One};
use path::Path;
use scope::{Scope, rows};

/// The flags of `status`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Status {
    /// Show this CubeCredential only, from its client to the pods that use its token
    #[arg(add = names())]
    name: Option<String>,
    /// Show the CubeCredentials of all namespaces
    #[arg(short = 'A', long, conflicts_with_all = ["name", "namespace"])]
    all_namespaces: bool,
    /// Show changes until Ctrl-C: on a terminal in place, elsewhere as further lines
    #[arg(short, long, conflicts_with = "output")]
    watch: bool,
    /// Print a document for programs; the page kubectl-cube.md of the documentation lists its fields
    #[arg(short, long, value_name = "FORMAT", value_enum)]
    output: Option<Format>,
}

const EXAMPLES: &str = "Examples:
  kubectl cube status
  kubectl cube status -A --watch
  kubectl cube status cubewire
  kubectl cube status -A -o json | jq -r '.items[] | select(.urgency == \"NeedsPerson\") | .name'";

/// Shows the tokens.
pub(super) async fn run(context: &Context, flags: Status) -> Result {
    let scope = Scope {
        cluster: Cluster::connect(context).await?,
        name: flags.name,
        all_namespaces: flags.all_namespaces,
    };
    if flags.watch {
        return watch::watch(context, &scope).await;
    }
    match &scope.name {
        Some(name) => one(context, &scope, name, flags.output).await,
        None => all(context, &scope, flags.output).await,
    }
}

async fn one(context: &Context, scope: &Scope, name: &str, output: Option<Format>) -> Result {
    let object = scope.cluster.object(name).await?;
    let path = Path::of(&scope.cluster, &object).await;
    if let Some(format) = output {
        return format.print(context, &One::of(&object, &path, now()));
    }
    let screen = Screen::detect(&context.terminal);
    for line in tree::lines(&screen, &object, &path, now()) {
        context.terminal.print(&line);
    }
    Ok(())
}

async fn all(context: &Context, scope: &Scope, output: Option<Format>) -> Result {
    let objects = scope.cluster.objects(scope.namespace()).await?;
    if let Some(format) = output {
        return format.print(context, &List::of(&objects, now()));
    }
    if objects.is_empty() {
        context.terminal.note(&scope.nothing());
        return Ok(());
    }
    let screen = Screen::detect(&context.terminal);
    let rows = rows(objects.iter());
    for line in table::lines(&screen, &rows, scope.all_namespaces, now()) {
        context.terminal.print(&line);
    }
    Ok(())
}

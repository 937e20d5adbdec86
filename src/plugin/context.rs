//! The things that a command works with.

use std::path::PathBuf;

use clap::Args;

use super::{interrupt::Writes, terminal::Terminal};

/// The things that a command works with.
pub(super) struct Context {
    /// The person's terminal.
    pub(super) terminal: Terminal,
    /// The writes that Ctrl-C must not cut short.
    pub(super) writes: Writes,
    /// The flags that every command has.
    pub(super) global: Global,
}

/// The flags that every command has, with the names that kubectl gives them.
#[derive(Debug, Default, Args)]
pub(super) struct Global {
    /// Use this context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) context: Option<String>,
    /// Use this kubeconfig
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,
    /// Work in this namespace; the default is the namespace of the context
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
}

//! `kubectl cube`: from a client id and a browser to a live token.
//!
//! - `cli`: the flags; each command defines its own beside its code.
//! - `create`, `login`: the way to a first token. `login` is the only command that holds a token, and only until it is stored.
//! - `status`, `refresh`, `suspend`, `check`, `version`, `completion`: the days after.
//! - `object`, `objects`, `names`: `CubeCredential` objects of any version, and those that the arguments name.
//! - `operator_pod`: where the operator runs. `rights`: the right that is missing.
//! - `kubeconfig`: the kubeconfig, and the proxy before the API server. `cluster`: the calls that several commands make.
//! - `metadata`: where an authorization server has its endpoints.
//! - `wait`: waits until the operator has done its part.
//! - `terminal`: progress and results. Nothing else prints. `questions`: the questions to a person.
//! - `screen`, `countdown`, `output`: tables, times and documents.
//! - `error`: how a command fails: one sentence, and an exit code.
//! - `interrupt`: Ctrl-C ends a command between two writes, never within one.

mod check;
mod cli;
mod cluster;
mod completion;
mod context;
mod countdown;
mod create;
mod error;
mod interrupt;
mod kubeconfig;
mod login;
mod metadata;
mod names;
mod object;
mod objects;
mod operator_bundle;
mod operator_pod;
mod output;
mod questions;
mod refresh;
mod rights;
mod screen;
mod status;
mod suspend;
mod terminal;
mod version;
mod wait;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use context::Context;
use error::Result;
use interrupt::Writes;
use terminal::Terminal;

/// The command line, for the documentation.
#[must_use]
pub fn command_line() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments name.
pub async fn main() -> ExitCode {
    match completion::answer_a_shell(Cli::command) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(error) => error.exit(),
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let context = Context {
        terminal: Terminal::detect(),
        writes: Writes::default(),
        global: cli.global,
    };
    let writes = context.writes.clone();
    let ended =
        interrupt::until_interrupted(&context.terminal, &writes, run(&context, cli.command));
    let ended = ended.await;
    context.terminal.restore();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.terminal.fail(&error);
            error.exit_code()
        }
    }
}

async fn run(context: &Context, command: Command) -> Result {
    match command {
        Command::Create(flags) => Box::pin(create::run(context, *flags)).await,
        Command::Login(flags) => Box::pin(login::run(context, flags)).await,
        Command::Status(flags) => Box::pin(status::run(context, flags)).await,
        Command::Refresh(flags) => Box::pin(refresh::run(context, flags)).await,
        Command::Suspend(flags) => Box::pin(suspend::suspend(context, flags)).await,
        Command::Resume(flags) => Box::pin(suspend::resume(context, flags)).await,
        Command::Check(flags) => Box::pin(check::run(context, flags)).await,
        Command::Version(flags) => Box::pin(version::run(context, flags)).await,
        Command::Completion(flags) => completion::run(context, &flags),
        Command::Complete(words) => completion::complete(context, words, Cli::command()),
    }
}

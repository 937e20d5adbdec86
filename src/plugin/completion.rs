//! Completion in shells: flags, commands, and the [names](super::names) of `CubeCredential` objects from the cluster.
//!
//! kubectl completes a plugin by running `kubectl_complete-cube` with the words of the line, and expects the lines that cobra's
//! `__complete` prints. `completion kubectl` prints that program. The scripts of the shells complete `kubectl-cube` itself.

use std::{env, ffi::OsString};

use clap::{Args, Command, ValueEnum};
use clap_complete::{
    engine::complete as candidates,
    env::{Bash, CompleteEnv, EnvCompleter, Fish, Powershell, Zsh},
};

use super::{
    Context,
    error::{PluginError, Result},
};

/// The scripts of the shells set this variable to ask this program.
const VARIABLE: &str = "KUBECTL_CUBE_COMPLETE";
const PROGRAM: &str = "kubectl-cube";
/// cobra's directive to complete no files.
const NO_FILES: &str = ":4";

/// The program that kubectl runs.
const FOR_KUBECTL: &str = "#!/bin/sh
# kubectl completes `kubectl cube` with this program, by its name: kubectl_complete-cube. It has to be executable and on the PATH.
exec kubectl-cube __complete -- \"$@\"
";

/// The flags of `completion`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completion {
    /// The shell, or kubectl for `kubectl cube`
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "Examples:
  kubectl cube completion kubectl > ~/.local/bin/kubectl_complete-cube && chmod +x ~/.local/bin/kubectl_complete-cube
  source <(kubectl cube completion bash)";

/// The programs that complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// `kubectl-cube` in bash
    Bash,
    /// `kubectl-cube` in zsh
    Zsh,
    /// `kubectl-cube` in fish
    Fish,
    /// `kubectl-cube` in PowerShell
    Powershell,
    /// `kubectl cube` in every shell that completes kubectl: save it as `kubectl_complete-cube`
    Kubectl,
}

/// The words of a line, without `kubectl cube`.
#[derive(Debug, Args)]
pub(super) struct Words {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Prints the completion script.
pub(super) fn run(context: &Context, flags: &Completion) -> Result {
    let completer: &dyn EnvCompleter = match flags.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Kubectl => {
            context.terminal.print(FOR_KUBECTL.trim_end());
            return Ok(());
        }
    };
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
        .map_err(|error| PluginError::new(format!("the script cannot be written: {error}")))?;
    context
        .terminal
        .print(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}

/// Completes a line for a shell, and returns whether one asked.
pub(super) fn answer_a_shell(command_line: impl Fn() -> Command) -> clap::error::Result<bool> {
    let directory = env::current_dir().ok();
    CompleteEnv::with_factory(command_line)
        .var(VARIABLE)
        .try_complete(env::args_os(), directory.as_deref())
}

/// Prints what could follow, as cobra does.
pub(super) fn complete(
    context: &Context,
    Words { words }: Words,
    mut command_line: Command,
) -> Result {
    let mut line = vec![OsString::from(PROGRAM)];
    line.extend(words);
    if line.len() == 1 {
        line.push(OsString::new());
    }
    let last = line.len() - 1;
    let found = candidates(&mut command_line, line, last, None)
        .map_err(|error| PluginError::new(format!("the line cannot be completed: {error}")))?;
    for candidate in found.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        // The first line is enough of a help.
        let help = candidate.get_help().map(ToString::to_string);
        let help = help.as_deref().and_then(|help| help.lines().next());
        let help = help.map_or(String::new(), |help| format!("\t{help}"));
        context.terminal.print(&format!("{value}{help}"));
    }
    context.terminal.print(NO_FILES);
    Ok(())
}

//! The operator: arguments, and the command that they name.

use std::process::ExitCode;

use clap::Parser;
use cube_operator::{
    cli::{Cli, Command},
    command, process,
};

/// One thread does everything. Its work is waiting for others and small pieces of CPU, the largest tens of milliseconds (the end of a
/// list of 10,000), which a Lease that is renewed every 2 s does not notice: an exchange costs less without a second thread to wake,
/// and memory is not divided among the allocators of threads. Only lookups of a proxy's name have threads of their own. The ceiling
/// is one core; `docs/performance.md` says how many credentials that is.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Err(message) = process::prepare() {
        eprintln!("cube-operator: {message}");
        return ExitCode::FAILURE;
    }
    let arguments = match Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return report_bad_flag(&error),
    };
    let result = match arguments.command {
        Command::Run(flags) => command::run::run(flags).await,
        Command::Crd => command::crd::print(),
        Command::Check(flags) => Box::pin(command::check::check(flags)).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("cube-operator: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a bad flag in one line, like every other error, and help and version as they are.
fn report_bad_flag(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    let mut lines = text.lines();
    let mut line = lines.next().unwrap_or_default().to_owned();
    // clap lists what is missing on further lines.
    if line.ends_with(':') {
        let missing = lines.map(str::trim).take_while(|line| !line.is_empty());
        line = missing.fold(line, |line, name| format!("{line} {name}"));
    }
    match line.strip_prefix("error: ") {
        Some(line) => {
            eprintln!("cube-operator: {line}");
            ExitCode::from(2)
        }
        None => error.exit(),
    }
}

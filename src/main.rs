//! The program: a crypto provider, arguments, and the command that they name.

use std::process::ExitCode;

use clap::Parser;
use cube_operator::{
    cli::{Cli, Command},
    command,
};

#[tokio::main]
async fn main() -> ExitCode {
    // Two TLS clients share it; without one they panic instead of returning an error.
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing installed a provider before");
    let arguments = match Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return report_bad_flag(&error),
    };
    let result = match arguments.command {
        Command::Run(flags) => command::run::run(flags).await,
        Command::Crd => command::crd::print(),
        Command::Check(flags) => command::check::check(flags).await,
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
    let line = text.lines().next().unwrap_or_default();
    match line.strip_prefix("error: ") {
        Some(line) => {
            eprintln!("cube-operator: {line}");
            ExitCode::from(2)
        }
        None => error.exit(),
    }
}

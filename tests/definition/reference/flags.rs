//! `flags.md`, from clap's definition of the commands.

use clap::{Arg, Command, CommandFactory};
use cube_operator::cli::Cli;

use super::{Table, check, code, prose};

fn name(flag: &Arg) -> String {
    let long = flag.get_long().map(|long| format!("--{long}"));
    let short = flag.get_short().map(|short| format!("-{short}"));
    let names = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    let takes_value = flag.get_action().takes_values();
    let value = flag.get_value_names().unwrap_or_default().join(" ");
    match (names.as_str(), takes_value) {
        ("", _) => code(&value),
        (names, true) => format!("`{names} {value}`"),
        (names, false) => code(names),
    }
}

fn default(flag: &Arg) -> String {
    let values = flag.get_default_values().iter();
    let values = values.map(|value| code(&value.to_string_lossy()));
    if flag.get_action().takes_values() {
        values.collect::<Vec<_>>().join(", ")
    } else {
        String::new()
    }
}

/// The short help and what follows it, as sentences.
fn sentences(help: &str) -> String {
    help.replace(".\n\n", ". ").replace("\n\n", ". ")
}

fn meaning(flag: &Arg) -> String {
    let long = flag.get_long_help().or_else(|| flag.get_help());
    let help = long.unwrap_or_else(|| panic!("{} has no help", flag.get_id()));
    let mut text = prose(&sentences(&help.to_string()));
    if !text.ends_with('.') {
        text.push('.');
    }
    let allowed = flag.get_possible_values();
    if flag.get_action().takes_values() && allowed.iter().any(|value| value.get_help().is_some()) {
        for value in allowed {
            let help = value.get_help().unwrap().to_string();
            text += &format!(
                " `{}`: {}.",
                value.get_name(),
                prose(help.trim_end_matches('.'))
            );
        }
    }
    text
}

/// The commands of a program: what each does, examples, and its flags.
pub(super) fn section(program: &str, command: &Command) -> String {
    let about = command.get_long_about().or_else(|| command.get_about());
    let mut text = format!(
        "\n## `{program} {}`\n\n{}\n",
        command.get_name(),
        prose(&sentences(&about.unwrap().to_string()))
    );
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string();
        let (_, lines) = examples.split_once("Examples:\n").unwrap();
        let lines = lines.lines().map(str::trim);
        text += &format!("\n```\n{}\n```\n", lines.collect::<Vec<_>>().join("\n"));
    }
    let flags: Vec<_> = command
        .get_arguments()
        .filter(|flag| flag.get_id() != "help")
        .collect();
    if flags.is_empty() {
        return text;
    }
    text + "\n" + &table(&flags)
}

/// The column of environment variables only where there is one.
pub(super) fn table(flags: &[&Arg]) -> String {
    let variable = |flag: &Arg| flag.get_env().map(|name| code(&name.to_string_lossy()));
    if flags.iter().all(|flag| variable(flag).is_none()) {
        let mut table = Table::new(&["flag", "default", "meaning"]);
        for flag in flags {
            table.row([name(flag), default(flag), meaning(flag)]);
        }
        return table.0;
    }
    let mut table = Table::new(&["flag", "environment variable", "default", "meaning"]);
    for flag in flags {
        table.row([
            name(flag),
            variable(flag).unwrap_or_default(),
            default(flag),
            meaning(flag),
        ]);
    }
    table.0
}

#[test]
fn flags_are_listed_by_command() {
    let mut page = String::from(
        "# Commands and flags\n\n\
         The chart sets the flags of `run` from [its values](values.md). In the operator's pod, `check` finds the same ones in the \
         environment. A flag wins over its variable.\n\n\
         `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` are used as other programs use them. `RUST_LOG` sets the level of the \
         operator's own log lines: `error`, `warn`, `info`, `debug` or `trace`. Libraries never log below `info`, because there they \
         print headers and bodies.\n\n\
         A command ends with 0 if all is well, with 1 after a failure (`check`: if there is a ✗), and with 2 for a wrong flag.\n",
    );
    for command in Cli::command().get_subcommands() {
        page += &section("cube-operator", command);
    }
    check("flags.md", "src/cli.rs", &page);
}

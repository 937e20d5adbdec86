//! `kubectl-cube.md`, from clap's definition of the commands.

use super::{
    check,
    flags::{section, table},
};

#[test]
fn commands_of_the_plugin_are_listed() {
    let program = cube_operator::plugin::command_line();
    let mut page = String::from(
        "# Commands of `kubectl cube`\n\n\
         A command ends with 0 if it did what it was asked for, with 1 if not, with 2 for a wrong flag, and with 130 after Ctrl-C; \
         `check` ends with the code of the operator's `check`. `NO_COLOR` leaves the colours out.\n\n\
         Every command has these flags:\n\n",
    );
    let global: Vec<_> = program
        .get_arguments()
        .filter(|flag| flag.is_global_set())
        .collect();
    page += &table(&global);
    for command in program
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        page += &section("kubectl cube", command);
    }
    check("kubectl-cube.md", "src/plugin", &page);
}

//! The program on a pseudo-terminal.

use std::process::Command;

use crate::{environment::output, operator::eventually, place::Place};

use super::person::{Person, without_client};

/// Runs the program on a terminal of so many columns, presses Ctrl-C once it has drawn this text, and prints its exit code and
/// everything that it drew.
const TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios
columns, until, program = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 10, columns, 0, 0))
    os.execv(program[0], program)
drawn, pressed = b"", False
while True:
    try: part = os.read(terminal, 4096)
    except OSError: break
    if not part: break
    drawn += part
    if until and until in drawn and not pressed:
        pressed = True
        os.write(terminal, b"\x03")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(drawn.decode(), end="")
"#;

fn drawn(
    person: &Person,
    columns: &str,
    until: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (i32, String) {
    let mut terminal = Command::new("python3");
    terminal.args([
        "-c",
        TERMINAL,
        columns,
        until,
        env!("CARGO_BIN_EXE_kubectl-cube"),
    ]);
    terminal
        .args(arguments)
        .env("KUBECONFIG", &person.kubeconfig)
        .env("TERM", "xterm");
    terminal
        .env_remove("NO_COLOR")
        .envs(variables.iter().copied());
    let text = output(&mut terminal);
    let (code, text) = text.split_once('\n').unwrap();
    (code.parse().unwrap(), text.to_owned())
}

/// The text without the sequences that only a terminal obeys.
fn plain(text: &str) -> String {
    console::strip_ansi_codes(text).into_owned()
}

#[test]
fn a_terminal_has_colours_and_no_line_that_is_wider_and_a_watch_that_draws_in_place() {
    let place = Place::new();
    let person = Person::with_edit(&place);
    let _operator = place.operator();
    place.ready_main();
    place.apply(&without_client(&place, "broken"));
    eventually("it is refused", || {
        person
            .cube(&["status"])
            .1
            .contains("ClientSecretNotFound")
            .then_some(())
    });

    let (code, table) = drawn(&person, "60", "", &["status"], &[]);
    assert_eq!(code, 0);
    assert!(
        table.contains("\u{1b}[31m✗") && table.contains("\u{1b}[32m✓"),
        "{table}"
    );
    let (_, uncoloured) = drawn(&person, "60", "", &["status"], &[("NO_COLOR", "1")]);
    assert!(!uncoloured.contains('\u{1b}'), "{uncoloured}");
    for arguments in [&["status"][..], &["status", "main"]] {
        for columns in ["24", "60", "100"] {
            let (_, text) = drawn(&person, columns, "", arguments, &[]);
            let widest = plain(&text).lines().map(console::measure_text_width).max();
            // The tree keeps long names whole.
            let limit = columns.parse::<usize>().unwrap();
            let is_tree = arguments.len() > 1;
            assert!(is_tree && limit < 60 || widest <= Some(limit), "{text}");
        }
    }

    let (code, watch) = drawn(&person, "80", "main", &["status", "--watch"], &[]);
    assert_eq!(code, 130, "{watch}");
    let frame = watch.split("\u{1b}[H").nth(1).unwrap();
    assert!(plain(frame).starts_with("   NAME    STATUS"), "{watch}");
    assert!(
        plain(&watch)
            .trim_end()
            .ends_with("kubectl cube: interrupted"),
        "{watch}"
    );
}

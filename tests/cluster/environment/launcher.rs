//! A process of `tests/environment.py`, which takes commands and ends with its standard input.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use serde_json::{Value, json};

use super::{ROOT, directory};

/// A running part of the environment.
pub(super) struct Launcher {
    _child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    facts: Value,
}

impl Launcher {
    pub(super) fn start(kind: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new("python3")
            .arg(format!("{ROOT}/tests/environment.py"))
            .arg(kind)
            .arg("--dir")
            .arg(directory(kind))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts tests/environment.py");
        let (stdin, mut stdout) = (
            child.stdin.take().unwrap(),
            BufReader::new(child.stdout.take().unwrap()),
        );
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let facts = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the {kind} did not start; see its message above"));
        Self {
            _child: child,
            pipes: Mutex::new((stdin, stdout)),
            facts,
        }
    }

    pub(super) fn fact(&self, name: &str) -> String {
        self.facts[name]
            .as_str()
            .unwrap_or_else(|| panic!("environment.py says no {name}"))
            .to_owned()
    }

    pub(super) fn command(&self, command: &Value) {
        assert_eq!(self.ask(command), json!({"ok": true}), "{command}");
    }

    pub(super) fn ask(&self, command: &Value) -> Value {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{command}").unwrap();
        let mut line = String::new();
        pipes.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

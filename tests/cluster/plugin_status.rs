//! `kubectl cube status` and the commands of the days after, as a process, for a person who has the role `edit` in one namespace.

mod changes;
mod check;
mod completion;
mod kubeconfig;
mod older;
pub(crate) mod person;
mod rights;
mod status;
mod terminal;
mod version;

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use crate::{commands::Ended, operator::eventually};

/// The program as a process.
fn cube(kubeconfig: &str, arguments: &[&str]) -> Child {
    cube_in(&[("KUBECONFIG", kubeconfig)], arguments)
}

/// The same with these variables of the environment.
fn cube_in(environment: &[(&str, &str)], arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kubectl-cube"))
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the program until it ends.
fn run(kubeconfig: &str, arguments: &[&str]) -> Ended {
    ended(cube(kubeconfig, arguments))
}

fn ended(mut child: Child) -> Ended {
    // A pipe that nobody reads stops a program with much to say.
    let stdout = reader(child.stdout.take().unwrap());
    let stderr = reader(child.stderr.take().unwrap());
    let status = eventually("the program ends", || child.try_wait().unwrap());
    (
        status.code(),
        stdout.join().unwrap(),
        stderr.join().unwrap(),
    )
}

fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

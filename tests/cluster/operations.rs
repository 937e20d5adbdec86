//! The recipes of `docs/operations.md` and `docs/backup.md`: these tests run the very commands of the pages, with their own names.

mod moves;
mod quota;
mod restore;
mod rotation;
mod sharing;
mod sign_in;

use std::{
    env, fs,
    io::Write,
    process::{Command, Stdio},
};

use crate::{
    environment::{ControlPlane, ROOT},
    place::Place,
};

/// The commands of a section of a page, one text for each block.
struct Recipe(Vec<String>);

impl Recipe {
    fn of(page: &str, section: &str) -> Self {
        let text = fs::read_to_string(format!("{ROOT}/docs/{page}")).unwrap();
        let heading = format!("\n## {section}\n");
        let (_, rest) = text
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{page} has no section {section:?}"));
        let section = rest.split("\n## ").next().unwrap();
        let blocks = section.split("```sh\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
        Self(blocks.collect())
    }

    /// The recipe with other names. They are replaced in this order.
    fn with(self, names: &[(&str, &str)]) -> Self {
        let replace = |block: String| {
            names
                .iter()
                .fold(block, |block, (name, other)| block.replace(name, other))
        };
        Self(self.0.into_iter().map(replace).collect())
    }

    /// The recipe for the `CubeCredential` `main` of a place, in the folder `within`.
    fn for_main(self, place: &Place) -> Self {
        self.with(&[
            ("cubewire-client", "client"),
            ("cubecredential cubewire", "cubecredential main"),
            ("-n treasury", &format!("-n {}", place.namespace)),
        ])
    }
}

/// What a person types into a shell.
struct Shell<'a> {
    plane: &'a ControlPlane,
    directory: &'a str,
}

impl Shell<'_> {
    /// Runs the commands, whose standard input is this text. Returns what they print.
    fn run(&self, commands: &str, input: &str) -> String {
        let path = env::var("PATH").unwrap();
        let mut child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", commands])
            .env("PATH", format!("{ROOT}/target/tools/bin:{path}"))
            .env("KUBECONFIG", &self.plane.kubeconfig)
            .current_dir(self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Commands that read nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{commands}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Place {
    /// Runs the commands of a page in the root of the repository.
    fn shell(&self, commands: &str, input: &str) -> String {
        let shell = Shell {
            plane: self.plane,
            directory: ROOT,
        };
        shell.run(commands, input)
    }
}

//! Completion by real shells, and by kubectl itself.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::{
    environment::{directory, output, tool},
    place::Place,
};

use super::{person::Person, run};

/// A directory with the program, and with the one that kubectl completes it with.
fn programs() -> String {
    let directory = directory("bin");
    let program = env!("CARGO_BIN_EXE_kubectl-cube");
    std::os::unix::fs::symlink(program, directory.join("kubectl-cube")).unwrap();
    let (code, script, _) = run("/nonexistent", &["completion", "kubectl"]);
    assert_eq!(code, Some(0));
    let path = directory.join("kubectl_complete-cube");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", directory.display(), std::env::var("PATH").unwrap())
}

#[test]
fn names_are_completed_from_the_cluster_by_kubectl_and_by_bash() {
    let place = Place::new();
    for name in ["cubewire", "planning"] {
        place.apply(&place.credential(name));
    }
    let person = Person::with_edit(&place);
    let path = programs();
    let kubectl = |words: &[&str]| {
        let mut kubectl = tool("kubectl");
        kubectl.args(["__complete", "cube"]).args(words);
        kubectl
            .env("PATH", &path)
            .env("KUBECONFIG", &person.kubeconfig);
        output(&mut kubectl)
    };
    assert_eq!(
        kubectl(&["refresh", ""])
            .lines()
            .take(2)
            .collect::<Vec<_>>(),
        ["cubewire", "planning"]
    );
    let expected = "planning\n:4\n";
    assert_eq!(kubectl(&["status", "pl"]), expected);
    let commands = kubectl(&["sus"]);
    assert_eq!(
        commands,
        "suspend\tStop refreshing, and keep what is published\n:4\n"
    );
    // Another namespace has others, and nothing is heard of a cluster that cannot be reached.
    assert_eq!(kubectl(&["status", "-n", "default", "pl"]), ":4\n");
    assert_eq!(
        kubectl(&["status", "--kubeconfig", "/nonexistent", "pl"]),
        ":4\n"
    );

    let bash = "source <(kubectl-cube completion bash)\n\
        COMP_WORDS=(kubectl-cube check cube) COMP_CWORD=2 COMP_TYPE=9\n\
        _clap_complete_kubectl_cube kubectl-cube cube check\n\
        echo \"${COMPREPLY[@]}\"";
    let mut shell = Command::new("bash");
    shell
        .args(["--norc", "-c", bash])
        .env("PATH", &path)
        .env("KUBECONFIG", &person.kubeconfig);
    assert_eq!(output(&mut shell), "cubewire\n");
}

/// Only where the machine has that shell.
#[test]
fn fish_completes_commands() {
    if !Path::new("/usr/bin/fish").exists() {
        return;
    }
    let script = "kubectl-cube completion fish | source; complete -C 'kubectl-cube sus'";
    let mut shell = Command::new("fish");
    shell
        .args(["--no-config", "-c", script])
        .env("PATH", programs());
    assert_eq!(
        output(&mut shell),
        "suspend\tStop refreshing, and keep what is published\n"
    );
}

#[test]
fn each_shell_has_a_script_that_it_can_read() {
    for (shell, mark, syntax) in [
        ("bash", "complete -o", Some(&["bash", "-n"][..])),
        ("zsh", "#compdef kubectl-cube", Some(&["zsh", "-n"])),
        (
            "fish",
            "complete --keep-order",
            Some(&["fish", "--no-execute"]),
        ),
        ("powershell", "Register-ArgumentCompleter", None),
    ] {
        let (code, script, errors) = run("/nonexistent", &["completion", shell]);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{shell}");
        assert!(script.contains(mark), "{script}");
        let file = directory("completion").join(shell);
        fs::write(&file, script).unwrap();
        let Some((program, arguments)) = syntax.and_then(<[_]>::split_first) else {
            continue;
        };
        // A shell that this machine does not have reads nothing.
        let has = ["/bin", "/usr/bin"]
            .iter()
            .any(|at| Path::new(at).join(program).exists());
        if has {
            output(Command::new(program).args(arguments).arg(&file));
        }
    }
}

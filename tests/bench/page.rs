//! `docs/performance.md`: the table, the machine, and how to repeat it.

use std::{fs, path::Path, process::Command};

use jiff::Timestamp;

use crate::environment::{ROOT, output};

/// Writes the page.
pub(crate) fn write(table: &str) {
    let page = Path::new(ROOT).join("docs/performance.md");
    fs::write(page, text(table)).unwrap();
}

fn text(table: &str) -> String {
    let commit = output(&mut git(&["rev-parse", "--short", "HEAD"]));
    let changed = output(&mut git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "src",
    ]));
    let changed = if changed.is_empty() {
        ""
    } else {
        ", with changes"
    };
    include_str!("page.md")
        .replace("{table}", table.trim_end())
        .replace("{machine}", &machine())
        .replace("{commit}", &format!("{}{changed}", commit.trim()))
        .replace("{date}", &Timestamp::now().strftime("%Y-%m-%d").to_string())
}

fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.current_dir(ROOT).args(arguments);
    command
}

/// Model, cores and memory.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or("unknown".into(), |(_, value)| value.trim().to_owned())
    };
    let model = value(&read("/proc/cpuinfo"), "model name");
    let memory = value(&read("/proc/meminfo"), "MemTotal");
    let kib = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, {} GB of memory", kib / 1_000_000)
}

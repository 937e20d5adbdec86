//! A hard limit of the operator's memory: a cgroup, as a container has one. The kernel takes back what it can, such as pages of the
//! program, and kills a process that needs more.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::environment::directory;

const ROOT: &str = "/sys/fs/cgroup";

/// A program that runs this one in a cgroup with so many MiB, which needs root.
pub(crate) fn limited(binary: &Path, mebibytes: u64) -> PathBuf {
    let group = group(mebibytes * 1024 * 1024);
    let script = directory("limit").join("cube-operator");
    let text = format!(
        "#!/bin/sh\nset -e\necho $$ >{}/cgroup.procs\nexec {} \"$@\"\n",
        group.display(),
        binary.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// A new cgroup, of version 2 if the machine has that.
fn group(bytes: u64) -> PathBuf {
    let is_second = Path::new(ROOT).join("cgroup.controllers").exists();
    let (parent, file) = if is_second {
        (ROOT.to_owned(), "memory.max")
    } else {
        (format!("{ROOT}/memory"), "memory.limit_in_bytes")
    };
    let group = Path::new(&parent).join(name());
    let write = |file: &str, value: String| {
        fs::create_dir_all(&group).and_then(|()| fs::write(group.join(file), value))
    };
    write(file, bytes.to_string()).expect("a cgroup can be made, which needs root");
    if is_second {
        // Without swap, as in a pod.
        write("memory.swap.max", "0".into()).unwrap();
    }
    group
}

fn name() -> String {
    format!("cube-operator-bench-{}", std::process::id())
}

/// Removes the cgroup, and returns the most memory that was charged to it, in MiB.
pub(crate) fn end() -> f64 {
    let (first, second) = (Path::new(ROOT).join("memory"), Path::new(ROOT));
    let peaks = [
        (first.as_path(), "memory.max_usage_in_bytes"),
        (second, "memory.peak"),
    ];
    let peak = peaks.iter().find_map(|(parent, file)| {
        let group = parent.join(name());
        let text = fs::read_to_string(group.join(file)).ok()?;
        let _ = fs::remove_dir(group);
        text.trim().parse::<f64>().ok()
    });
    peak.unwrap() / 1024.0 / 1024.0
}

#!/usr/bin/env python3
"""Writes target/release-files/cube.yaml, the krew manifest of the archives that are there, from tests/release/krew.yaml.

python3 tests/release/krew.py            every platform has to be there
python3 tests/release/krew.py --partial  those that are there
"""

import hashlib
import json
import pathlib
import re
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FILES = ROOT / "target/release-files"
RELEASES = "https://github.com/cube-operator/cube-operator/releases/download"
PLATFORMS = [("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64"), ("windows", "amd64")]
VERSION = re.search(r'(?m)^version = "(.+)"', (ROOT / "Cargo.toml").read_text())[1]


def platform(system, processor):
    """What krew needs to know of an archive; None if it is not there."""
    name = f"kubectl-cube_{VERSION}_{system}_{processor}.tar.gz"
    archive = FILES / name
    if not archive.exists():
        return None
    program = "kubectl-cube.exe" if system == "windows" else "kubectl-cube"
    with tarfile.open(archive) as content:
        names = {pathlib.PurePosixPath(member.name).as_posix().removeprefix("./") for member in content}
    for needed in [program, "LICENSE", "kubectl_complete-cube", "completions/kubectl-cube.bash"]:
        assert needed in names, f"{name} has no {needed}"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    recorded = (FILES / f"{name}.sha256").read_text().strip()
    assert digest == recorded, f"{name} is not the archive of its checksum"
    return {
        "selector": {"matchLabels": {"os": system, "arch": processor}},
        "uri": f"{RELEASES}/v{VERSION}/{name}",
        "sha256": digest,
        "bin": program,
    }


def main():
    found = {which: platform(*which) for which in PLATFORMS}
    missing = ["/".join(which) for which, there in found.items() if there is None]
    if "--partial" not in sys.argv:
        assert not missing, f"no archive for {', '.join(missing)}"
    platforms = [there for there in found.values() if there]
    assert platforms, "there is no archive"
    manifest = (ROOT / "tests/release/krew.yaml").read_text()
    for name, value in [("version", f"v{VERSION}"), ("platforms", json.dumps(platforms))]:
        # JSON is YAML.
        manifest, count = re.subn(rf"(?m)^  {name}: {name.upper()}$", lambda _: f"  {name}: {value}", manifest)
        assert count == 1, f"krew.yaml has no line for {name}"
    (FILES / "cube.yaml").write_text(manifest.split("\n", 2)[2])
    print(FILES / "cube.yaml", "for", ", ".join("/".join(which) for which, there in found.items() if there))


if __name__ == "__main__":
    main()

"""The images of the node's pods, as archives that containerd imports."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

from environment.processes import TESTS, Failure, tool

from .machine import DIRECTORY

ROOT = TESTS.parent
CONSUMER = "localhost/consumer:test"
OPERATOR = "localhost/cube-operator:test"
PROGRAM = "usr/local/bin/cube-operator"
ROOTS = "etc/ssl/certs/ca-certificates.crt"


def archives():
    return sorted((DIRECTORY / "images").glob("*.tar"))


def pack_all():
    (DIRECTORY / "images").mkdir()
    pack(CONSUMER, {"consumer": tool("bin/consumer")}, {"Entrypoint": ["/consumer"], "Cmd": ["pause"], "User": "65532:65532"})
    kinds = {"dockerfile": by_the_dockerfile, "debug": of_this_machine}
    kind = os.environ.get("IMAGE") or "dockerfile"
    if kind not in kinds:
        raise Failure(f"IMAGE is {kind}: it can be {' or '.join(kinds)}")
    kinds[kind]()


def by_the_dockerfile():
    archive = DIRECTORY / "images" / "cube-operator.tar"
    done = subprocess.run([ROOT / "tests" / "image" / "archive.sh", OPERATOR, archive])
    if done.returncode:
        raise Failure("the image can't be built: see above")


def of_this_machine():
    """What the Dockerfile would copy and what its base has, of this machine."""
    built = ROOT / "target" / "debug" / "cube-operator"
    if not built.exists():
        raise Failure(f"{built} is missing: cargo build --locked")
    program = DIRECTORY / "cube-operator"
    # Most of a debug build is what a debugger reads.
    subprocess.run(["strip", "--strip-debug", "-o", program, built], check=True)
    files = {PROGRAM: program, ROOTS: f"/{ROOTS}"} | libraries(program)
    config = {"Entrypoint": [f"/{PROGRAM}"], "Cmd": ["run"], "User": "65532:65532", "Env": ["PATH=/usr/local/bin"]}
    pack(OPERATOR, files, config)


def libraries(program):
    lines = subprocess.run(["ldd", program], check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    return {path.lstrip("/"): path for path in lines if path.startswith("/")}


def pack(name, files, config):
    """An archive as `docker save` makes it. `files` says what is at each path of the image."""
    layer = archive_of({path: Path(source).read_bytes() for path, source in files.items()}, mode=0o755)
    identity = "sha256:" + hashlib.sha256(layer).hexdigest()
    image = {
        "architecture": "amd64" if os.uname().machine == "x86_64" else "arm64", "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [identity]}, "history": [{"created_by": "tests/node/images.py"}],
    }  # fmt: skip
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    texts = {"config.json": json.dumps(image).encode(), "manifest.json": json.dumps(manifest).encode()}
    file = DIRECTORY / "images" / f"{name.split('/')[1].split(':')[0]}.tar"
    file.write_bytes(archive_of(texts | {"layer.tar": layer}))


def archive_of(contents, mode=0o644):
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for path, content in contents.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()

"""What the node takes from this machine, and what it leaves behind."""

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path

from environment.processes import TESTS, Failure

DIRECTORY = TESTS.parent / "target" / "node"
CGROUPS = Path("/sys/fs/cgroup")
LOCK = Path("/run/lock/cube-operator-node.lock")
# The kubelet listens for plugins in this directory, and has no flag for another one.
KUBELET = Path("/var/lib/kubelet")
PLUGINS = [Path("/usr/lib/cni"), Path("/opt/cni/bin")]
PROGRAMS = {
    "unshare": "util-linux", "ip": "iproute2", "mount": "mount", "strip": "binutils", "ctr": "containerd",
    "containerd": "containerd", "containerd-shim-runc-v2": "containerd", "runc": "runc",
}  # fmt: skip


def check():
    if os.geteuid() != 0:
        raise Failure("a kubelet needs root: sudo make node")
    missing = {package for program, package in PROGRAMS.items() if not shutil.which(program)}
    if not plugins():
        missing.add("containernetworking-plugins")
    if missing:
        raise Failure(f"not installed: apt-get install {' '.join(sorted(missing))}")


def plugins():
    """Where the plugins are that connect pods to the network."""
    needed = ("bridge", "host-local", "loopback")
    return next((found for found in PLUGINS if all((found / name).exists() for name in needed)), None)


@contextlib.contextmanager
def only_one():
    """The cgroup of all pods has the same name for each node."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure("another `make node` runs on this machine: wait until it ends") from None
        yield


@contextlib.contextmanager
def node_cgroups():
    """Removes the cgroups of the pods afterwards, and before that those of a run that was killed: the lock file says that they are
    ours."""
    if LOCK.read_text():
        remove_cgroups()
    if found := cgroups():
        raise Failure(f"there is another node on this machine: {found[0]} exists")
    LOCK.write_text("the cgroups called kubepods are ours\n")
    KUBELET.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        remove_cgroups()
        LOCK.write_text("")
        with contextlib.suppress(OSError):
            KUBELET.rmdir()  # only if it is empty, as we made it


def cgroups():
    """The one of version 2, or those of each controller of version 1; with systemd they are called kubepods.slice."""
    return [*CGROUPS.glob("kubepods*"), *CGROUPS.glob("*/kubepods*")]


def remove_cgroups():
    """A cgroup is busy until the last of its killed processes is gone."""
    deadline = time.monotonic() + 30
    while found := cgroups():
        for cgroup in found:
            for directory, _, _ in os.walk(cgroup, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)
        if time.monotonic() > deadline:
            raise Failure(f"{found[0]} can't be removed: it has processes")
        time.sleep(0.1)

#!/usr/bin/env python3
"""Checks that the node leaves nothing on this machine, however it ends: `make node-check`."""

import os
import shutil
import signal
import subprocess
import tempfile
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from node.machine import CGROUPS, DIRECTORY, KUBELET, PROGRAMS, cgroups  # noqa: E402

LOG = TESTS.parent / "target" / "node-check.log"
SECONDS = 120
SYSCTLS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward",
           "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"]  # fmt: skip


def state():
    """What a node changes of a machine."""
    return {
        "sysctls": [(Path("/proc/sys") / name).read_text() for name in SYSCTLS],
        "mounts": Path("/proc/self/mounts").read_text(),
        "network": subprocess.run(["ip", "-o", "address"], check=True, stdout=subprocess.PIPE, text=True).stdout,
        "cgroups": cgroups(),
        "directories": [KUBELET.exists(), *(sorted(Path(path).iterdir()) for path in ("/run", "/var/log", "/var/lib"))],
    }


def processes():
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if b"node.inside" in words or str(DIRECTORY).encode() in words or b"/run/node/" in words:
            found.append(words)
    return found


def eventually(what, look):
    end = time.monotonic() + SECONDS
    while not look():
        if time.monotonic() > end:
            sys.exit(f"not within {SECONDS} s: {what}\n{LOG.read_text()}")
        time.sleep(0.1)


def expect(condition, what):
    if not condition:
        sys.exit(f"not so: {what}\n{LOG.read_text()}")
    print(f"ok: {what}", flush=True)


def start(**variables):
    environment = os.environ | {"IMAGE": "debug", "PYTHONDONTWRITEBYTECODE": "1"} | variables
    return subprocess.Popen([sys.executable, "-m", "node"], cwd=TESTS, env=environment, stdout=LOG.open("w"), stderr=subprocess.STDOUT,
                            start_new_session=True)  # fmt: skip


def refused(message, **variables):
    """The output does not go to LOG, which belongs to the node that is running."""
    environment = os.environ | {"IMAGE": "debug"} | variables
    done = subprocess.run([sys.executable, "-m", "node"], cwd=TESTS, env=environment, stderr=subprocess.PIPE, text=True)
    expect(done.returncode == 1 and message in done.stderr, f"it is refused: {message}")


def before_it_starts():
    with tempfile.TemporaryDirectory() as programs:
        for program in set(PROGRAMS) - {"runc"}:
            os.symlink(shutil.which(program), Path(programs) / program)
        refused("not installed: apt-get install runc", PATH=programs)
    others = (CGROUPS if (CGROUPS / "cgroup.controllers").exists() else CGROUPS / "cpu") / "kubepods"
    others.mkdir()
    try:
        refused("there is another node on this machine")
        expect(others.exists(), "its cgroups are left alone")
    finally:
        others.rmdir()


def however_it_ends():
    before = state()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        node = start()
        eventually("pods run on the node", lambda: cgroups() and "with the operator as a pod" in LOG.read_text())
        changed = {part for part, found in state().items() if found != before[part]}
        expect(changed <= {"cgroups", "directories"}, f"a running node changes only cgroups, and makes {KUBELET}")
        refused("another `make node` runs on this machine")
        node.send_signal(number)
        node.wait()
        eventually("nothing of it runs", lambda: not processes())
        if number != signal.SIGKILL:
            expect(state() == before, f"{number.name} leaves nothing")
    # What a killed one could not remove, the next one does.
    node = start()
    eventually("the next node starts", lambda: "with the operator as a pod" in LOG.read_text())
    node.send_signal(signal.SIGINT)
    node.wait()
    expect(state() == before, "after SIGKILL the next node starts, and leaves nothing")


def main():
    before_it_starts()
    however_it_ends()


if __name__ == "__main__":
    main()

"""Runs the operator as a pod, on a real node: `make node`.

    python3 -m node [-k PATTERN] [-f] [TEST...]    in tests/, as root

A kubelet with containerd and runc, beside the control plane and the token server of tests/environment.py. All of it runs in
namespaces of its own for network, mounts and processes: what the node makes there goes with them, however this process ends. Only
cgroups are left to be removed; machine.py does that.

    IMAGE=dockerfile    the image that the Dockerfile builds (10 minutes where it has to be compiled): when nothing is said
    IMAGE=debug         target/debug/cube-operator with the libraries of this machine

Logs stay in target/node.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

from environment.processes import Failure, die_with

from . import images
from .machine import DIRECTORY, check, node_cgroups, only_one


def namespaces():
    """The process whose end ends everything in the namespaces: the kernel kills what is left there."""
    flags = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"]
    command = ["unshare", *flags, sys.executable, "-m", "node.inside", *sys.argv[1:]]
    # Ctrl-C is for this process alone.
    return subprocess.Popen(command, start_new_session=True, preexec_fn=die_with(os.getpid()))


def interrupted(number, frame):
    raise KeyboardInterrupt


def run():
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True, mode=0o700)
    images.pack_all()
    with node_cgroups():
        tests = namespaces()
        try:
            return tests.wait()
        finally:
            tests.kill()
            tests.wait()


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    started = time.monotonic()
    try:
        check()
        with only_one():
            status = run()
    except Failure as failure:
        sys.exit(f"make node: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
    print(f"make node took {time.monotonic() - started:.0f} s")
    sys.exit(status)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Checks how the demo ends, and that its operator goes on after the chart was uninstalled and installed: `make demo-check`.

The demo runs as a shell runs it in the background, where SIGINT is ignored unless a program asks for it.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DIRECTORY = ROOT / "target" / "demo"
BIN = ROOT / "target" / "tools" / "bin"
DEADLINE = 240


def eventually(what, look):
    end = time.monotonic() + DEADLINE
    while not (found := look()):
        if time.monotonic() > end:
            sys.exit(f"not within {DEADLINE} s: {what}")
        time.sleep(0.2)
    return found


def parts(session):
    """The processes of the demo: its session, and those that know its directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            pid = int(entry.name)
            known = str(DIRECTORY).encode() in (entry / "cmdline").read_bytes()
            if known or os.getsid(pid) == session:
                found.append(pid)
        except (OSError, ValueError):
            continue
    return found


class Demo:
    def __init__(self, log):
        self.log = log
        command = f"exec {sys.executable} {ROOT}/tests/demo.py"
        # A new session: nothing but this script sends it a signal.
        self.process = subprocess.Popen(["sh", "-c", f"({command}) & echo $!; wait"], stdout=log.open("w"), text=True,
                                        env={**os.environ, "KEEP": "1"}, start_new_session=True)  # fmt: skip

    def says(self, text):
        return lambda: text in self.log.read_text() or self.process.poll() is not None

    def end(self, number):
        pid = int(self.log.read_text().split()[0])
        assert len(parts(self.process.pid)) > 3, "the shell, the demo, its servers and the operator"
        os.kill(pid, number)
        eventually("the demo ends", lambda: self.process.poll() is not None)
        # A process that was killed may need a moment until it is gone.
        eventually("nothing of it is left", lambda: not parts(self.process.pid))


def helm(*arguments, cluster):
    chart = [str(ROOT / "charts" / "cube-operator")] if arguments[0] == "install" else []
    command = [BIN / "helm", arguments[0], "cube-operator", *chart, "-n", "cube-system", *arguments[1:]]
    subprocess.run(command, check=True, env=cluster, stdout=subprocess.DEVNULL)


def refreshed(cluster, value):
    """Asks for a token, and says whether it is served."""
    kubectl = [BIN / "kubectl", "-n", "treasury"]
    name = subprocess.run([*kubectl, "get", "cubecredentials", "-o", "name"], check=True, env=cluster, text=True,
                          stdout=subprocess.PIPE).stdout.split()[0]  # fmt: skip
    status = [*kubectl, "get", name, "-o", "jsonpath={.status.refreshRequest}"]
    before = subprocess.run(status, check=True, env=cluster, text=True, stdout=subprocess.PIPE).stdout
    note = f"cube-operator.dev/refresh-requested-at={value}"
    subprocess.run([*kubectl, "annotate", name, "--overwrite", note], check=True, env=cluster, stdout=subprocess.DEVNULL)

    def served():
        return subprocess.run(status, check=True, env=cluster, text=True, stdout=subprocess.PIPE).stdout != before

    eventually(f"the request {value} is served", served)


def main():
    log = ROOT / "target" / "demo-check.log"
    demo = Demo(log)
    eventually("the demo is over, and keeps running", demo.says("It keeps running until Ctrl-C."))
    assert demo.process.poll() is None, log.read_text()
    cluster = {**os.environ, "KUBECONFIG": log.read_text().split("export KUBECONFIG=")[1].split()[0]}
    helm("uninstall", "--wait", cluster=cluster)
    helm("install", "--set", "allowNetworks={127.0.0.0/8,::1/128}", cluster=cluster)
    refreshed(cluster, "after-the-installation")
    print("ok: the operator goes on after an uninstall and an install")
    demo.end(signal.SIGINT)
    print("ok: SIGINT ends a demo in the background")
    for number in (signal.SIGTERM, signal.SIGHUP):
        demo = Demo(log)
        eventually("the operator runs", lambda: (DIRECTORY / "operator.log").exists() and demo.says("cube-operator check")())
        demo.end(number)
        print(f"ok: {number.name} leaves nothing running")


if __name__ == "__main__":
    main()

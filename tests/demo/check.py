#!/usr/bin/env python3
"""Checks the demo: `make demo-check`.

The demo runs as a shell runs it in the background, where SIGINT is ignored unless a program asks for it.
"""

import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo import current, go_on  # noqa: E402
from demo.commands import DIRECTORY, ROOT, TOOLS  # noqa: E402
from demo.parts import Launched  # noqa: E402

DEADLINE = 240
LOG = ROOT / "target" / "demo-check.log"
RECORD = ROOT / "target" / "demo.md"
SETTINGS = "replicas=0,allowNetworks={127.0.0.0/8,::1/128}"


def eventually(what, look):
    end = time.monotonic() + DEADLINE
    while not (found := look()):
        if time.monotonic() > end:
            sys.exit(f"not within {DEADLINE} s: {what}\n{LOG.read_text()}")
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
    def __init__(self, stdin=subprocess.DEVNULL, **variables):
        command = f"exec {sys.executable} {ROOT}/tests/demo.py"
        # In a new session nothing but this script sends it a signal. Without 3 a background process has no standard input.
        shell = f"exec 3<&0; ({command}) <&3 3<&- & echo $!; wait $!"
        self.process = subprocess.Popen(["sh", "-c", shell], stdin=stdin, stdout=LOG.open("w"), stderr=subprocess.STDOUT,
                                        env={**os.environ, **variables}, start_new_session=True)  # fmt: skip

    def says(self, text):
        return lambda: text in LOG.read_text() or self.process.poll() is not None

    def runs(self):
        """Waits until the operator does."""
        eventually("the operator runs", lambda: (DIRECTORY / "operator.log").exists() and self.says("cube-operator check")())

    def signal(self, number):
        pid = int(LOG.read_text().split()[0])
        assert len(parts(self.process.pid)) > 3, "the shell, the demo, its servers and the operator"
        os.kill(pid, number)
        return self.end()

    def end(self):
        status = eventually("the demo ends", lambda: self.process.poll() is not None and [self.process.returncode])
        # A process that was killed may need a moment until it is gone.
        eventually("nothing of it is left", lambda: not parts(self.process.pid))
        return status[0]


def expect(condition, what):
    if not condition:
        sys.exit(f"not so: {what}\n{LOG.read_text()}")
    print(f"ok: {what}", flush=True)


def one_line_of_refreshes(text):
    """A slow machine may need one refresh more."""
    return re.sub(r"(planning: refresh token .*\n)+", "planning: refresh token\n", text)


def the_transcript_is_current():
    page = (ROOT / "docs" / "demo.md").read_text()
    if one_line_of_refreshes(page) != one_line_of_refreshes(RECORD.read_text()):
        subprocess.run(["diff", "-u", ROOT / "docs" / "demo.md", RECORD])
        sys.exit("docs/demo.md is not what the demo shows: run `make demo RECORD=docs/demo.md`")
    print("ok: docs/demo.md is what the demo shows", flush=True)


def the_commands_to_go_on_with_work():
    commands = LOG.read_text().split(go_on.BEGIN)[1].split(go_on.END)[0]
    environment = {name: os.environ[name] for name in ["HOME"] if name in os.environ} | {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-euo", "pipefail"], input=commands, env=environment, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"the commands to go on with do not work:\n{commands}\n{done.stdout}\n{done.stderr}")
    for text in ["annotated", '"client_id": "treasury"', "✓ ", "cube_operator_"]:
        assert text in done.stdout, f"{text} is not in:\n{done.stdout}"
    print("ok: the commands to go on with can be pasted", flush=True)
    return re.search(r"export KUBECONFIG=(\S+)", commands)[1]


def helm(*arguments, cluster):
    chart = [str(ROOT / "charts" / "cube-operator")] if arguments[0] == "install" else []
    command = [TOOLS / "helm", arguments[0], "cube-operator", *chart, "-n", "cube-system", *arguments[1:]]
    subprocess.run(command, check=True, env=cluster, stdout=subprocess.DEVNULL)


def refreshed(cluster, value):
    """Asks for a token, and waits until the request is served."""
    kubectl = [TOOLS / "kubectl", "-n", "treasury"]
    name = "cubecredential/short"
    status = [*kubectl, "get", name, "-o", "jsonpath={.status.refreshRequest}"]
    before = subprocess.run(status, check=True, env=cluster, text=True, stdout=subprocess.PIPE).stdout
    request = f"cube-operator.dev/refresh-requested-at={value}"
    subprocess.run([*kubectl, "annotate", name, "--overwrite", request], check=True, env=cluster, stdout=subprocess.DEVNULL)

    def served():
        return subprocess.run(status, check=True, env=cluster, text=True, stdout=subprocess.PIPE).stdout != before

    eventually(f"the request {value} is served", served)


def on_a_control_plane_of_its_own():
    demo = Demo(KEEP="1", RECORD=str(RECORD))
    eventually("the demo is over, and keeps running", demo.says(go_on.END))
    expect(demo.process.poll() is None, "KEEP=1 keeps the demo running")
    the_transcript_is_current()
    cluster = {**os.environ, "KUBECONFIG": the_commands_to_go_on_with_work()}
    helm("uninstall", "--wait", cluster=cluster)
    helm("install", "--set", SETTINGS, cluster=cluster)
    refreshed(cluster, "after-the-installation")
    print("ok: the operator goes on after an uninstall and an install", flush=True)
    demo.signal(signal.SIGINT)
    print("ok: SIGINT ends a demo in the background", flush=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        demo = Demo()
        demo.runs()
        demo.signal(number)
        print(f"ok: {number.name} leaves nothing running", flush=True)


def in_the_current_cluster(kubeconfig):
    cluster = {**os.environ, "KUBECONFIG": kubeconfig}
    variables = {"CLUSTER": "current", "KUBECONFIG": kubeconfig}
    kinds = "namespaces,crds,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"

    def kubectl(*arguments):
        return subprocess.run([TOOLS / "kubectl", *arguments], env=cluster, check=True, text=True, stdout=subprocess.PIPE).stdout

    def objects():
        """What a demo would leave: objects of the cluster, and the copy of its kubeconfig."""
        return kubectl("get", kinds, "-o", "name"), current.KUBECONFIG.exists()

    def answer(text, **more):
        ours, theirs = pty.openpty()
        os.write(ours, text)
        demo = Demo(stdin=theirs, **variables, **more)
        os.close(theirs)
        return demo, ours

    before = objects()
    status = Demo(**variables).end()
    expect(status == 1 and "set YES=1" in LOG.read_text() and objects() == before, "without a terminal nothing is done")
    demo, terminal = answer(b"n\n")
    status, said = demo.end(), LOG.read_text()
    expect(status == 1 and "Nothing was done." in said and objects() == before, "after a no nothing is done")
    expect("context  test" in said and "server   https://127.0.0.1:" in said, "the question names context and server")
    os.close(terminal)

    demo = Demo(YES="1", **variables)
    demo.runs()
    changed = objects() != before
    demo.signal(signal.SIGTERM)
    expect(changed and objects() == before, "SIGTERM leaves nothing in the current cluster")

    demo, terminal = answer(b"y\n", KEEP="1")
    eventually("the demo is over, and keeps running", demo.says(go_on.END))
    the_commands_to_go_on_with_work()
    status = demo.signal(signal.SIGINT)
    expect(status == 0 and objects() == before, "a demo in the current cluster runs, and leaves nothing there")
    os.close(terminal)

    kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    before = objects()
    status, said = Demo(YES="1", **variables).end(), LOG.read_text()
    refused = f"crd {current.CRD} is in this cluster already" in said and "kubectl delete" not in said
    expect(status == 1 and refused and objects() == before, "a cluster that has cube-operator is left alone")


def main():
    on_a_control_plane_of_its_own()
    with tempfile.TemporaryDirectory() as directory:
        plane = Launched("control-plane", Path(directory) / "plane")
        try:
            in_the_current_cluster(plane.facts()["kubeconfig"])
        finally:
            plane.stop()


if __name__ == "__main__":
    main()

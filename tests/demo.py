#!/usr/bin/env python3
"""Shows both grants of cube-operator, in plain words and with real kubectl output: `make demo`.

Starts a control plane and two token servers of its own, installs the chart, and runs the operator as the chart's
ServiceAccount. There is no node here, so the operator is a process beside the cluster and not a pod in it; all else is as
in production. KEEP=1 keeps everything running until Ctrl-C.
"""

import json
import os
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True

from demo.client_credentials import (  # noqa: E402
    a_403,
    a_short_token_is_refreshed,
    the_secret_is_broken_and_repaired,
    the_token_appears,
)
from demo.commands import OPERATOR, ROOT, TEAM, kubectl, run, say  # noqa: E402
from demo.login import (  # noqa: E402
    REDIRECT,
    a_person_signs_in,
    each_refresh_kills_the_token_before,
    the_seed_was_only_read,
)

TOOLS = ROOT / "target" / "tools" / "bin"
SYSTEM = "cube-system"


class Launched:
    """A part of tests/environment.py: it ends with its standard input."""

    def __init__(self, kind, directory, *arguments):
        command = [sys.executable, ROOT / "tests" / "environment.py", kind, "--dir", directory, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def facts(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit("the demo cannot start: see the message above")

    def command(self, **command):
        print(json.dumps(command), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        assert answer == {"ok": True}, answer

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


def operator_kubeconfig(plane, directory):
    """What the chart's ServiceAccount would find in its pod: a token of its own, and no other right than its roles."""
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": sys.executable,
        "args": [str(ROOT / "tests" / "demo" / "credential.py"), str(TOOLS / "kubectl"), plane["kubeconfig"], SYSTEM],
    }  # fmt: skip
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "operator",
        "clusters": [{"name": "c", "cluster": {"server": plane["server"], "certificate-authority": plane["ca_file"]}}],
        "users": [{"name": "u", "user": {"exec": credential}}],
        "contexts": [{"name": "operator", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    path = directory / "operator.kubeconfig"
    path.write_text(json.dumps(config))
    return path


def show(directory, launched):
    say("Starting etcd, kube-apiserver, kube-controller-manager and two token servers (django-oauth-toolkit) ...")
    plane = Launched("control-plane", directory / "control-plane")
    hourly = Launched("token-server", directory / "hourly")
    short = Launched("token-server", directory / "short", "--lifetime", "30")
    launched += [plane, hourly, short]
    cluster, hourly_server, short_server = plane.facts(), hourly.facts(), short.facts()
    os.environ.update(KUBECONFIG=cluster["kubeconfig"], PATH=f"{TOOLS}:{os.environ['PATH']}")
    hourly.command(cmd="create-client", client_id="treasury", client_secret="first-secret")
    short.command(cmd="create-client", client_id="short", client_secret="short-secret")
    short.command(cmd="create-client", client_id="planning", client_secret="planning-secret",
                  grant_type="authorization-code", redirect_uris=REDIRECT)  # fmt: skip
    short.command(cmd="create-user", username="treasurer", password="a-password")

    say("Installing the chart, and running the operator as its ServiceAccount.")
    run("helm", "install", "cube-operator", str(ROOT / "charts" / "cube-operator"), "-n", SYSTEM, "--create-namespace",
        "--set", "allowNetworks={127.0.0.0/8,::1/128}")  # fmt: skip
    plane.command(cmd="restart-controllers")
    kubectl("create", "namespace", TEAM)
    log = (directory / "operator.log").open("w")
    environment = {**os.environ, "KUBECONFIG": str(operator_kubeconfig(cluster, directory)),
                   "CUBE_OPERATOR_ALLOW_NETWORK": "127.0.0.0/8,::1/128"}  # fmt: skip
    command = [OPERATOR, "run", "--listen", "127.0.0.1:0"]
    operator = subprocess.Popen(command, env=environment, stderr=log)
    launched.append(Process(operator))
    run(str(OPERATOR), "check", env=environment)

    the_token_appears(hourly_server, environment)
    a_short_token_is_refreshed(short_server)
    the_secret_is_broken_and_repaired(hourly, hourly_server)
    a_403(hourly, hourly_server)
    a_person_signs_in(short_server)
    each_refresh_kills_the_token_before(short_server)
    the_seed_was_only_read(short_server)

    say(f"That was the main job. The operator's log is {log.name}; the cluster is at")
    print(f"export KUBECONFIG={cluster['kubeconfig']}", flush=True)
    if os.environ.get("KEEP") == "1":
        say("It keeps running until Ctrl-C.")
        operator.wait()


class Process:
    """The operator itself: it finishes what is under way."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        self.process.terminate()
        print(f"The operator ended with {self.process.wait(60)}.")


def main():
    # A shell lets what it starts in the background ignore SIGINT.
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    launched = []
    directory = ROOT / "target" / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        show(directory, launched)
    except KeyboardInterrupt:
        print()
    finally:
        # A second signal must not leave a part of it running.
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(end, signal.SIG_IGN)
        for part in reversed(launched):
            part.stop()


if __name__ == "__main__":
    main()

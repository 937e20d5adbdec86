"""The processes that a demo starts. Each has `stop`."""

import json
import os
import subprocess
import sys
import time

from .commands import DIRECTORY, OPERATOR, ROOT, SYSTEM, TOOLS, kubectl


class Launched:
    """A part of tests/environment.py: it ends with its standard input."""

    def __init__(self, kind, name, *arguments):
        command = [sys.executable, ROOT / "tests" / "environment.py", kind, "--dir", DIRECTORY / name, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def facts(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit("the demo cannot start: see the message above")

    def command(self, **command):
        print(json.dumps(command), file=self.process.stdin, flush=True)
        response = json.loads(self.process.stdout.readline())
        assert response == {"ok": True}, response

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


class Operator:
    """The operator as a process beside the cluster, with the rights and settings that it would have in its pod: a token of the
    chart's ServiceAccount, and the environment of the chart's Deployment."""

    def __init__(self):
        deployment = json.loads(kubectl("get", "deployment", "cube-operator", "-n", SYSTEM, "-o", "json", shown=False))
        settings = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        self.settings = {setting["name"]: setting["value"] for setting in settings if "value" in setting}
        self.settings["KUBECONFIG"] = str(service_account_kubeconfig())
        self.environment = {**os.environ, **self.settings}
        self.log = DIRECTORY / "operator.log"
        command = [OPERATOR, "run", "--listen", "127.0.0.1:0"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=self.environment, stderr=log)

    def address(self):
        """Where it serves /metrics, as its log says."""
        for _ in range(600):
            for line in self.log.read_text().splitlines():
                if address := json.loads(line).get("address"):
                    return address
            time.sleep(0.1)
        sys.exit(f"the demo failed: the operator did not start; see {self.log}")

    def stop(self):
        self.process.terminate()
        print(f"The operator ended with {self.process.wait(60)}.")


def service_account_kubeconfig():
    admin = json.loads(kubectl("config", "view", "--minify", "--flatten", "--raw", "-o", "json", shown=False))
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": sys.executable,
        "args": [str(ROOT / "tests" / "demo" / "credential.py"), str(TOOLS / "kubectl"), os.environ["KUBECONFIG"], SYSTEM],
    }  # fmt: skip
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "operator",
        "clusters": [{"name": "c", "cluster": admin["clusters"][0]["cluster"]}],
        "users": [{"name": "u", "user": {"exec": credential}}],
        "contexts": [{"name": "operator", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    path = DIRECTORY / "operator.kubeconfig"
    path.write_text(json.dumps(config))
    return path

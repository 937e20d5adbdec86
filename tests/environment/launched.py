"""What a test in Python uses: a part of tests/environment.py, and the cluster by kubectl and helm."""

import json
import os
import subprocess
import sys

from .processes import TESTS, TOOLS


class Launched:
    """A part of tests/environment.py: it ends with its standard input."""

    def __init__(self, directory, kind, *arguments):
        command = [sys.executable, TESTS / "environment.py", kind, "--dir", directory / kind, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = None

    def __getitem__(self, fact):
        if self.said is None:
            line = self.process.stdout.readline()
            self.said = json.loads(line) if line else sys.exit(f"{self.process.args} cannot start: see above")
        return self.said[fact]

    def command(self, **command):
        assert self["dir"]
        print(json.dumps(command), file=self.process.stdin, flush=True)
        response = json.loads(self.process.stdout.readline())
        assert response.pop("ok", False), response
        return response

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class Cluster:
    """A class that has `kubeconfig` and is one."""

    @property
    def environment(self):
        return os.environ | {"KUBECONFIG": self.kubeconfig}

    def run(self, *command, **options):
        done = subprocess.run(command, env=self.environment, text=True, capture_output=True, **options)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def kubectl(self, *arguments, **options):
        return self.run(TOOLS / "bin" / "kubectl", *arguments, **options)

    def helm(self, *arguments, **options):
        return self.run(TOOLS / "bin" / "helm", *arguments, **options)

    def apply(self, *objects):
        documents = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(documents))

    def get(self, *arguments):
        """The object, or nothing."""
        found = self.kubectl("get", *arguments, "--ignore-not-found", "-o", "json")
        return json.loads(found) if found else None

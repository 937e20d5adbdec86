"""The operator as a pod: its command, its probes, its end, its upgrade."""

import hashlib
import json
import os
import signal
import subprocess
from base64 import b64decode
from pathlib import Path

from environment.processes import tool

from .figures import note
from .machine import DIRECTORY
from .place import Login, Place, lines
from .world import SYSTEM

PROGRAM = b"/usr/local/bin/cube-operator\0run\0"


class Operator(Place):
    def operators(self):
        """The pods that are not about to end."""
        pods = self.world.get("pods", "-n", SYSTEM)["items"]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def operator(self):
        return self.eventually("one pod runs the operator", lambda: len(found := self.operators()) == 1 and found[0])

    def container(self):
        return self.operator()["status"]["containerStatuses"][0]

    def process(self):
        found = [entry.parent.name for entry in Path("/proc").glob("[0-9]*/cmdline") if is_operator(entry)]
        self.assertEqual(len(found), 1)
        return int(found[0])

    def has_said(self, pod, text):
        return any(text in line.get("message", "") for line in lines(SYSTEM, pod, "operator"))

    def check(self, *arguments):
        return self.world.kubectl("exec", "-n", SYSTEM, "deploy/cube-operator", "--", "cube-operator", "check", *arguments)

    def test_check_runs_in_the_pod(self):
        said = self.check()
        self.assertIn("✓", said)
        self.assertNotIn("✗", said)

    def test_check_follows_the_way_to_a_token_in_the_pod(self):
        Login(self, "checked")
        said = self.check("--connect", "--namespace", self.namespace, "checked")
        self.assertNotIn("✗", said)

    def test_a_hung_operator_is_not_ready_and_is_ready_again(self):
        os.kill(self.process(), signal.SIGSTOP)
        try:
            self.eventually("the pod is not ready", lambda: not self.container()["ready"])
        finally:
            os.kill(self.process(), signal.SIGCONT)
        self.eventually("the pod is ready again", lambda: self.container()["ready"])
        self.assertEqual(self.container()["restartCount"], 0)

    def test_a_hung_operator_is_restarted(self):
        # With the chart's own times it takes two minutes.
        probe = {"periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 3, "terminationGracePeriodSeconds": 1}
        container = {"name": "operator", "livenessProbe": probe}
        self.patched({"spec": {"template": {"spec": {"containers": [container]}}}})
        self.addCleanup(self.rolled_back)
        os.kill(self.process(), signal.SIGSTOP)
        self.eventually("the container was restarted", lambda: self.container()["restartCount"] == 1)
        self.eventually("the pod is ready again", lambda: self.container()["ready"])

    def patched(self, patch):
        self.world.kubectl("patch", "deployment", "cube-operator", "-n", SYSTEM, "-p", json.dumps(patch))
        self.rolled_out()

    def rolled_back(self):
        self.world.kubectl("rollout", "undo", "deployment/cube-operator", "-n", SYSTEM)
        self.rolled_out()

    def rolled_out(self):
        self.world.kubectl("rollout", "status", "deployment/cube-operator", "-n", SYSTEM, "--timeout", "60s")
        self.eventually("the pod before has ended", lambda: len(self.world.get("pods", "-n", SYSTEM)["items"]) == 1)

    def test_sigterm_during_an_exchange_ends_it_after_the_new_refresh_token_is_stored(self):
        login, django = Login(self, "interrupted"), self.world.django
        before, pod = len(login.exchanges()), self.operator()["metadata"]["name"]
        django.command(cmd="hold", on=True)
        try:
            login.request()
            self.eventually("the provider has consumed the refresh token", lambda: len(login.exchanges()) == before + 1)
            with Watched(self.world, pod) as watched:
                self.world.kubectl("delete", "pod", pod, "-n", SYSTEM, "--wait=false")
                self.eventually("the operator knows that it has to end", lambda: self.has_said(pod, "stopping"))
                self.assertTrue(self.world.get("pod", pod, "-n", SYSTEM), "it waits for the response")
                django.command(cmd="hold", on=False)
                self.eventually("the pod has ended", lambda: not self.world.get("pod", pod, "-n", SYSTEM))
        finally:
            django.command(cmd="hold", on=False)
        self.assertEqual(watched.exit_codes(), {0})
        self.assertEqual(self.stored(login), login.exchanges()[-1]["issued"])
        login.refresh()
        sent = [line["refresh_token"] for line in login.exchanges()[before:]]
        issued = [line["issued"] for line in login.exchanges()[before:]]
        self.assertEqual(len(sent), 2)
        self.assertEqual(sent[1], issued[0], "the new pod continues with the token that the old one stored")

    def stored(self, login):
        state = self.get("secret", f"{login.name}-cube-state")["data"]
        return hashlib.sha256(b64decode(state["refresh-token"])).hexdigest()[:16]

    def test_an_upgrade_of_the_chart_requests_no_token(self):
        logins = [Login(self, f"kept-{number}") for number in range(3)]
        log = Path(self.world.django["request_log"])
        before, published = len(log.read_text().splitlines()), [login.published() for login in logins]
        pod = self.operator()["metadata"]["name"]
        self.world.upgrade("logLevel=debug")
        self.rolled_out()
        self.assertNotEqual(self.operator()["metadata"]["name"], pod)
        # When the new pod has served this one, it has looked at the others too.
        Login(self, "new")
        new = [line for line in map(json.loads, log.read_text().splitlines()[before:]) if not line["client_id"].endswith("-new")]
        note(f"token requests because of an upgrade: {len(new)}")
        self.assertEqual(new, [])
        self.assertEqual([login.published() for login in logins], published)


class Watched:
    """What a pod goes through until it is gone."""

    def __init__(self, world, pod):
        self.file = DIRECTORY / f"{pod}.watch"
        fields = "jsonpath={.status.containerStatuses[*].state.terminated.exitCode}{'\\n'}"
        command = [tool("bin/kubectl"), "get", "pod", pod, "-n", SYSTEM, "--watch", "-o", fields]
        with self.file.open("w") as written:
            self.process = subprocess.Popen(command, env=world.environment, stdout=written)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def exit_codes(self):
        return {int(line) for line in self.file.read_text().split()}


def is_operator(cmdline):
    try:
        return cmdline.read_bytes() == PROGRAM
    except OSError:
        return False

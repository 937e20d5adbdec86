"""A person's place: a namespace where they have the ClusterRole `edit` and no more, a home directory, and a browser."""

import json
import subprocess

from environment.namespace import SECONDS, Namespace
from environment.world import PROGRAMS, TOOLS, write_kubeconfig

from .person import Browser
from .picture import draw
from .planted import below
from .terminal import Terminal
from .world import DIRECTORY

PICTURES = DIRECTORY / "pictures"
# The providers of the tests are on this machine, where a token endpoint is denied by default.
LOOPBACK_IS_ALLOWED = ["--allow-network", "127.0.0.0/8,::1/128"]
PASSWORD = "the-password-of-the-person"
# The environment and the arguments of each child are kept.
CHILD = """#!/bin/sh
cat /proc/$$/environ /proc/$$/cmdline > {records}/child-$$
{rest}
"""
OPEN = """printf '%s' "$1" > {records}/new && mv {records}/new {records}/opened"""
CREDENTIAL = """{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {{"token": "{token}"}}}}"""


class Place(Namespace):
    def setUp(self):
        super().setUp()
        self.home = DIRECTORY / "places" / self.namespace
        self.records = DIRECTORY / "records" / self.namespace
        for directory in (self.home / "tmp", self.records):
            directory.mkdir(parents=True)
        self.environment = self.sign_in_to_the_cluster()
        self.browsers = []

    def sign_in_to_the_cluster(self):
        self.world.kubectl("create", "serviceaccount", "person", "-n", self.namespace)
        self.world.kubectl("create", "rolebinding", "person", "-n", self.namespace, "--clusterrole=edit",
                           f"--serviceaccount={self.namespace}:person")  # fmt: skip
        token = self.world.kubectl("create", "token", "person", "-n", self.namespace, "--duration", "6h").strip()
        answer = self.program("credential", f"echo '{CREDENTIAL.format(token=token)}'")
        user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": answer}}
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "PATH": f"{TOOLS}:{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
            "KUBECONFIG": write_kubeconfig(self.records / "kubeconfig", self.world, self.namespace, user),
            "SSL_CERT_FILE": str(self.world.roots),
            "BROWSER": self.program("browser", OPEN.format(records=self.records)),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }

    def program(self, name, rest):
        path = self.records / name
        path.write_text(CHILD.format(records=self.records, rest=rest))
        path.chmod(0o700)
        return str(path)

    # The terminal.

    def cube(self, *arguments, **size):
        """A person types `kubectl cube` with these arguments."""
        terminal = Terminal(["kubectl", "cube", *arguments], self.environment, self.home, **size)
        self.addCleanup(terminal.close)
        return terminal

    def ends(self, terminal, code=0):
        self.assertEqual(terminal.exit_code(), code, str(terminal))

    def opened(self, terminal):
        """The URL that the command printed, and opened in the browser."""
        file = self.records / "opened"
        url = terminal.find(r"(?m)^https://localhost:\d+/\S+$")[0]
        terminal.until(lambda: file.exists() and file.read_text() == url, f"{url} is opened in the browser")
        return url

    # The browser.

    def browser(self, **options):
        profile = self.records / f"chromium-{len(self.browsers)}"
        browser = Browser(profile, self.world.django["dir"], self.world.oidc["dir"], **options)
        self.browsers.append(browser)
        self.addCleanup(browser.close)
        return browser

    def picture(self, browser, name, size=None):
        browser.picture(PICTURES / f"{self.namespace}-{name}.png", size)

    def picture_of_terminal(self, browser, terminal, name="terminal"):
        return draw(browser, terminal, PICTURES / f"{self.namespace}-{name}.png")

    # The cluster.

    def is_empty(self):
        """Nothing was written: neither a Secret nor a CubeCredential."""
        found = self.get("secrets,cubecredentials") or {"items": []}
        self.assertEqual(found["items"], [])

    # What was written.

    def written(self, *terminals):
        """Everything that a run wrote where others may read it."""
        world, found = self.world, below(self.home)
        found |= {f"terminal {number}": terminal.raw for number, terminal in enumerate(terminals)}
        found |= {str(path): path.read_bytes() for path in self.records.glob("child-*")}
        found["log of the operator"] = (DIRECTORY / "operator.log").read_bytes()
        found["events"] = json.dumps(self.get("events")).encode()
        found["CubeCredentials"] = json.dumps(self.get("cubecredentials")).encode()
        secrets = [{**secret, "data": sorted(secret.get("data", {}))} for secret in self.get("secrets")["items"]]
        found["Secrets without their values"] = json.dumps(secrets).encode()
        with open(world.plane["audit_log"]) as log:
            lines = [line for line in log if json.loads(line)["level"] == "Metadata"]
        self.assertTrue(any(f'"{self.namespace}"' in line for line in lines), "the audit log knows this namespace")
        found["audit log"] = "".join(lines).encode()
        return found


def has_no_terminal(command, environment, directory):
    """For a command that runs in a pipeline: standard input, output and error are no terminal, and there is none to open."""
    return subprocess.run(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          start_new_session=True, timeout=SECONDS)  # fmt: skip

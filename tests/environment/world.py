"""A cluster with the operator in it as the chart installs it, and the servers beside it. One for all tests of a suite."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from .launched import Cluster, Launched
from .processes import TESTS

ROOT = TESTS.parent
PROGRAMS = ROOT / "target" / "debug"
TOOLS = ROOT / "target" / "tools" / "bin"
SYSTEM = "cube-system"


class World(Cluster):
    """`directory` and `settings` of the chart are the suite's, which calls `launch` and `install` in `start`."""

    directory: Path
    settings: str

    def __init__(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True, mode=0o700)
        self.parts = []
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def launch(self, kind, *arguments):
        self.parts.append(Launched(self.directory, kind, *arguments))
        return self.parts[-1]

    def install(self, plane, *servers):
        """Installs the operator, which trusts the CAs of these servers as those of public providers."""
        self.plane = plane
        self.kubeconfig = plane["kubeconfig"]
        self.roots = self.directory / "roots.pem"
        self.roots.write_text("".join(Path(server["ca_file"]).read_text() for server in servers))
        self.kubectl("create", "namespace", SYSTEM)
        settings = f"replicas=0,allowNetworks={{127.0.0.0/8,::1/128}},tokenRequestInterval=1s,{self.settings}".rstrip(",")
        chart = ROOT / "charts" / "cube-operator"
        self.helm("install", "cube-operator", chart, "-n", SYSTEM, "--set", settings)
        self.parts.append(Operator(self))

    def close(self):
        while self.parts:
            self.parts.pop().close()


class Operator:
    """The operator beside the cluster, with the ServiceAccount and the settings of the chart."""

    def __init__(self, world):
        deployment = world.get("deployment", "cube-operator", "-n", SYSTEM)
        settings = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        environment = os.environ | {setting["name"]: setting["value"] for setting in settings if "value" in setting}
        token = world.kubectl("create", "token", "cube-operator", "-n", SYSTEM, "--duration", "6h").strip()
        kubeconfig = write_kubeconfig(world.directory / "operator.kubeconfig", world, SYSTEM, {"token": token})
        environment |= {"KUBECONFIG": kubeconfig, "SSL_CERT_FILE": str(world.roots)}
        self.log = world.directory / "operator.log"
        with self.log.open("w") as log:
            command = [PROGRAMS / "cube-operator", "run", "--listen", "127.0.0.1:0"]
            self.process = subprocess.Popen(command, env=environment, stderr=log)

    def close(self):
        self.process.terminate()
        self.process.wait(60)


def write_kubeconfig(path, world, namespace, user):
    cluster = {"server": world.plane["server"], "certificate-authority": world.plane["ca_file"]}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
    }  # fmt: skip
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return str(path)

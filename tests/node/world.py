"""What the tests run in: a control plane with a node, a token server, and the operator as the chart installs it. One for all."""

import json

from environment.launched import Cluster, Launched
from environment.processes import TESTS

from .images import OPERATOR
from .kubelet import ADDRESS, Kubelet, Runtime
from .machine import DIRECTORY

CHART = TESTS.parent / "charts" / "cube-operator"
SYSTEM = "cube-system"
SECONDS = 60


class World(Cluster):
    def __init__(self):
        self.plane = Launched(DIRECTORY, "control-plane", "--node", "true")
        self.django = Launched(DIRECTORY, "token-server", "--address", ADDRESS)
        self.runtime = Runtime()
        self.kubeconfig = self.plane["kubeconfig"]
        self.kubelet = Kubelet(self.plane)
        self.kubelet.wait_until(self.node_is_ready, "the node was ready")
        self.install()

    def node_is_ready(self):
        node = self.get("node", "node")
        return node and any(found["type"] == "Ready" and found["status"] == "True" for found in node["status"]["conditions"])

    def install(self):
        repository, tag = OPERATOR.rsplit(":", 1)
        settings = {
            "image": {"repository": repository, "tag": tag}, "tokenRequestInterval": "1s",
            "refreshPods": True, "restartWorkloads": True,
        }  # fmt: skip
        self.helm("install", "cube-operator", CHART, "-n", SYSTEM, "--create-namespace", "--wait", "--timeout", f"{SECONDS}s",
                  "-f", "-", input=json.dumps(settings))  # fmt: skip

    def upgrade(self, *settings):
        self.helm("upgrade", "cube-operator", CHART, "-n", SYSTEM, "--reuse-values", "--wait", "--timeout", f"{SECONDS}s",
                  "--set", ",".join(settings))  # fmt: skip

"""What the tests run in: a control plane, the operator as the chart installs it, and two providers. One for all tests."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from environment.launched import Cluster, Launched
from environment.processes import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "target" / "debug"
TOOLS = ROOT / "target" / "tools" / "bin"
DIRECTORY = ROOT / "target" / "browser"
SYSTEM = "cube-system"
LOOPBACK = "http://127.0.0.1/callback"
SECRET_OF_WEB = "planted-secret-of-the-client-web"


class World(Cluster):
    def __init__(self):
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        DIRECTORY.mkdir(parents=True, mode=0o700)
        self.parts = []
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        self.exact_port = free_port()
        self.plane = self.launch("control-plane")
        self.django = self.launch("token-server")
        self.oidc = self.launch("oidc-provider", "--clients", json.dumps(clients(self.exact_port)))
        self.roots = DIRECTORY / "roots.pem"
        self.kubeconfig = self.plane["kubeconfig"]
        # As the CAs of public providers are in the image and on the person's machine.
        self.roots.write_text("".join(Path(server["ca_file"]).read_text() for server in (self.django, self.oidc)))
        self.kubectl("create", "namespace", SYSTEM)
        settings = "replicas=0,allowNetworks={127.0.0.0/8,::1/128},tokenRequestInterval=1s"
        chart = ROOT / "charts" / "cube-operator"
        self.helm("install", "cube-operator", chart, "-n", SYSTEM, "--set", settings)
        self.parts.append(Operator(self))

    def launch(self, kind, *arguments):
        self.parts.append(Launched(DIRECTORY, kind, *arguments))
        return self.parts[-1]

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
        kubeconfig = write_kubeconfig(DIRECTORY / "operator.kubeconfig", world, SYSTEM, {"token": token})
        environment |= {"KUBECONFIG": kubeconfig, "SSL_CERT_FILE": str(world.roots)}
        self.log = DIRECTORY / "operator.log"
        with self.log.open("w") as log:
            command = [PROGRAMS / "cube-operator", "run", "--listen", "127.0.0.1:0"]
            self.process = subprocess.Popen(command, env=environment, stderr=log)

    def close(self):
        self.process.terminate()
        self.process.wait(60)


def clients(port):
    """One as an app on a person's machine registers itself, and one as a web application, with one redirect URI."""
    grants = {"grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]}
    app = {"client_id": "app", "application_type": "native", "token_endpoint_auth_method": "none", "redirect_uris": [LOOPBACK]}
    web = {"client_id": "web", "client_secret": SECRET_OF_WEB, "redirect_uris": [f"http://127.0.0.1:{port}/callback"]}
    return [app | grants, web | grants]


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

"""What the tests run in: a control plane, the operator as the chart installs it, and two providers."""

import json

from environment.processes import free_port
from environment.world import ROOT
from environment.world import World as Installation

DIRECTORY = ROOT / "target" / "browser"
LOOPBACK = "http://127.0.0.1/callback"
SECRET_OF_WEB = "planted-secret-of-the-client-web"


class World(Installation):
    directory = DIRECTORY
    settings = ""

    def start(self):
        self.exact_port = free_port()
        plane = self.launch("control-plane")
        self.django = self.launch("token-server")
        self.oidc = self.launch("oidc-provider", "--clients", json.dumps(clients(self.exact_port)))
        # As the CAs of public providers are in the image and on the person's machine.
        self.install(plane, self.django, self.oidc)


def clients(port):
    """One as an app on a person's machine registers itself, and one as a web application, with one redirect URI."""
    grants = {"grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]}
    app = {"client_id": "app", "application_type": "native", "token_endpoint_auth_method": "none", "redirect_uris": [LOOPBACK]}
    web = {"client_id": "web", "client_secret": SECRET_OF_WEB, "redirect_uris": [f"http://127.0.0.1:{port}/callback"]}
    return [app | grants, web | grants]

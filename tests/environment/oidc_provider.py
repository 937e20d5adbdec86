"""oidc-provider of tests/oidc_provider, on a free port of 127.0.0.1."""

import json
import os
import shutil
import socket
import ssl

from .processes import TESTS, TOOLS, Component, Failure, free_port, make_certificates, make_signed_certificate


class OidcProvider:
    def __init__(self, directory, options):
        self.directory = directory
        self.ca = make_certificates(directory, "DNS:localhost, IP:127.0.0.1")
        make_signed_certificate(directory, "client", "/CN=a client", "client")
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        node = shutil.which("node")
        modules = TOOLS / "oidc_provider"
        if node is None or not (modules / "node_modules").is_dir():
            raise Failure(f"oidc-provider is missing: run {TESTS / 'tools' / 'build.sh'} oidc-provider")
        settings = {
            "modules": str(modules),
            "directory": str(directory),
            "port": self.port,
            "clients": json.loads(options.clients),
            "lifetime": options.lifetime,
        }
        self.node = Component(
            "node",
            [node, TESTS / "oidc_provider" / "server.mjs"],
            directory,
            env=os.environ | {"OIDC_PROVIDER": json.dumps(settings)},
        )

    def start(self):
        exchanges = self.directory / "exchanges.jsonl"
        exchanges.touch(mode=0o600)
        self.node.start()
        self.node.wait_until(self.answers, f"{self.url} was served")
        return {
            "url": self.url,
            "token_url": f"{self.url}/token",
            "authorization_url": f"{self.url}/auth",
            "ca_file": str(self.ca),
            "exchanges": str(exchanges),
            "dir": str(self.directory),
        }

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
                with ssl.create_default_context(cafile=self.ca).wrap_socket(plain, server_hostname="localhost"):
                    return True
        except OSError:
            return False

    def stop(self):
        self.node.stop()

    def command(self, command):
        raise Failure(f"oidc-provider has no commands, so no {command['cmd']!r}")

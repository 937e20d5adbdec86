"""Keycloak with an empty realm called `test`, on a free port of 127.0.0.1. Its data is in memory."""

import http.client
import json
import os
import secrets
import shutil
import ssl
from urllib.parse import urlencode

from .processes import TESTS, TOOLS, Component, Failure, free_port, make_certificates, make_signed_certificate

HOME = TOOLS / "keycloak"
ADMIN = "admin"
REALM = {"realm": "test", "enabled": True, "revokeRefreshToken": True, "refreshTokenMaxReuse": 0, "sslRequired": "all"}


class Keycloak:
    def __init__(self, directory, options):
        self.ca = make_certificates(directory, "DNS:localhost, IP:127.0.0.1")
        # A client of Keycloak has it by its own CA, which is a root of the system there.
        make_signed_certificate(directory, "client", "/CN=a client", "client")
        make_signed_certificate(directory, "other-client", "/CN=another client", "client")
        self.directory = directory
        self.tls = ssl.create_default_context(cafile=self.ca)
        self.password = secrets.token_urlsafe(16)
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        if not (HOME / "bin" / "kc.sh").exists():
            raise Failure(f"Keycloak is missing: run {TESTS / 'tools' / 'build.sh'} keycloak")
        if shutil.which("java") is None:
            raise Failure("java is not installed: apt-get install openjdk-17-jre-headless")
        trusted = ",".join([str(self.ca), *options.trust])
        command = [
            HOME / "bin" / "kc.sh",
            "start",
            "--optimized",
            f"--https-port={self.port}",
            f"--https-certificate-file={directory}/server.crt",
            f"--https-certificate-key-file={directory}/server.key",
            f"--truststore-paths={trusted}",
            f"--hostname={self.url}",
            "--http-host=127.0.0.1",
            "--log-level=INFO,org.keycloak.events:DEBUG",
        ]
        admin = {"KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": self.password}
        heap = {"JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx512m"}
        self.server = Component("keycloak", command, directory, env=os.environ | admin | heap)

    def start(self):
        self.server.start()
        self.server.wait_until(self.serves, f"{self.url} was served")
        self.admin("POST", "/admin/realms", REALM)
        issuer = f"{self.url}/realms/test"
        return {
            "url": self.url,
            "issuer": issuer,
            "token_url": f"{issuer}/protocol/openid-connect/token",
            "ca_file": str(self.ca),
            "dir": str(self.directory),
        }

    def serves(self):
        try:
            return self.request("GET", "/realms/master")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self):
        self.server.stop()

    def command(self, command):
        match command["cmd"]:
            case "admin":
                body = self.admin(command["method"], f"/admin/realms/test{command['path']}", command.get("body"))
                return {"ok": True, "body": body}
            case "sign-in":
                return {"ok": True} | self.sign_in("test", command["client"], command["username"], command["password"])
        raise Failure(f"there is no command {command['cmd']!r}: choose admin or sign-in")

    def admin(self, method, path, body=None):
        token = self.sign_in("master", {"client_id": "admin-cli"}, ADMIN, self.password)["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        status, found = self.request(method, path, json.dumps(body) if body is not None else None, headers)
        if status >= 300:
            raise Failure(f"{method} {path}: {status} {found}")
        return found

    def sign_in(self, realm, client, username, password):
        form = {"grant_type": "password", "username": username, "password": password} | client
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/realms/{realm}/protocol/openid-connect/token"
        status, found = self.request("POST", path, urlencode(form), headers)
        if status != 200:
            raise Failure(f"Keycloak did not sign {username} in: {status} {found}")
        return found

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=self.tls)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            text = response.read().decode()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

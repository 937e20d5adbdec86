"""A namespace of a team that has signed in at the token server."""

import base64
import hashlib
import json
import time
import unittest
from pathlib import Path

from . import objects
from .world import SECONDS

REDIRECT = "http://127.0.0.1/callback"
LOGS = Path("/var/log/pods")
REQUEST = "cube-operator.dev/refresh-requested-at"


class Place(unittest.TestCase):
    world = None  # set before the first test

    @classmethod
    def setUpClass(cls):
        cls.namespace = cls.__name__.lower()
        cls.world.kubectl("create", "namespace", cls.namespace)
        ca = f"--from-file=ca.crt={cls.world.django['ca_file']}"
        cls.world.kubectl("create", "configmap", objects.CA, "-n", cls.namespace, ca)

    @classmethod
    def apply(cls, *manifests):
        cls.world.apply(*(objects.within(cls.namespace, manifest) for manifest in manifests))

    @classmethod
    def get(cls, *arguments):
        return cls.world.get(*arguments, "-n", cls.namespace)

    @classmethod
    def eventually(cls, what, look, seconds=SECONDS):
        end = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > end:
                described = cls.world.kubectl("describe", "--show-events", "cubecredentials,pods", "-n", cls.namespace)
                raise AssertionError(f"not within {seconds} s: {what}\n{described}")
            time.sleep(0.05)
        return found


class Login:
    """A credential with a stored refresh token. It has a client of its own, and so a request budget of its own."""

    def __init__(self, place, name, **spec):
        self.place, self.name = place, name
        self.requests = 0
        self.client = f"{place.namespace}-{name}"
        django = place.world.django
        django.command(cmd="create-client", client_id=self.client, client_secret="secret", grant_type="authorization-code",
                       redirect_uris=REDIRECT)  # fmt: skip
        django.command(cmd="create-user", username=self.client, password="password")
        tokens = django.command(cmd="sign-in", client_id=self.client, client_secret="secret", username=self.client,
                                password="password", redirect_uri=REDIRECT, scopes="read write")  # fmt: skip
        place.apply(
            objects.secret(f"{name}-client", {"client-id": self.client, "client-secret": "secret"}),
            objects.secret(f"{name}-login", {"refresh-token": tokens["refresh_token"]}),
            objects.credential(name, django["token_url"], **spec),
        )
        place.eventually(f"{name} is ready", lambda: self.condition("Ready").get("status") == "True")

    def status(self):
        return self.place.get("cubecredential", self.name).get("status", {})

    def condition(self, type_):
        return next((found for found in self.status().get("conditions", []) if found["type"] == type_), {})

    def request(self):
        """Requests a refresh."""
        self.requests += 1
        value = f"{REQUEST}={self.requests}"
        self.place.world.kubectl("annotate", "--overwrite", "cubecredential", self.name, "-n", self.place.namespace, value)

    def refresh(self):
        """Requests a refresh, and returns the fingerprint of the new token when it is published."""
        before = self.published()
        self.request()
        return self.place.eventually(f"{self.name} is refreshed", lambda: self.published_other_than(before))

    def published(self):
        token = self.place.get("secret", f"{self.name}-token")["data"]["access-token"]
        return hashlib.sha256(base64.b64decode(token)).hexdigest()[:8]

    def published_other_than(self, before):
        now = self.published()
        return now if now != before else None

    def exchanges(self):
        """What the token server has received for it."""
        lines = map(json.loads, Path(self.place.world.django["request_log"]).read_text().splitlines())
        return [line for line in lines if (line["client_id"], line["grant_type"]) == (self.client, "refresh_token")]


def lines(namespace, pod, container):
    """What a container has written, from the files of the node."""
    found = []
    for file in LOGS.glob(f"{namespace}_{pod}_*/{container}/*.log"):
        # Time, stream, a letter that says whether the line is whole, and the line.
        found += [json.loads(line.split(" ", 3)[3]) for line in file.read_text().splitlines()]
    return found

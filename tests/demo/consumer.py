"""Consumers of a token: a pod that calls the API, and one that keeps its token in memory."""

import ssl
import sys
import threading
import time
import urllib.error
import urllib.request

from .commands import published_token, show


def get_resource(server, token):
    """Calls the token server's protected resource, and returns the status and the text of its response."""
    request = urllib.request.Request(server["resource_url"], headers={"Authorization": f"Bearer {token}"})
    trust = ssl.create_default_context(cafile=server["ca_file"])
    try:
        with urllib.request.urlopen(request, context=trust, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as response:
        with response:
            return response.code, response.read().decode()


def call_api(server, name):
    """Calls it with the published token, as a pod would."""
    code, text = get_resource(server, published_token(name))
    if code != 200:
        sys.exit(f"the demo failed: the API responded with {code} to the published token of {name}")
    show(f"GET {server['resource_url']} with the token in Secret {name}-token: {code} {text}")


class Reader:
    """A consumer with the token in its memory. It uses that until the API responds with 401. Then it reads the Secret, and
    retries for at most five seconds, because the provider revokes the old token before the new one is published."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.calls = self.refused = self.reads = self.failed = 0
        self.stop = threading.Event()

    def work(self):
        token = published_token(self.name)
        while not self.stop.wait(0.05):
            self.calls += 1
            code = self.call(token)
            self.refused += code == 401
            give_up = time.monotonic() + 5
            while code == 401 and time.monotonic() < give_up:
                self.reads += 1
                token = published_token(self.name)
                code = self.call(token)
            self.failed += code != 200

    def call(self, token):
        return get_resource(self.server, token)[0]

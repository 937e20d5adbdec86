"""What django-oauth-toolkit has for a test, and what a person does on its pages."""

import hashlib
import json
import ssl
import urllib.request
from pathlib import Path

from .objects import client_secret, credential
from .place import LOOPBACK_IS_ALLOWED, PASSWORD, Place
from .world import LOOPBACK

SECRET = "planted-secret-of-the-client-planning"


class AtDjango(Place):
    """A client and a person of its own at the provider, with which nobody has signed in yet."""

    def setUp(self):
        super().setUp()
        django = self.world.django
        django.command(cmd="create-client", client_id=self.namespace, client_secret=SECRET, redirect_uris=LOOPBACK,
                       grant_type="authorization-code")  # fmt: skip
        django.command(cmd="create-user", username=self.namespace, password=PASSWORD)

    def create(self, until=None, **size):
        """A person creates `planning`, and answers the questions, or those before one of them."""
        django = self.world.django
        terminal = self.cube("create", "planning", "--provider", "CubeSoftware", "--token-url", django["token_url"],
                             "--authorization-url", django["url"] + "/o/authorize/", *LOOPBACK_IS_ALLOWED, **size)  # fmt: skip
        answers = {"Client ID:": self.namespace, "Client secret (not shown):": SECRET, "Create them?": "y"}
        for question, answer in answers.items():
            terminal.shows(question)
            if question == until:
                break
            terminal.type(answer)
        return terminal

    def login(self, *arguments, **size):
        return self.cube("login", "planning", *LOOPBACK_IS_ALLOWED, *arguments, **size)

    def prepare(self):
        """Creates the objects as another user would have done before."""
        django = self.world.django
        self.world.apply(
            client_secret("planning-client", self.namespace, self.namespace, SECRET),
            credential("planning", self.namespace, "planning-client", provider="CubeSoftware", tokenURL=django["token_url"],
                       authorizationURL=django["url"] + "/o/authorize/"),
        )  # fmt: skip

    def sign_in(self, terminal, browser):
        """The person comes to the page that asks for their consent."""
        browser.open(self.opened(terminal))
        browser.fill(username=self.namespace, password=PASSWORD)
        browser.press("Sign in")
        browser.shows("Authorize")

    def authorize(self, terminal, browser):
        self.sign_in(terminal, browser)
        browser.press("Authorize")
        browser.shows("Signed in")
        self.ends(terminal)

    def calls_the_api(self):
        """Who the provider says that the published token belongs to."""
        secret = self.value("planning-token", "access-token")
        request = urllib.request.Request(self.world.django["resource_url"], headers={"Authorization": f"Bearer {secret}"})
        trust = ssl.create_default_context(cafile=self.world.roots)
        with urllib.request.urlopen(request, context=trust, timeout=30) as answer:
            return json.load(answer)["user"]

    def exchanges(self, grant):
        lines = map(json.loads, Path(self.world.django["request_log"]).read_text().splitlines())
        return [line for line in lines if (line["client_id"], line["grant_type"]) == (self.namespace, grant)]


def fingerprint(token):
    """As the token server writes it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]

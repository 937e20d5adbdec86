"""Another maker's provider, oidc-provider: found by its issuer, with a public client, and with exact redirect URIs."""

import json
from pathlib import Path

from .objects import client_secret, credential
from .place import LOOPBACK_IS_ALLOWED, PASSWORD, Place
from .planted import search
from .terminal import CTRL_C
from .world import SECRET_OF_WEB


class OtherProvider(Place):
    def create(self, *arguments):
        """A person creates `planning`, and knows nothing but the issuer."""
        return self.cube("create", "planning", "--provider", "Custom", "--grant", "RefreshToken", "--issuer", self.world.oidc["url"],
                         *LOOPBACK_IS_ALLOWED, *arguments)  # fmt: skip

    def authorize(self, browser, url):
        browser.open(url)
        browser.fill(login=self.namespace, password=PASSWORD)
        browser.press("Sign-in")
        browser.shows("offline access")
        browser.press("Continue")
        browser.shows("Signed in")

    def exchanges(self):
        return [json.loads(line) for line in Path(self.world.oidc["exchanges"]).read_text().splitlines()]

    def prepare(self, client_id, secret=None, **spec):
        """Creates the objects as another user would have done before."""
        oidc = self.world.oidc
        self.world.apply(
            client_secret("planning-client", self.namespace, client_id, secret),
            credential("planning", self.namespace, "planning-client", provider="Custom", tokenURL=oidc["token_url"],
                       authorizationURL=oidc["authorization_url"], scopes=["openid", "offline_access"], **spec),
        )  # fmt: skip

    def asks_for_consent(self):
        url = {"authorizationURL": self.world.oidc["authorization_url"] + "?prompt=consent"}
        self.world.kubectl("patch", "cubecredential", "planning", "-n", self.namespace, "--type=merge", "-p", json.dumps({"spec": url}))

    def login(self, *arguments):
        return self.cube("login", "planning", *LOOPBACK_IS_ALLOWED, *arguments)

    def test_an_issuer_is_looked_up_and_what_its_provider_misses_is_said(self):
        browser, before = self.browser(), len(self.exchanges())
        terminal = self.create("--client-id", "app", "--client-authentication", "None", "--yes")
        browser.open(self.opened(terminal))
        browser.fill(login=self.namespace, password=PASSWORD)
        browser.press("Sign-in")
        browser.press("Continue")
        browser.shows("Not signed in")
        self.picture(browser, "page")
        self.ends(terminal, 1)
        self.picture_of_terminal(browser, terminal)
        terminal.shows("add ?prompt=consent to spec.authorizationURL")
        self.assertIsNone(self.get("secret", "planning-login"))
        spec, oidc = self.get("cubecredential", "planning")["spec"], self.world.oidc
        self.assertEqual((spec["tokenURL"], spec["authorizationURL"]), (oidc["token_url"], oidc["authorization_url"]))
        self.assertIn("offline_access", spec["scopes"])

        self.asks_for_consent()
        again = self.login()
        browser.open(self.opened(again))
        browser.press("Continue")
        browser.shows("Signed in")
        self.ends(again)
        # The operator continues the rotation, and the provider saw no client secret.
        self.ends(self.cube("refresh", "planning", "--wait"))
        seen = self.exchanges()[before:]
        grants = [line["grant_type"] for line in seen]
        self.assertEqual(grants, ["authorization_code", "authorization_code", "refresh_token", "refresh_token"], seen)
        self.assertEqual({line["authentication"] for line in seen}, {"none"})
        for earlier, later in zip(seen[1:], seen[2:]):
            self.assertEqual(later["received"]["refresh_token"], earlier["issued"]["refresh_token"])

    def test_a_redirect_uri_is_exactly_the_registered_one(self):
        self.prepare("web", SECRET_OF_WEB, clientAuthentication="Basic")
        self.asks_for_consent()
        # The provider shows a page of its own for another port, and the terminal waits until the person gives up.
        browser, another = self.browser(), self.login()
        browser.open(self.opened(another))
        browser.shows("redirect_uri did not match")
        self.picture(browser, "not-registered")
        self.assertFalse(another.ended())
        another.press(CTRL_C)
        self.ends(another, 130)
        short = self.login("--login-timeout", "1s")
        self.ends(short, 1)
        short.shows("if the browser shows an error about the redirect URI, register http://127.0.0.1:")
        self.picture_of_terminal(browser, short)

        terminal = self.login("--redirect-port", str(self.world.exact_port))
        self.authorize(browser, self.opened(terminal))
        self.ends(terminal)
        self.is_ready("planning")

    def test_no_secret_is_in_anything_that_was_written(self):
        browser, before = self.browser(), len(self.exchanges())
        consent = self.world.oidc["authorization_url"] + "?prompt=consent"
        terminal = self.create("--redirect-port", str(self.world.exact_port), "--authorization-url", consent)
        terminal.asks("Client ID:", "web")
        terminal.asks("Client secret (not shown):", SECRET_OF_WEB)
        terminal.asks("Create them?", "y")
        url, own = self.opened(terminal), terminal.own()
        self.authorize(browser, url)
        self.ends(terminal)
        self.is_ready("planning")
        refresh = self.cube("refresh", "planning", "--wait")
        status = self.cube("status", "planning")
        for command in (refresh, status):
            self.ends(command)

        seen = self.exchanges()[before:]
        self.assertGreaterEqual(len(seen), 3, seen)
        secrets = {"client secret": SECRET_OF_WEB}
        for number, line in enumerate(seen):
            parts = line["received"] | line["issued"]
            secrets |= {f"{name} of exchange {number}": value for name, value in parts.items() if value}
        for name in ("code", "code_verifier", "refresh_token", "access_token"):
            self.assertTrue(any(found.startswith(f"{name} ") for found in secrets), name)
        written = self.written(terminal, refresh, status)
        self.assertGreaterEqual(sum("child-" in name for name in written), 2, "the browser and the program for the kubeconfig")
        written["own environment and arguments"] = own
        self.assertEqual(search(secrets, written), [])
        # The search works: the provider's own record has them all.
        record = {"record": Path(self.world.oidc["exchanges"]).read_bytes()}
        self.assertEqual(len(search(secrets, record)), len(secrets) - 1)

"""Signs a user in as a browser does: authorization code with PKCE, over https."""

import base64
import hashlib
import http.client
import json
import secrets
import ssl
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser

from .processes import Failure

SECONDS = 120  # generous: the server may have been told to delay its answers


def sign_in(url, ca_file, *, client_id, username, password, redirect_uri, client_secret=None, scopes="read write"):
    """The first tokens of a login: refresh_token, access_token and expires_in.

    `url` and `ca_file` are what the token server said at its start. A public client has no `client_secret`.
    """
    browser = Browser(ca_file)
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    client = {"client_id": client_id, "redirect_uri": redirect_uri}
    asked = {"response_type": "code", **client, "scope": scopes, "state": state}
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}

    authorize = f"{url}/o/authorize/?" + urllib.parse.urlencode(asked | pkce)
    code = code_of(consent(browser, authorize, username, password), redirect_uri, state)
    grant = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, **client}
    if client_secret is not None:
        grant["client_secret"] = client_secret
    page = browser.open(f"{url}/o/token/", grant)
    if page.status != 200:
        raise Failure(f"sign-in: the token endpoint answered the code with {page.status} {page.error()}".rstrip())
    token = json.loads(page.text)
    return {key: token[key] for key in ("refresh_token", "access_token", "expires_in")}


def consent(browser, url, username, password):
    """Signs in and authorizes. Where that leads to, which is not followed."""
    page = browser.open(url)
    login = page.form("password", "the login form")
    page = browser.open(page.url, login | {"username": username, "password": password}, referer=page.url)
    form = page.form("allow", "the consent form (are username, password, client_id, redirect_uri and scopes right?)")
    return browser.open(page.url, form, referer=page.url).leads_to


def code_of(location, redirect_uri, state):
    """The code in the redirect to the client, if it is really the answer to our request."""
    target, _, query = (location or "").partition("?")
    found = dict(urllib.parse.parse_qsl(query))
    if target != redirect_uri:
        raise Failure("sign-in: the consent form did not lead to redirect_uri")
    if not secrets.compare_digest(found.get("state", ""), state):
        raise Failure("sign-in: the redirect has not the state that was sent")
    if "code" not in found:
        raise Failure(f"sign-in: the redirect has no code but error={found.get('error')}")
    return found["code"]


class Browser:
    """Cookies, and redirects that stay on the server: what leads elsewhere is reported and never followed."""

    def __init__(self, ca_file):
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file))
        no_proxy = urllib.request.ProxyHandler({})  # the server is on this machine
        self.opener = urllib.request.build_opener(trust, no_proxy, NoRedirects, urllib.request.HTTPCookieProcessor)

    def open(self, url, form=None, referer=None):
        origin = urllib.parse.urlsplit(url)[:2]
        while True:
            page = self.request(url, form, referer)
            location = page.leads_to
            if location is None or urllib.parse.urlsplit(location)[:2] != origin:
                return page
            url, form, referer = location, None, url  # a POST that was answered with 302 goes on as a GET

    def request(self, url, form, referer):
        data = None if form is None else urllib.parse.urlencode(form).encode()
        # Over https Django takes a form only with a Referer of its own.
        request = urllib.request.Request(url, data, {} if referer is None else {"Referer": referer})
        try:
            with self.opener.open(request, timeout=SECONDS) as answer:
                return Page(url, answer)
        except urllib.error.HTTPError as answer:  # also 302, as no redirect is followed
            with answer:
                return Page(url, answer)
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"sign-in: {urllib.parse.urlsplit(url).path}: {error}") from None


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Page:
    def __init__(self, url, answer):
        self.url, self.status = url, answer.status
        location = answer.headers.get("Location") if 300 <= answer.status < 400 else None
        self.leads_to = location and urllib.parse.urljoin(url, location)
        self.text = answer.read().decode(errors="replace")

    def form(self, needed, what):
        """The fields that the form comes with, its buttons included: as if the one with a name was pressed."""
        fields = Fields()
        fields.feed(self.text)
        if self.status != 200 or needed not in fields.found:
            path = urllib.parse.urlsplit(self.url).path
            raise Failure(f"sign-in: instead of {what} came {path} with {self.status} {self.error()}".rstrip())
        return fields.found

    def error(self):
        """The OAuth error of an answer or of a redirect, or nothing; never any other part: it may be secret."""
        try:
            return json.loads(self.text)["error"]
        except (ValueError, KeyError, TypeError):
            query = urllib.parse.urlsplit(self.leads_to or "").query
            return dict(urllib.parse.parse_qsl(query)).get("error", "")


class Fields(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = {}

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "input" and attributes.get("name"):
            self.found[attributes["name"]] = attributes.get("value") or ""

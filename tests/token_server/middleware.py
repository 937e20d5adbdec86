"""Sees every request to the token endpoint: writes the request log, plays the IP allow-list and a bad network."""

import base64
import binascii
import hashlib
import json
import time
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from . import faults


def token_requests(get_response):
    def middleware(request):
        if request.path.rstrip("/") != "/o/token":
            return get_response(request)
        received = time.time()
        time.sleep(faults.before)
        # As Cubewire answers when the address of the caller is not on its list.
        if faults.forbidden:
            committed = None
            response = JsonResponse({"detail": "IP address not allowed"}, status=403)
        else:
            faults.take_planned_settings()
            # Commits before it returns: this middleware is around every transaction.
            response = committed = get_response(request)
            if faults.lose_this_answer():
                response = HttpResponse("<h1>502 Bad Gateway</h1>", status=502)
        log(received, request, response, committed)
        time.sleep(faults.after)
        faults.released.wait()
        return response

    return middleware


def log(received, request, response, committed):
    """One line, without any secret, written before the answer leaves: who has the answer finds the line.

    `status` is what the client gets, `committed_status` what django-oauth-toolkit answered, if it was asked.
    `refresh_token` is the fingerprint of the refresh token that came, `issued` of the one that it answered with.
    """
    basic = basic_client_id(request)
    entry = {
        "time": received,
        "client_id": request.POST.get("client_id", basic),
        "grant_type": request.POST.get("grant_type"),
        "authentication": "body" if basic is None else "basic",
        "status": response.status_code,
    }
    if committed is not None:
        entry["committed_status"] = committed.status_code
        entry |= fingerprint("issued", refresh_token_in(committed))
    entry |= fingerprint("refresh_token", request.POST.get("refresh_token"))
    with open(settings.REQUEST_LOG, "ab", buffering=0) as file:
        # One write to a file opened for appending: lines of concurrent requests do not mix.
        file.write(json.dumps(entry).encode() + b"\n")


def refresh_token_in(response):
    try:
        return json.loads(response.content).get("refresh_token")
    except (ValueError, AttributeError):  # no JSON, no object
        return None


def fingerprint(name, token):
    """Tells tokens apart and gives none away; nothing for no token."""
    return {name: hashlib.sha256(token.encode()).hexdigest()[:16]} if token else {}


def basic_client_id(request):
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    # RFC 6749 section 2.3.1: both parts are form-urlencoded before base64.
    return unquote_plus(decoded.partition(":")[0])

"""Sees every request to the token endpoint: writes the request log and plays the IP allow-list."""

import base64
import binascii
import json
import time
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import JsonResponse


def token_requests(get_response):
    def middleware(request):
        if request.path.rstrip("/") != "/o/token":
            return get_response(request)
        received = time.time()
        # As Cubewire answers when the address of the caller is not on its list.
        if settings.FORBIDDEN.exists():
            response = JsonResponse({"detail": "IP address not allowed"}, status=403)
        else:
            response = get_response(request)
        log(received, request, response.status_code)
        return response

    return middleware


def log(received, request, status):
    """One line, without any secret, written before the answer leaves: who has the answer finds the line."""
    basic = basic_client_id(request)
    entry = {
        "time": received,
        "client_id": request.POST.get("client_id", basic),
        "grant_type": request.POST.get("grant_type"),
        "authentication": "body" if basic is None else "basic",
        "status": status,
    }
    with open(settings.REQUEST_LOG, "ab", buffering=0) as file:
        # One write to a file opened for appending: lines of concurrent requests do not mix.
        file.write(json.dumps(entry).encode() + b"\n")


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

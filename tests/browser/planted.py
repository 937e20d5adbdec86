"""Looks for secrets, in every form in which they could have been written down."""

import base64
import json
from urllib.parse import quote, quote_plus


def forms(secret):
    """As it is, in a URL, in JSON, and in base64 at each offset: a Basic header has the client id before the secret."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * offset + raw).rstrip(b"=")
            # The first digits depend on what stands before it, the last one on what stands after it.
            found.add(encoded[[0, 2, 3][offset] : -1])
    return found


def search(secrets, written):
    """`secrets` and `written` have names: each secret that is in one of the texts, with the name of the text."""
    found = []
    for name, secret in secrets.items():
        assert secret and len(secret) >= 12, f"{name} is too short to look for"
        found += [f"{name} in {where}" for where, text in written.items() if any(form in text for form in forms(secret))]
    return found


def below(directory):
    """Every file below a directory."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): path.read_bytes() for path in files}

#!/usr/bin/env python3
"""The browser of the demo, with the person in front of it: `kubectl cube login` starts it with a URL, where it signs in and
authorizes. CA_FILE has the CA certificate of the provider."""

import os
import sys
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.login import PASSWORD, USER  # noqa: E402
from environment.sign_in import Browser, consent  # noqa: E402


def main():
    leads_to = consent(Browser(os.environ["CA_FILE"]), sys.argv[1], USER, PASSWORD)
    # `kubectl cube login` waits there. A proxy could not reach it.
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(leads_to, timeout=60).read()


if __name__ == "__main__":
    main()

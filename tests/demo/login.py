"""Steps 5 to 7: a person signs in, and the operator keeps the login."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environment.sign_in import sign_in

from .consumer import Reader, call_api
from .commands import DEADLINE, TEAM, apply, kubectl, say, status, wait_for
from .objects import credential, source

REDIRECT = "http://127.0.0.1:8000/callback"  # nothing listens there: the script takes the code from the redirect


def a_person_signs_in(server):
    say("5. The other grant. A person signs in at the provider (here a script does: authorization code, PKCE, consent).")
    login = sign_in(server["url"], server["ca_file"], client_id="planning", client_secret="planning-secret",
                    username="treasurer", password="a-password", redirect_uri=REDIRECT)  # fmt: skip
    say("The refresh token of the sign-in is the seed. The operator spends it, and keeps its successors in a Secret of its own.")
    apply(
        source("planning-client", client_id="planning", client_secret="planning-secret"),
        source("planning-login", refresh_token=login["refresh_token"]),
        credential("planning", server, "planning-client", "short-authority", provider="CubeSoftware",
                   grant="RefreshToken", refreshTokenRef={"name": "planning-login"}),
    )  # fmt: skip
    kubectl("wait", "-n", TEAM, "--for=condition=Ready", "cubecredential/planning", f"--timeout={DEADLINE}s")
    kubectl("get", "cubecredential", "planning", "-n", TEAM)
    kubectl("get", "secret", "planning-cube-state", "-n", TEAM)
    call_api(server, "planning")


def each_refresh_kills_the_token_before(server):
    say("6. Each refresh spends the refresh token and kills the old access token at once. A reader calls the API all the while.")
    reader = Reader(server, "planning")
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(reader.work)
        try:
            fingerprint = refreshed("by itself", status("planning")["tokenFingerprint"])
            for count in ["second", "third"]:
                kubectl("annotate", "--overwrite", "cubecredential", "planning", "-n", TEAM,
                        f"cube-operator.dev/refresh-requested-at={count}")  # fmt: skip
                fingerprint = refreshed("by hand", fingerprint)
                time.sleep(1)
        finally:
            reader.stop.set()
    reading.result()
    say("The reader keeps its token in memory. At a 401 it reads the Secret and repeats the call, for five seconds at most:")
    print(f"{reader.calls} calls, {reader.refused} of them answered by 401 at first, "
          f"{reader.reads} times the Secret was read again, {reader.failed} calls failed in the end")  # fmt: skip
    say("Right after a refresh the new token may not be published yet, so one read may not be enough. A file in a pod follows "
        "its Secret within 90 seconds only: a program there has to repeat the call for two minutes.")  # fmt: skip
    if reader.failed or reader.refused < 3:
        sys.exit("the demo failed: the reader did not keep working")
    kubectl("get", "cubecredentials", "-n", TEAM)


def refreshed(how, before):
    wait_for("planning", f"refreshed {how}", lambda found: found.get("tokenFingerprint") not in (None, before))
    return status("planning")["tokenFingerprint"]


def the_seed_was_only_read(server):
    say("7. The operator has never written the seed. Who wrote the three Secrets of this login:")
    fields = "custom-columns=NAME:.metadata.name,TYPE:.type,WRITERS:.metadata.managedFields[*].manager"
    kubectl("get", "secrets", "planning-login", "planning-cube-state", "planning-token", "-n", TEAM, "-o", fields)
    lines = [json.loads(line) for line in Path(server["request_log"]).read_text().splitlines()]
    refreshes = [line for line in lines if line["grant_type"] == "refresh_token"]
    say("The provider saw each refresh token once, in its turn (the first digits of their SHA-256, from its log):")
    for line in refreshes:
        print(f"{line['client_id']}: sent {line['refresh_token'][:8]}, answered {line['status']} with {line['issued'][:8]}")
    if any(later["refresh_token"] != line["issued"] for line, later in zip(refreshes, refreshes[1:])):
        sys.exit("the demo failed: a refresh token was not used once and in its turn")

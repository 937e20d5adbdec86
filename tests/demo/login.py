"""Steps 5 to 7: a person signs in, and the operator keeps the login."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .commands import TEAM, apply, kubectl, say, show, status, step, wait_for
from .consumer import Reader, call_api
from .objects import credential, secret

REDIRECT = "http://127.0.0.1/callback"  # on any port
USER, PASSWORD = "treasurer", "a-password"


def a_person_signs_in(server):
    step("5. The other grant: a person signs in at the provider")
    say("`kubectl cube login` opens the provider's page in a browser. Here a script plays the person, who signs in and authorizes. "
        "The refresh token goes into the Secret planning-login. The operator uses it once, and keeps its successors in a Secret of "
        "its own. --allow-network lets the command reach a provider on this machine.")  # fmt: skip
    apply(
        secret("planning-client", "short-ca", client_id="planning", client_secret="planning-secret"),
        credential("planning", server, "planning-client", "short-ca", provider="CubeSoftware", grant="RefreshToken",
                   authorizationURL=f"{server['url']}/o/authorize/", refreshTokenRef="{name: planning-login}"),
    )  # fmt: skip
    environment = {**os.environ, "BROWSER": "tests/demo/person.py", "CA_FILE": server["ca_file"]}
    networks = "127.0.0.0/8,::1/128"
    kubectl("cube", "login", "planning", "-n", TEAM, "--allow-network", networks, env=environment, stderr=subprocess.STDOUT)
    kubectl("get", "cubecredential", "planning", "-n", TEAM)
    kubectl("get", "secret", "planning-cube-state", "-n", TEAM)
    call_api(server, "planning")


def each_refresh_kills_the_token_before(server):
    step("6. Each refresh consumes the refresh token, and revokes the old access token immediately")
    say("Meanwhile a consumer keeps calling the API. The first refresh is due in 20 seconds; two more are asked for by hand.")
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
    say("The consumer keeps its token in memory. After a 401 it reads the Secret and retries, for at most five seconds:")
    show(f"{reader.calls} calls, {reader.refused} of them got a 401 at first, "
         f"{reader.reads} times the Secret was read again, {reader.failed} calls failed in the end")  # fmt: skip
    say("Immediately after a refresh the new token may not be published yet, so one read may not be enough. A file in a pod "
        "follows its Secret within 90 seconds: a program that reads the file has to retry for two minutes.")  # fmt: skip
    if reader.failed or reader.refused < 3:
        sys.exit("the demo failed: the consumer did not keep working")
    kubectl("get", "cubecredentials", "-n", TEAM)


def refreshed(how, before):
    wait_for("planning", f"refreshed {how}", lambda found: found.get("tokenFingerprint") not in (None, before))
    return status("planning")["tokenFingerprint"]


def the_initial_token_was_only_read(server):
    step("7. Who wrote the three Secrets of this login")
    say("The operator has never written the Secret with the initial refresh token:")
    fields = "custom-columns=NAME:.metadata.name,TYPE:.type,WRITERS:.metadata.managedFields[*].manager"
    kubectl("get", "secrets", "planning-login", "planning-cube-state", "planning-token", "-n", TEAM, "-o", fields)
    lines = [json.loads(line) for line in Path(server["request_log"]).read_text().splitlines()]
    refreshes = [line for line in lines if line["grant_type"] == "refresh_token"]
    say("The provider received each refresh token once, in its turn. Its log has the first digits of their SHA-256:")
    for line in refreshes:
        sent, issued = line["refresh_token"][:8], line["issued"][:8]
        show(f"{line['client_id']}: refresh token {sent}, response {line['status']} with {issued}")
    if any(later["refresh_token"] != line["issued"] for line, later in zip(refreshes, refreshes[1:])):
        sys.exit("the demo failed: a refresh token was not used once and in its turn")

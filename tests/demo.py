#!/usr/bin/env python3
"""Shows both grants of cube-operator, in plain words and with real kubectl output: `make demo`.

Starts a control plane and two token servers of its own, installs the chart, and runs the operator as the chart's
ServiceAccount. There is no node here, so the operator is a process beside the cluster and not a pod in it; all else is as
in production. KEEP=1 keeps everything running until Ctrl-C.
"""

import base64
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True

from environment.sign_in import sign_in  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "target" / "tools" / "bin"
OPERATOR = ROOT / "target" / "debug" / "cube-operator"
SYSTEM, TEAM = "cube-system", "treasury"
DEADLINE = 60
REDIRECT = "http://127.0.0.1:8000/callback"  # nothing listens there: the script takes the code from the redirect


class Launched:
    """A part of tests/environment.py: it ends with its standard input."""

    def __init__(self, kind, directory, *arguments):
        command = [sys.executable, ROOT / "tests" / "environment.py", kind, "--dir", directory, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def facts(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit("the demo cannot start: see the message above")

    def command(self, **command):
        print(json.dumps(command), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        assert answer == {"ok": True}, answer

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


def say(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n## {text}", flush=True)


def run(*command, show=True, **options):
    """Runs a command as a person would, and shows it with its output."""
    if show:
        print("$ " + " ".join(str(part) for part in command), flush=True)
    result = subprocess.run(command, text=True, stdout=subprocess.PIPE, **options)
    if show:
        print(result.stdout, end="", flush=True)
    if result.returncode:
        sys.exit(f"the demo failed: {command[0]} ended with {result.returncode}")
    return result.stdout


def kubectl(*arguments, show=True, **options):
    return run("kubectl", *arguments, show=show, **options)


def apply(*objects):
    text = "\n---\n".join(json.dumps(thing) for thing in objects)
    kubectl("apply", "-n", TEAM, "-f", "-", input=text)


def status(name):
    return json.loads(kubectl("get", "cubecredential", name, "-n", TEAM, "-o", "json", show=False)).get("status", {})


def wait_for(name, what, fits):
    start = time.monotonic()
    while not fits(status(name)):
        if time.monotonic() - start > DEADLINE:
            sys.exit(f"the demo failed: {name} did not become {what}")
        time.sleep(0.1)
    print(f"({what} after {time.monotonic() - start:.1f} s)")


def condition(type_, value, reason=None):
    def fits(found):
        return any(
            c["type"] == type_ and c["status"] == value and reason in (None, c["reason"])
            for c in found.get("conditions", [])
        )

    return fits


def describe(name):
    """The end of kubectl describe: the status and the events, which is what people look at."""
    text = kubectl("describe", "cubecredential", name, "-n", TEAM, show=False)
    print(f"$ kubectl describe cubecredential {name} -n {TEAM}   (from its status on)")
    print(text[text.index("Status:") :], end="", flush=True)


def published_token(name):
    secret = json.loads(kubectl("get", "secret", f"{name}-token", "-n", TEAM, "-o", "json", show=False))
    return base64.b64decode(secret["data"]["access-token"]).decode()


def get_resource(server, token):
    """Calls the token server's protected resource: the status and the text of its answer."""
    request = urllib.request.Request(server["resource_url"], headers={"Authorization": f"Bearer {token}"})
    trust = ssl.create_default_context(cafile=server["ca_file"])
    try:
        with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


def call_api(server, name):
    """The same with the published token, as a pod would."""
    code, text = get_resource(server, published_token(name))
    if code != 200:
        sys.exit(f"the demo failed: the published token of {name} is answered by {code}")
    print(f"GET {server['resource_url']} with the token in Secret {name}-token: {code} {text}")


class Reader:
    """A consumer with the token in its memory. It uses that until the API answers 401: then it reads what is published now,
    and tries again for at most five seconds, because the provider kills the old token before the new one is published."""

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


def source(name, **values):
    return {
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {key.replace("_", "-"): value for key, value in values.items()},
    }  # fmt: skip


def credential(name, server, client, authority, **spec):
    return {
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name},
        "spec": {
            # A stand-in for the provider's endpoint; without tokenURL it would be the real one.
            "provider": "Cubewire", "tokenURL": server["token_url"],
            "clientSecretRef": {"name": client}, "caBundleRef": {"name": authority}, **spec,
        },
    }  # fmt: skip


def authority(name, server):
    pem = Path(server["ca_file"]).read_text()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"ca.crt": pem}}


def operator_kubeconfig(plane, directory):
    """What the chart's ServiceAccount would find in its pod: a token of its own, and no other right than its roles."""
    token = kubectl("create", "token", "cube-operator", "-n", SYSTEM, "--duration", "24h", show=False).strip()
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "operator",
        "clusters": [{"name": "c", "cluster": {"server": plane["server"], "certificate-authority": plane["ca_file"]}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "operator", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    path = directory / "operator.kubeconfig"
    path.write_text(json.dumps(config))
    return path


def the_token_appears(server, environment):
    say("1. A team writes a Secret with its client id and secret, and a CubeCredential that names it.")
    apply(
        authority("authority", server),
        source("cubewire-client", client_id="treasury", client_secret="first-secret"),
        credential("cubewire", server, "cubewire-client", "authority"),
    )
    kubectl("wait", "-n", TEAM, "--for=condition=Ready", "cubecredential/cubewire", f"--timeout={DEADLINE}s")
    kubectl("get", "cubecredentials", "-n", TEAM)
    kubectl("get", "secret", "cubewire-token", "-n", TEAM)
    say("The published token opens the provider's API:")
    call_api(server, "cubewire")
    say("Each step on the way to that token, as the operator sees it. No secret is sent for this, and none is printed.")
    run(str(OPERATOR), "check", "--namespace", TEAM, "cubewire", env=environment)


def a_short_token_is_refreshed(server):
    say("2. Another provider's tokens live for 30 seconds only. The operator refreshes them a third before they expire.")
    apply(
        authority("short-authority", server),
        source("short-client", client_id="short", client_secret="short-secret"),
        credential("short", server, "short-client", "short-authority"),
    )
    wait_for("short", "Ready", condition("Ready", "True"))
    first = status("short")
    kubectl("get", "cubecredential", "short", "-n", TEAM)
    wait_for("short", "refreshed", lambda found: found.get("tokenFingerprint") != first["tokenFingerprint"])
    kubectl("get", "cubecredential", "short", "-n", TEAM)
    call_api(server, "short")


def the_secret_is_broken_and_repaired(launched, server):
    say("3. The provider rotates the client secret, and somebody writes a wrong one into the Secret.")
    launched.command(cmd="set-secret", client_id="treasury", client_secret="second-secret")
    apply(source("cubewire-client", client_id="treasury", client_secret="a-typing-error"))
    wait_for("cubewire", "not Ready", condition("Ready", "False", "InvalidClient"))
    describe("cubewire")
    say("It says what is wrong and what to do. The right secret is proven as soon as it is there:")
    apply(source("cubewire-client", client_id="treasury", client_secret="second-secret"))
    wait_for("cubewire", "Ready", condition("Ready", "True"))
    call_api(server, "cubewire")


def a_403(launched, server):
    say("4. The provider takes this cluster's egress address off its list. A refresh is asked for by hand.")
    launched.command(cmd="forbid", on=True)
    kubectl("annotate", "cubecredential", "cubewire", "-n", TEAM, "cube-operator.dev/refresh-requested-at=first")
    wait_for("cubewire", "Forbidden", condition("Refreshed", "False", "Forbidden"))
    describe("cubewire")
    say("The published token still lives, so this is a warning and no outage yet. With the address back on the list:")
    launched.command(cmd="forbid", on=False)
    kubectl("annotate", "--overwrite", "cubecredential", "cubewire", "-n", TEAM,
            "cube-operator.dev/refresh-requested-at=second")  # fmt: skip
    wait_for("cubewire", "refreshed", condition("Refreshed", "True"))
    kubectl("get", "cubecredentials", "-n", TEAM)
    call_api(server, "cubewire")


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


def show(directory, launched):
    say("Starting etcd, kube-apiserver, kube-controller-manager and two token servers (django-oauth-toolkit) ...")
    plane = Launched("control-plane", directory / "control-plane")
    hourly = Launched("token-server", directory / "hourly")
    short = Launched("token-server", directory / "short", "--lifetime", "30")
    launched += [plane, hourly, short]
    cluster, hourly_server, short_server = plane.facts(), hourly.facts(), short.facts()
    os.environ.update(KUBECONFIG=cluster["kubeconfig"], PATH=f"{TOOLS}:{os.environ['PATH']}")
    hourly.command(cmd="create-client", client_id="treasury", client_secret="first-secret")
    short.command(cmd="create-client", client_id="short", client_secret="short-secret")
    short.command(cmd="create-client", client_id="planning", client_secret="planning-secret",
                  grant_type="authorization-code", redirect_uris=REDIRECT)  # fmt: skip
    short.command(cmd="create-user", username="treasurer", password="a-password")

    say("Installing the chart, and running the operator as its ServiceAccount.")
    run("helm", "install", "cube-operator", str(ROOT / "charts" / "cube-operator"), "-n", SYSTEM, "--create-namespace",
        "--set", "allowNetworks={127.0.0.0/8,::1/128}")  # fmt: skip
    plane.command(cmd="restart-controllers")
    kubectl("create", "namespace", TEAM)
    log = (directory / "operator.log").open("w")
    environment = {**os.environ, "KUBECONFIG": str(operator_kubeconfig(cluster, directory)),
                   "CUBE_OPERATOR_ALLOW_NETWORK": "127.0.0.0/8,::1/128"}  # fmt: skip
    command = [OPERATOR, "run", "--listen", "127.0.0.1:0"]
    operator = subprocess.Popen(command, env=environment, stderr=log)
    launched.append(Process(operator))
    run(str(OPERATOR), "check", env=environment)

    the_token_appears(hourly_server, environment)
    a_short_token_is_refreshed(short_server)
    the_secret_is_broken_and_repaired(hourly, hourly_server)
    a_403(hourly, hourly_server)
    a_person_signs_in(short_server)
    each_refresh_kills_the_token_before(short_server)
    the_seed_was_only_read(short_server)

    say(f"That was the main job. The operator's log is {log.name}; the cluster is at")
    print(f"export KUBECONFIG={cluster['kubeconfig']}", flush=True)
    if os.environ.get("KEEP") == "1":
        say("It keeps running until Ctrl-C.")
        operator.wait()


class Process:
    """The operator itself: it finishes what is under way."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        self.process.terminate()
        print(f"The operator ended with {self.process.wait(60)}.")


def main():
    launched = []
    directory = ROOT / "target" / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        show(directory, launched)
    except KeyboardInterrupt:
        print()
    finally:
        for part in reversed(launched):
            part.stop()


if __name__ == "__main__":
    main()

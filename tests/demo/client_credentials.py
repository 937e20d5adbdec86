"""Steps 1 to 4: a client gets tokens for itself."""

from .consumer import call_api
from .commands import DEADLINE, OPERATOR, TEAM, apply, condition, describe, kubectl, run, say, status, wait_for
from .objects import authority, credential, source


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
    run(str(OPERATOR), "check", "--connect", "--namespace", TEAM, "cubewire", env=environment)


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

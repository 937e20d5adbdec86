"""Steps 1 to 4: a client gets tokens for itself."""

from .commands import DEADLINE, OPERATOR, TEAM, apply, condition, describe, kubectl, run, say, status, step, wait_for
from .consumer import call_api
from .objects import credential, secret


def trust(name, server):
    """The CA certificate of a token server, as a ConfigMap."""
    kubectl("create", "configmap", name, "-n", TEAM, f"--from-file={server['ca_file']}")


def the_token_appears(server, environment):
    step("1. A team writes a Secret with its client id and secret, and a CubeCredential that names it")
    trust("cubewire-ca", server)
    apply(
        secret("cubewire-client", "cubewire-ca", client_id="treasury", client_secret="first-secret"),
        credential("cubewire", server, "cubewire-client", "cubewire-ca"),
    )
    kubectl("wait", "-n", TEAM, "--for=condition=Ready", "cubecredential/cubewire", f"--timeout={DEADLINE}s")
    kubectl("get", "cubecredentials", "-n", TEAM)
    kubectl("get", "secret", "cubewire-token", "-n", TEAM)
    say("The published token opens the provider's API:")
    call_api(server, "cubewire")
    say("`check` follows the way to that token, as the operator sees it. It sends no secret, and prints none.")
    run(str(OPERATOR), "check", "--connect", "--namespace", TEAM, "cubewire", env=environment)


def a_short_token_is_refreshed(server):
    step("2. The tokens of another provider live for 30 seconds only")
    say("The operator refreshes a token when a third of its lifetime is left, or five minutes if that is less.")
    trust("short-ca", server)
    apply(
        secret("short-client", "short-ca", client_id="short", client_secret="short-secret"),
        credential("short", server, "short-client", "short-ca"),
    )
    wait_for("short", "Ready", condition("Ready", "True"))
    first = status("short")
    kubectl("get", "cubecredential", "short", "-n", TEAM)
    say("The first refresh is due in 20 seconds.")
    wait_for("short", "refreshed", lambda found: found.get("tokenFingerprint") != first["tokenFingerprint"])
    kubectl("get", "cubecredential", "short", "-n", TEAM)
    call_api(server, "short")


def the_secret_is_broken_and_repaired(launched, server):
    step("3. The provider rotates the client secret, and a wrong one is written into the Secret")
    say("The operator requests a token with the new secret as soon as the request budget of this client allows it.")
    launched.command(cmd="set-secret", client_id="treasury", client_secret="second-secret")
    apply(secret("cubewire-client", "cubewire-ca", client_id="treasury", client_secret="a-typing-error"))
    wait_for("cubewire", "not Ready", condition("Ready", "False", "InvalidClient"))
    describe("cubewire")
    say("The conditions say what is wrong and what to do. With the right secret the operator requests a token immediately:")
    apply(secret("cubewire-client", "cubewire-ca", client_id="treasury", client_secret="second-secret"))
    wait_for("cubewire", "Ready", condition("Ready", "True"))
    call_api(server, "cubewire")


def a_403(launched, server):
    step("4. The provider removes this cluster's egress IP address from its list")
    say("Somebody asks for a refresh by hand, and it fails:")
    launched.command(cmd="forbid", on=True)
    kubectl("annotate", "cubecredential", "cubewire", "-n", TEAM, "cube-operator.dev/refresh-requested-at=first")
    wait_for("cubewire", "Forbidden", condition("Refreshed", "False", "Forbidden"))
    describe("cubewire")
    say("The published token is still valid, so this is a warning and not yet an outage. The provider allows the address again:")
    launched.command(cmd="forbid", on=False)
    kubectl("annotate", "--overwrite", "cubecredential", "cubewire", "-n", TEAM,
            "cube-operator.dev/refresh-requested-at=second")  # fmt: skip
    wait_for("cubewire", "refreshed", condition("Refreshed", "True"))
    kubectl("get", "cubecredentials", "-n", TEAM)
    call_api(server, "cubewire")

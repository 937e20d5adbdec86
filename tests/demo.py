#!/usr/bin/env python3
"""Shows both grants of cube-operator, in plain words and with real kubectl output: `make demo`.

Starts a control plane and two token servers of its own, installs the chart, and runs the operator as the chart's
ServiceAccount. There is no node here, so the operator is a process beside the cluster and not a pod in it; everything else is as
in production.

    KEEP=1              keeps everything running until Ctrl-C, and prints commands to go on with
    CLUSTER=current     uses the cluster of the kubeconfig, after asking; YES=1 answers
    RECORD=docs/demo.md writes down what it shows
"""

import os
import shutil
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from demo import current, go_on, transcript  # noqa: E402
from demo.client_credentials import (  # noqa: E402
    a_403,
    a_short_token_is_refreshed,
    the_secret_is_broken_and_repaired,
    the_token_appears,
)
from demo.commands import CURRENT, DIRECTORY, OPERATOR, ROOT, SYSTEM, TEAM, TOOLS, kubectl, run, say, step  # noqa: E402
from demo.login import (  # noqa: E402
    PASSWORD,
    REDIRECT,
    USER,
    a_person_signs_in,
    each_refresh_kills_the_token_before,
    the_initial_token_was_only_read,
)
from demo.parts import Launched, Operator  # noqa: E402


def start(launched):
    """The cluster, and the token servers: one whose tokens live for an hour, and another."""
    if CURRENT:
        current.use()
    parts = "two token servers (django-oauth-toolkit)"
    say(f"Starting {parts if CURRENT else 'etcd, kube-apiserver and ' + parts}: about 10 seconds.")
    # Nothing of the demo needs kube-controller-manager, and it is not published for setup-envtest.
    plane = None if CURRENT else Launched("control-plane", "control-plane", "--controllers", "false")
    hourly = Launched("token-server", "hourly")
    short = Launched("token-server", "short", "--lifetime", "30")
    launched += [part for part in [plane, hourly, short] if part]
    if plane:
        os.environ["KUBECONFIG"] = plane.facts()["kubeconfig"]
    hourly_server, short_server = hourly.facts(), short.facts()
    hourly.command(cmd="create-client", client_id="treasury", client_secret="first-secret")
    short.command(cmd="create-client", client_id="short", client_secret="short-secret")
    short.command(cmd="create-client", client_id="planning", client_secret="planning-secret",
                  grant_type="authorization-code", redirect_uris=REDIRECT)  # fmt: skip
    short.command(cmd="create-user", username=USER, password=PASSWORD)
    return hourly, hourly_server, short_server


def install(launched):
    step("Installing the chart, and running the operator as its ServiceAccount")
    say("With replicas=0 no pod runs the operator: it is a process beside the cluster. allowNetworks lets it reach the token "
        "servers on this machine.")  # fmt: skip
    settings = "replicas=0,allowNetworks={127.0.0.0/8,::1/128}"
    for namespace in dict.fromkeys([SYSTEM, TEAM]):
        kubectl("create", "namespace", namespace)
    if CURRENT:
        # Not earlier: a namespace that somebody else made meanwhile is not removed.
        launched.append(current.Installation())
        settings += f",watchNamespaces={{{TEAM}}}"
    run("helm", "install", "cube-operator", "charts/cube-operator", "-n", SYSTEM, "--set", settings, output=False)
    operator = Operator()
    launched.append(operator)
    run(str(OPERATOR), "check", env=operator.environment)
    return operator


def show(launched):
    hourly, hourly_server, short_server = start(launched)
    operator = install(launched)

    the_token_appears(hourly_server, operator.environment)
    a_short_token_is_refreshed(short_server)
    the_secret_is_broken_and_repaired(hourly, hourly_server)
    a_403(hourly, hourly_server)
    a_person_signs_in(short_server)
    each_refresh_kills_the_token_before(short_server)
    the_initial_token_was_only_read(short_server)

    if record := os.environ.get("RECORD"):
        transcript.write(Path(record))
    step("That was the main job.")
    if os.environ.get("KEEP") == "1":
        kubeconfig = os.environ["KUBECONFIG"]
        server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}", shown=False)
        go_on.show(kubeconfig, server, operator, hourly_server, short_server)
        operator.process.wait()
    else:
        print(f"The operator's log is {operator.log}. `KEEP=1 make demo` keeps everything running, and says how to go on.")


def stop(launched):
    """Whatever cannot be stopped does not keep the rest from it."""
    ends = []
    for part in reversed(launched):
        try:
            part.stop()
        except (SystemExit, Exception) as error:
            ends.append(error)
    for error in ends:
        print(f"the demo could not clean up: {error}", file=sys.stderr)
    if any(isinstance(part, current.Installation) for part in launched) and ends:
        print(current.LEFT, file=sys.stderr)
    return bool(ends)


def main():
    # A shell lets what it starts in the background ignore SIGINT.
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    launched, failed = [], False
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True, mode=0o700)
    # kubectl finds kubectl-cube there.
    os.environ["PATH"] = f"{TOOLS}:{OPERATOR.parent}:{os.environ['PATH']}"
    os.chdir(ROOT)
    try:
        show(launched)
    except KeyboardInterrupt:
        print()
    finally:
        # A second signal must not leave a part of it running.
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(end, signal.SIG_IGN)
        failed = stop(launched)
        current.forget()
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()

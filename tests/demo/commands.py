"""Commands as a person runs them, shown with their output."""

import base64
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from . import transcript

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATOR = ROOT / "target" / "debug" / "cube-operator"
TOOLS = ROOT / "target" / "tools" / "bin"
DIRECTORY = ROOT / "target" / "demo"
DEADLINE = 60

# In a cluster that is in use, all that has a namespace is in one that the demo makes and removes.
CURRENT = os.environ.get("CLUSTER") == "current"
SYSTEM = "cube-demo" if CURRENT else "cube-system"
TEAM = "cube-demo" if CURRENT else "treasury"


def step(title):
    """The title of a part of the demo."""
    transcript.add("title", title)
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n## {title}", flush=True)


def say(text):
    transcript.add("text", text)
    print(f"\n{text}", flush=True)


def show(text):
    """What stands in the terminal: commands and their output."""
    text = text.rstrip("\n")
    transcript.add("terminal", text)
    print(text, flush=True)


def run(*command, shown=True, output=True, text=None, **options):
    """Runs a command as a person would. `shown` may be what to show instead of it, and `output` says whether to show that."""
    if shown:
        show("$ " + (shown if isinstance(shown, str) else shlex.join(map(str, command))))
    result = subprocess.run(command, text=True, input=text, stdout=subprocess.PIPE, **options)
    if shown and output and result.stdout:
        show(result.stdout)
    if result.returncode:
        sys.exit(f"the demo failed: {command[0]} ended with {result.returncode}")
    return result.stdout


def kubectl(*arguments, **options):
    return run("kubectl", *arguments, **options)


def apply(*manifests, secret=None):
    """Applies manifests, and shows them. `secret` is a value in them that stays unseen."""
    text = "---\n".join(manifests)
    arguments = ["apply", "--server-side", "-n", TEAM, "-f", "-"]
    seen = text.replace(secret, "...") if secret else text
    kubectl(*arguments, text=text, shown=f"kubectl {' '.join(arguments)} <<END\n{seen}END")


def status(name):
    return json.loads(kubectl("get", "cubecredential", name, "-n", TEAM, "-o", "json", shown=False)).get("status", {})


def wait_for(name, what, fits):
    start = time.monotonic()
    while not fits(status(name)):
        seconds = time.monotonic() - start
        if seconds > DEADLINE:
            sys.exit(f"the demo failed: {name} did not become {what}")
        if sys.stdout.isatty():
            print(f"\r(waiting until {name} is {what}: {seconds:.0f} s)", end="", flush=True)
        time.sleep(0.1)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    show(f"({what} after {time.monotonic() - start:.1f} s)")


def condition(type_, value, reason=None):
    def fits(found):
        return any(
            c["type"] == type_ and c["status"] == value and reason in (None, c["reason"])
            for c in found.get("conditions", [])
        )

    return fits


def describe(name):
    """The end of kubectl describe: the status and the events, which is what people look at."""
    text = kubectl("describe", "cubecredential", name, "-n", TEAM, shown=False)
    show(f"$ kubectl describe cubecredential {name} -n {TEAM}   # from its status on")
    show(text[text.index("Status:") :])


def published_token(name):
    secret = json.loads(kubectl("get", "secret", f"{name}-token", "-n", TEAM, "-o", "json", shown=False))
    return base64.b64decode(secret["data"]["access-token"]).decode()

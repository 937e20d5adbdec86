"""Commands as a person runs them, shown with their output."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATOR = ROOT / "target" / "debug" / "cube-operator"
TEAM = "treasury"
DEADLINE = 60


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
    kubectl("apply", "--server-side", "-n", TEAM, "-f", "-", input=text)


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

"""What the operator did, by the audit log of the API server."""

import json
from datetime import datetime
from pathlib import Path

from .world import SYSTEM

OPERATOR = f"system:serviceaccount:{SYSTEM}:cube-operator"


def writes(world, namespace, secret):
    """When the API server responded to the writes of a Secret."""
    wanted = {"resource": "secrets", "namespace": namespace, "name": secret}
    times = []
    for line in Path(world.plane["audit_log"]).read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] != OPERATOR or event["verb"] not in ("patch", "create", "update"):
            continue
        found = event.get("objectRef", {})
        if all(found.get(field) == value for field, value in wanted.items()) and event["responseStatus"]["code"] < 300:
            times.append(datetime.fromisoformat(event["stageTimestamp"]).timestamp())
    return times

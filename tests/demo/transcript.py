"""The transcript of a demo as a page: RECORD=docs/demo.md. Whatever differs from run to run is replaced by a stand-in, so that
two transcripts differ only where the demo shows something else."""

import datetime
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START = datetime.datetime.now(datetime.timezone.utc)
NOON = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.timezone.utc)
HEAD = """# What the demo shows

`make demo` runs this on your machine. The demo itself has written this page (`make demo RECORD=docs/demo.md`). Ports, hashes and
times are stand-ins: everything happens at 12:00.
"""

entries = []


def add(kind, text):
    entries.append((kind, text))


def write(path):
    path.write_text(page(entries))


def page(parts):
    replace, text, open_block = StandIns(), HEAD, False
    for kind, content in parts:
        if open_block and kind != "terminal":
            text += "```\n"
        if kind == "terminal" and not open_block:
            text += "\n```console\n"
        open_block = kind == "terminal"
        content = replace(content)
        text += {"title": f"\n## {content}\n", "text": f"\n{content}\n", "terminal": f"{content}\n"}[kind]
    return text + ("```\n" if open_block else "")


class StandIns:
    def __init__(self):
        self.ports, self.hashes = {}, {}

    def __call__(self, text):
        text = text.replace(f"{ROOT}/", "")
        text = re.sub(r"\b(state|code_challenge)=[\w-]+", r"\1=...", text)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", self.time, text)
        text = re.sub(r"\b\d\d:\d\d:\d\dZ", "12:00:00Z", text)
        # In the redirect URI of a sign-in the colon is encoded.
        text = re.sub(r"(?:\b|(?<=%2F))(localhost|127\.0\.0\.1)(:|%3A)(\d+)", self.port, text)
        text = re.sub(r"localhost has the address .+", "localhost has the address 127.0.0.1", text)
        text = re.sub(r"\b(?:[0-9a-f]{16}|[0-9a-f]{8})\b", self.hash, text)
        text = re.sub(r"(Resource Version: +)\d+", r"\g<1>100", text)
        text = re.sub(r" after [\d.]+ s\)", ")", text)
        text = re.sub(r"^\d+ calls, \d+ (.+), \d+ times", r"300 calls, 3 \1, 3 times", text)
        return "\n".join(map(self.age, text.splitlines()))

    def time(self, match):
        """Whole hours after the start stay what they are."""
        time = datetime.datetime.fromisoformat(match[0].replace("Z", "+00:00"))
        hours = (time - START + datetime.timedelta(seconds=1)) // datetime.timedelta(hours=1)
        return (NOON + datetime.timedelta(hours=max(hours, 0))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def port(self, match):
        port = self.ports.setdefault(match[3], 8443 + len(self.ports))
        return f"{match[1]}{match[2]}{port}"

    def hash(self, match):
        return self.hashes.setdefault(match[0], f"{len(self.hashes) + 10:x}" * 16)[: len(match[0])]

    @staticmethod
    def age(line):
        """The last column of `kubectl get`, and the third one of the events."""
        event = re.match(r"  (Normal|Warning|Type|----) +(\w+|-+) +(\S+(?: \(x\d+ over \w+\))?) +(\S+) +(.+)", line)
        if event:
            kind, reason, age, source, message = event.groups()
            age = "1s" if re.match(r"\d", age) else age
            return f"  {kind:<8} {reason:<15} {age:<5} {source:<14} {message}"
        return re.sub(r"(  +)\d+[ms][\dms]*$", r"\g<1>1s", line)

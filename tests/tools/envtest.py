#!/usr/bin/env python3
"""Downloads etcd, kube-apiserver and kubectl, as setup-envtest does.

    python3 tests/tools/envtest.py DIRECTORY NEWEST

Takes the newest release of the index that is not newer than NEWEST, and unpacks its archive into DIRECTORY only if it has the
checksum that the index states. ENVTEST_INDEX is the URL of another index. Gives up when less than 5 MB arrive in 20 s
(ENVTEST_SECONDS), so an index that cannot be reached takes no longer than that.
"""

import hashlib
import os
import platform
import re
import shutil
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

INDEX = "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"
PROGRAMS = {"etcd", "kube-apiserver", "kubectl"}
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
LEAST_BYTES = 5_000_000


class Failure(Exception):
    """Something to tell the user in one message."""


class Downloads:
    """Downloads into files. A thread waits for the network, because a name server can keep a program waiting longer than the
    timeout of a socket."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.received = self.counted = 0
        self.deadline = time.monotonic() + seconds

    def get(self, url, path):
        errors = []
        thread = threading.Thread(target=self.receive, args=[url, path, errors], daemon=True)
        thread.start()
        while thread.is_alive():
            self.expect_progress(url)
            thread.join(0.05)
        if errors:
            raise Failure(f"cannot download {url}: {errors[0]}")

    def receive(self, url, path, errors):
        try:
            with urllib.request.urlopen(url) as response, path.open("wb") as file:
                while block := response.read1(1 << 16):
                    self.received += len(block)
                    file.write(block)
        except (OSError, ValueError) as error:
            errors.append(error)

    def expect_progress(self, url):
        if time.monotonic() < self.deadline:
            return
        if self.received - self.counted < LEAST_BYTES:
            raise Failure(f"gave up on {url}: less than {LEAST_BYTES // 1_000_000} MB arrived in {self.seconds:g} s")
        self.counted = self.received
        self.deadline += self.seconds


def version(text):
    return tuple(int(number) for number in text.removeprefix("v").split("."))


def newest(index, limit):
    """The URL and the checksum of the archive to take."""
    machine = MACHINES.get(platform.machine(), platform.machine())
    entry = rf"^ +envtest-(v[\d.]+)-{platform.system().lower()}-{machine}\.tar\.gz:\n((?: +(?:hash|selfLink): .+\n?)+)"
    found = [(version(match[1]), match[2]) for match in re.finditer(entry, index, re.M)]
    found = [release for release in found if release[0] <= version(limit)]
    if not found:
        raise Failure(f"the index has no release for {platform.system()} {machine} up to {limit}")
    fields = dict(re.findall(r"(\w+): (\S+)", max(found)[1]))
    if fields.keys() != {"selfLink", "hash"}:
        raise Failure("the newest release of the index has no selfLink or no hash")
    return fields["selfLink"], fields["hash"]


def check(path, expected):
    digest = hashlib.sha512()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    actual = digest.hexdigest()
    if actual != expected:
        raise Failure(f"the archive has checksum {actual[:16]}..., and the index states {expected[:16]}...: it is not used")


def unpack(archive, directory):
    with tarfile.open(archive) as tar:
        members = {Path(member.name).name: member for member in tar if member.isfile()}
        if missing := PROGRAMS - members.keys():
            raise Failure(f"the archive has no {', '.join(sorted(missing))}")
        for name in PROGRAMS:
            with (directory / name).open("wb") as file:
                shutil.copyfileobj(tar.extractfile(members[name]), file)
            (directory / name).chmod(0o755)


def main():
    directory, limit = Path(sys.argv[1]), sys.argv[2]
    downloads = Downloads(float(os.environ.get("ENVTEST_SECONDS", "20")))
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".envtest-") as scratch:
        index, archive, programs = (Path(scratch) / name for name in ["index", "archive", "programs"])
        programs.mkdir()
        downloads.get(os.environ.get("ENVTEST_INDEX", INDEX), index)
        url, checksum = newest(index.read_text(), limit)
        downloads.get(url, archive)
        check(archive, checksum)
        unpack(archive, programs)
        shutil.rmtree(directory, ignore_errors=True)
        programs.rename(directory)


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError, ValueError, tarfile.TarError) as failure:
        sys.exit(f"envtest.py: {failure}")

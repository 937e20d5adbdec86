#!/usr/bin/env python3
"""Checks where build.sh takes a program from, with stand-ins: programs that only say a version, a `go` that writes such programs,
and a local index with archives. Nothing is downloaded from elsewhere, and target/tools is not touched: `make tools-check`.
"""

import fcntl
import hashlib
import io
import os
import platform
import pty
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
COMMANDS = """awk bash cat chmod cut date dirname env find flock grep head kill ln mkdir mv python3 realpath rm sed sha256sum
sleep sort timeout""".split()
PROGRAMS = ["etcd", "kube-apiserver", "kubectl"]
# A `go` that builds programs of version 9.9.9, and writes down what it builds.
GO = """#!/bin/sh
[ "$1" = env ] && { echo go1.26.0; exit; }
while [ "$1" != -o ]; do shift; done
echo "$3" >> "$(dirname "$0")/built"
printf '#!/bin/sh\\necho v9.9.9\\n' > "$2"
chmod +x "$2"
"""


def program(version):
    return f"#!/bin/sh\necho v{version}\n".encode()


def archive(version, names=PROGRAMS):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name in names:
            content = program("3.6.0" if name == "etcd" else version)
            member = tarfile.TarInfo(f"controller-tools/envtest/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


class Server(ThreadingHTTPServer):
    """Serves an index and its archives. `hang` is a path that is never answered."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.hang, self.over = {}, [], None, threading.Event()
        self.index, self.url = "releases:\n", f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    def publish(self, version, content, checksum=None):
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        name = f"envtest-v{version}-{platform.system().lower()}-{machine}.tar.gz"
        checksum = checksum or hashlib.sha512(content).hexdigest()
        other = f"    envtest-v{version}-plan9-mips.tar.gz:\n      hash: 00\n      selfLink: {self.url}/other\n"
        own = f"    {name}:\n      hash: {checksum}\n      selfLink: {self.url}/{name}\n"
        self.index += f"  v{version}:\n{other}{own}"
        self.files |= {"/index.yaml": self.index.encode(), f"/{name}": content}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        server = self.server
        server.asked.append(self.path)
        content = server.files.get(self.path)
        if content is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if server.hang and server.hang in self.path:
            self.wfile.write(content[:10])
            self.wfile.flush()
            return server.over.wait()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


class Choice(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.tools = self.root / "target" / "tools"
        shutil.copytree(TOOLS, self.root / "tests" / "tools")
        self.commands = self.root / "commands"
        self.commands.mkdir()
        for command in COMMANDS:
            (self.commands / command).symlink_to(shutil.which(command))
        self.write(self.commands / "go", GO.encode())
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.over.set)

    def write(self, path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755)
        return path

    def install(self, name, version, folder="installed"):
        return self.write(self.root / folder / name, program(version))

    def environment(self, **more):
        path = f"{self.tools / 'bin'}:{self.root / 'installed'}:{self.commands}"
        return {"PATH": path, "ENVTEST_INDEX": f"{self.server.url}/index.yaml", **more}

    def command(self, *arguments):
        return [str(self.root / "tests" / "tools" / "build.sh"), *arguments]

    def build(self, *arguments, **more):
        done = subprocess.run(self.command(*arguments), env=self.environment(**more), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def version(self, name):
        return subprocess.run([self.tools / "bin" / name], text=True, stdout=subprocess.PIPE, check=True).stdout.strip()

    def test_an_installed_program_that_is_new_enough_is_used(self):
        kubectl, helm = self.install("kubectl", "1.30.0"), self.install("helm", "3.15.0")
        self.build("--ready-made", "kubectl", "helm")
        self.assertEqual((self.tools / "bin" / "kubectl").readlink(), kubectl)
        self.assertEqual((self.tools / "bin" / "helm").readlink(), helm)
        self.assertEqual(self.server.asked, [])
        # The link that was made is on PATH too, and must not become a link to itself.
        self.build("--ready-made", "kubectl")
        self.assertEqual(self.version("kubectl"), "v1.30.0")

    def test_an_installed_program_that_is_too_old_is_not_used(self):
        self.install("kubectl", "1.29.15")
        assets = self.install("kubectl", "1.33.1", "assets")
        said = self.build("--ready-made", "kubectl", KUBEBUILDER_ASSETS=str(assets.parent))
        self.assertIn("kubectl is version 1.29.15, older than 1.30.0: not used", said)
        self.assertEqual((self.tools / "bin" / "kubectl").readlink(), assets)

    def test_an_installed_program_wins_over_the_assets_and_these_over_a_download(self):
        self.server.publish("1.31.0", archive("1.31.0"))
        installed = self.install("kubectl", "1.32.0")
        assets = [self.install("kubectl", "1.33.1", "assets"), self.install("etcd", "3.5.13", "assets")]
        self.install("etcd", "3.5.9")
        self.build("--ready-made", "kubectl", "etcd", KUBEBUILDER_ASSETS=str(assets[0].parent))
        self.assertEqual((self.tools / "bin" / "kubectl").readlink(), installed)
        self.assertEqual((self.tools / "bin" / "etcd").readlink(), assets[1])
        self.assertEqual(self.server.asked, [])

    def test_the_newest_release_up_to_the_pinned_one_is_downloaded_once(self):
        for version in ["1.9.0", "1.31.0", "1.36.2", "1.35.10", "1.99.0", "1.36.3-rc.1"]:
            self.server.publish(version, archive(version))
        self.build("--ready-made", *PROGRAMS)
        self.assertEqual([self.version(name) for name in PROGRAMS], ["v3.6.0", "v1.36.2", "v1.36.2"])
        self.build("--ready-made", *PROGRAMS)
        self.assertEqual(len(self.server.asked), 2, "the index and one archive")

    def test_an_archive_with_another_checksum_is_not_used(self):
        self.server.publish("1.31.0", archive("1.31.0"), checksum=hashlib.sha512(b"another").hexdigest())
        said = self.build("--ready-made", "kubectl")
        self.assertIn("the archive has checksum", said)
        self.assertEqual(self.version("kubectl"), "v9.9.9")
        self.assertFalse((self.tools / "envtest").exists())
        self.assertEqual([path.name for path in self.tools.iterdir() if path.name.startswith(".")], [], "nothing of it stays")

    def test_an_archive_that_lacks_a_program_is_not_used(self):
        self.server.publish("1.31.0", archive("1.31.0", ["kubectl", "etcd"]))
        said = self.build("--ready-made", "kubectl")
        self.assertIn("the archive has no kube-apiserver", said)
        self.assertEqual(self.version("kubectl"), "v9.9.9")

    def test_a_server_that_hangs_is_given_up_in_time_and_not_asked_again_for_a_day(self):
        for hang in ["index", "tar.gz"]:
            with self.subTest(hang):
                self.server.publish("1.31.0", archive("1.31.0"))
                self.server.hang = hang
                shutil.rmtree(self.tools, ignore_errors=True)
                start = time.monotonic()
                said = self.build("--ready-made", "kubectl", "etcd", ENVTEST_SECONDS="0.5")
                self.assertLess(time.monotonic() - start, 20, "it would wait for ever")
                self.assertIn("gave up on", said)
                self.assertIn("etcd: not downloaded: that failed within the last day", said)
                self.assertEqual([self.version(name) for name in ["kubectl", "etcd"]], ["v9.9.9"] * 2)

    def test_a_failed_download_is_tried_again_after_a_day_and_with_another_index(self):
        self.build("--ready-made", "kubectl")
        self.assertEqual(self.server.asked, ["/index.yaml"])
        (self.tools / "stamps" / "kubectl").unlink()
        self.build("--ready-made", "kubectl")
        self.assertEqual(self.server.asked, ["/index.yaml"])
        (self.tools / "stamps" / "kubectl").unlink()
        self.build("--ready-made", "kubectl", ENVTEST_INDEX=f"{self.server.url}/another")
        self.assertEqual(self.server.asked, ["/index.yaml", "/another"])
        yesterday = time.time() - 25 * 3600
        os.utime(self.tools / "stamps" / "envtest.failed", (yesterday, yesterday))
        (self.tools / "stamps" / "kubectl").unlink()
        self.build("--ready-made", "kubectl", ENVTEST_INDEX=f"{self.server.url}/another")
        self.assertEqual(self.server.asked, ["/index.yaml", "/another", "/another"])

    def test_the_tests_build_the_pinned_version_and_the_demo_then_uses_it(self):
        self.server.publish("1.31.0", archive("1.31.0"))
        self.install("kubectl", "1.32.0")
        self.assertIn("kubectl: building, about 1 min the first time", self.build("kubectl"))
        for arguments in [["kubectl"], ["--ready-made", "kubectl"]]:
            self.assertEqual(self.build(*arguments), "kubectl: already built\n")
        self.assertEqual(self.version("kubectl"), "v9.9.9")
        self.assertEqual(self.server.asked, [])
        self.assertEqual((self.commands / "built").read_text(), "k8s.io/kubernetes/cmd/kubectl\n")

    def test_the_tests_replace_what_the_demo_found(self):
        kubectl = self.install("kubectl", "1.32.0")
        self.build("--ready-made", "kubectl")
        self.build("kubectl")
        self.assertEqual(self.version("kubectl"), "v9.9.9")
        self.assertEqual(kubectl.read_bytes(), program("1.32.0"), "the installed one is untouched")

    def test_a_run_waits_for_another_one_that_builds_the_same_tool(self):
        lock = self.write(self.tools / "stamps" / "kubectl.lock", b"")
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with subprocess.Popen(self.command("kubectl"), env=self.environment(), text=True, stdout=subprocess.PIPE) as run:
                self.assertEqual(run.stdout.readline(), "kubectl: waiting for another run of build.sh\n")
                self.assertFalse((self.tools / "bin" / "kubectl").exists())
                fcntl.flock(held, fcntl.LOCK_UN)
                self.assertIn("kubectl: done in", run.stdout.read())
        self.assertEqual(self.version("kubectl"), "v9.9.9")

    def test_a_failed_build_shows_what_the_compiler_said(self):
        self.write(self.commands / "go", b"#!/bin/sh\n[ $1 = env ] && echo go1.26.0 || { echo no space left; exit 1; }\n")
        done = subprocess.run(self.command("kubectl"), env=self.environment(), text=True, capture_output=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no space left\nbuild.sh: building kubectl failed", done.stderr)

    def test_a_browser_that_cannot_be_installed_is_an_error_with_a_remedy(self):
        remedy = "apt-get install chromium chromium-driver, or put both programs, chromium and chromedriver, on the PATH"
        for apt, user, what in [
            (None, 0, f"chromium is not installed: {remedy}"),
            ("exit 0", 1000, f"chromium is not installed, and only root may install it: {remedy}"),
            ("echo no network; exit 100", 0, f"installing chromium failed: see the messages of apt-get above; {remedy}"),
        ]:
            self.write(self.commands / "id", f"#!/bin/sh\necho {user}\n".encode())
            if apt:
                self.write(self.commands / "apt-get", f"#!/bin/sh\n{apt}\n".encode())
            done = subprocess.run(self.command("chromium"), env=self.environment(), text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)  # fmt: skip
            self.assertEqual((done.returncode, what in done.stdout), (1, True), done.stdout)
        self.assertIn("no network", done.stdout)
        self.install("chromium", "1"), self.install("chromedriver", "1")
        self.assertIn("chromium: already installed", self.build("chromium"))

    def test_a_terminal_shows_one_line_that_is_updated(self):
        main, side = pty.openpty()
        done = subprocess.run(self.command("kubectl"), env=self.environment(), stdin=side, stdout=side, stderr=side)
        os.close(side)
        shown = os.read(main, 10_000).decode()
        os.close(main)
        self.assertEqual(done.returncode, 0, shown)
        self.assertNotIn("\n", shown.split("kubectl: done in ")[0], shown)
        self.assertIn("\r\x1b[K", shown)


if __name__ == "__main__":
    unittest.main()

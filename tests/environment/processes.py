"""Child processes that never outlive the launcher, ports that stay reserved, certificates."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
TOOLS = TESTS.parent / "target" / "tools"
PR_SET_PDEATHSIG = 1
START_SECONDS = 120  # generous: the machine may be compiling at the same time

libc = ctypes.CDLL(None)


class Failure(Exception):
    """Something to tell the user in one message."""


def tool(path):
    """The path of something that tests/tools/build.sh makes, such as `bin/etcd`."""
    found = TOOLS / path
    if not os.access(found, os.X_OK):
        raise Failure(f"{found} is missing: run {TESTS / 'tools' / 'build.sh'}")
    return str(found)


def die_with(launcher):
    """What a child process does so that it never outlives its launcher."""

    def set_up():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:  # it died before the line above
            os._exit(1)

    return set_up


class Component:
    """One child process with its log file."""

    def __init__(self, name, command, directory, **popen):
        self.name = name
        self.command = command
        self.log = directory / f"{name}.log"
        self.popen = popen
        self.process = None

    def start(self):
        try:
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for the launcher alone, which stops things in order
                    preexec_fn=die_with(os.getpid()),
                    **self.popen,
                )
        except OSError as error:  # an interpreter that is gone or belongs to another user, a full disk
            remedy = f"remove {TOOLS} and run {TESTS / 'tools' / 'build.sh'} as this user"
            raise Failure(f"cannot start {self.command[0]}: {error}; {remedy}") from None

    def stop(self):
        """Kills the whole process group. Its data is thrown away: nothing is worth a graceful end."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def wait_until(self, ready, what):
        """Polls `ready` until it is true; fails at once when the process ends."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with status {self.process.returncode}{self.last_lines()}")
            if time.monotonic() > deadline:
                raise Failure(f"{self.name}: {what} not within {START_SECONDS} s{self.last_lines()}")
            time.sleep(0.05)

    def last_lines(self):
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return f"; the end of {self.log}:\n  " + "\n  ".join(lines)


def reserve_port(address="127.0.0.1", port=0):
    """A port, free if it is not said which, and the socket that keeps it ours, also while the server behind it is stopped.

    The socket never listens, so it takes no connection; the server shares the port by SO_REUSEPORT.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind((address, port))
    return reserved, reserved.getsockname()[1]


def free_port():
    """A port that nothing listens on, for a program that cannot share one that is reserved.

    The kernel gives the ports from 32768 to connections, so it would take one of them before the program begins to listen.
    """
    while True:
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind(("127.0.0.1", random.randrange(20000, 32768)))
            except OSError:
                continue
            return found.getsockname()[1]


OPENSSL_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""


def make_certificates(directory, names):
    """ca.crt, and server.crt with server.key for `names` such as `DNS:localhost, IP:127.0.0.1`."""
    config = directory / "openssl.cnf"
    config.write_text(OPENSSL_CONFIG.format(names=names))
    make_certificate(directory, "ca", "/CN=cube-operator test CA", "-extensions", "ca")
    make_signed_certificate(directory, "server", "/CN=localhost", "server")
    return directory / "ca.crt"


def make_signed_certificate(directory, name, subject, extensions):
    """NAME.crt and NAME.key, beside the CA that signs it."""
    signed = ["-extensions", extensions, "-CA", directory / "ca.crt", "-CAkey", directory / "ca.key"]
    make_certificate(directory, name, subject, *signed)


def make_certificate(directory, name, subject, *options):
    new = ["req", "-x509", "-config", directory / "openssl.cnf", "-days", "30", "-nodes"]
    new += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", subject]
    openssl(*new, *options, "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.crt")


def openssl(*arguments):
    try:
        done = subprocess.run(["openssl", *arguments], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        raise Failure("openssl is not installed: apt-get install openssl") from None
    if done.returncode != 0:
        raise Failure(f"openssl {arguments[0]} failed (version 3.0 or newer is needed):\n{done.stderr}")

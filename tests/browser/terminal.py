"""A person's terminal: a pseudo-terminal with one command in it, and all that the command wrote."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
import time
from pathlib import Path

SECONDS = 60  # generous: the machine may be compiling at the same time
# CSI sequences, OSC sequences, and the short ones: colours, moves, titles.
ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_=>78])")
CTRL_C = "\x03"


class Terminal:
    def __init__(self, command, environment, directory, columns=110, rows=30):
        self.command, self.columns, self.rows = command, columns, rows
        self.raw = b""
        self.status = None
        self.pid, self.keyboard = pty.fork()
        if self.pid == 0:
            start(command, environment, directory, columns, rows)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                self.raw += os.read(self.keyboard, 65536)
            except OSError:  # the command has ended
                return

    def text(self):
        """What it wrote, without colours and moves of the cursor."""
        return ESCAPES.sub(b"", self.raw).decode(errors="replace").replace("\r", "")

    def shows(self, text):
        self.until(lambda: text in self.text() or self.ended(), f"{text!r} is shown")
        assert text in self.text(), f"it ended without showing {text!r}: {self}"

    def find(self, pattern):
        found = self.until(lambda: re.search(pattern, self.text()) or self.ended(), f"{pattern!r} is shown")
        assert found is not True, f"it ended without showing {pattern!r}: {self}"
        return found

    def until(self, condition, what):
        end = time.monotonic() + SECONDS
        while not (found := condition()):
            assert time.monotonic() < end, f"not within {SECONDS} s: {what}: {self}"
            time.sleep(0.02)
        return found

    def type(self, text):
        os.write(self.keyboard, text.encode() + b"\r")

    def press(self, key):
        os.write(self.keyboard, key.encode())

    def asks(self, question, answer):
        """Waits for a question that it has not been asked yet, and answers it."""
        self.shows(question)
        self.type(answer)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.reader.join(SECONDS)
        return self.status is not None

    def exit_code(self):
        self.until(self.ended, f"{self.command} ends")
        return self.status

    def echoes(self):
        """Whether it shows what is typed, as a shell expects it."""
        mode = termios.tcgetattr(self.keyboard)[3]
        return mode & termios.ECHO != 0 and mode & termios.ICANON != 0

    def own(self):
        """The environment and the arguments of the command, which root alone can read."""
        return b"\0".join(Path(f"/proc/{self.pid}/{part}").read_bytes() for part in ["environ", "cmdline"])

    def close(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            self.exit_code()
        os.close(self.keyboard)

    def __str__(self):
        return f"{' '.join(self.command)}\n{self.text()}\nexit code {self.status}"


def start(command, environment, directory, columns, rows):
    """In the new process, which must never return to the tests."""
    try:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.chdir(directory)
        os.execvpe(command[0], command, environment)
    except BaseException as error:
        os.write(2, f"{command[0]} cannot be started: {error}".encode())
    os._exit(127)

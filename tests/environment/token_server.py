"""The token server of tests/token_server under gunicorn, on a free port."""

import json
import os
import socket

from .processes import START_SECONDS, TESTS, Component, Failure, make_certificates, tool
from .sign_in import sign_in


class TokenServer:
    def __init__(self, directory, options):
        self.directory = directory
        host = "localhost" if options.address == "127.0.0.1" else options.address
        self.ca = make_certificates(directory, f"DNS:localhost, DNS:token-server.test, IP:{options.address}")
        # The server inherits a socket that listens already: no port to guess, none to lose.
        self.listener = socket.create_server((options.address, 0), backlog=128)
        self.url = f"https://{host}:{self.listener.getsockname()[1]}"
        self.control, self.servers_end = socket.socketpair()
        self.control.settimeout(START_SECONDS)
        self.stream = self.control.makefile("rw")
        command = [tool("venv/bin/gunicorn"), "--config", TESTS / "token_server" / "gunicorn_config.py"]
        self.gunicorn = Component(
            "gunicorn",
            [*command, "django.core.wsgi:get_wsgi_application()"],
            directory,
            cwd=TESTS,
            env=self.variables(options),
            pass_fds=[self.listener.fileno(), self.servers_end.fileno()],
        )

    def variables(self, options):
        variables = {
            "DJANGO_SETTINGS_MODULE": "token_server.settings",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TOKEN_SERVER_DIR": self.directory,
            "TOKEN_SERVER_LISTEN_FD": self.listener.fileno(),
            "TOKEN_SERVER_CONTROL_FD": self.servers_end.fileno(),
            "TOKEN_SERVER_LIFETIME": options.lifetime,
            "TOKEN_SERVER_ROTATE": options.rotate,
            "TOKEN_SERVER_GRACE": options.grace,
            "TOKEN_SERVER_REUSE_PROTECTION": options.reuse_protection,
            "TOKEN_SERVER_HASHED_TOKENS": options.hashed_tokens,
            "TOKEN_SERVER_HASH_ROUNDS": options.hash_rounds,
        }
        return os.environ | {name: str(value) for name, value in variables.items()}

    def start(self):
        log = self.directory / "requests.jsonl"
        log.touch()  # a test may follow it before the first request
        self.gunicorn.start()
        # Only the server holds them now: their end is seen at once when it ends.
        self.servers_end.close()
        self.listener.close()
        self.gunicorn_said()  # {"ready": true}
        return {
            "url": self.url,
            "token_url": f"{self.url}/o/token/",
            "resource_url": f"{self.url}/api/me",
            "ca_file": str(self.ca),
            "request_log": str(log),
            "dir": str(self.directory),
        }

    def stop(self):
        self.gunicorn.stop()

    def command(self, command):
        if command["cmd"] == "sign-in":
            return self.sign_in({name: value for name, value in command.items() if name != "cmd"})
        try:
            self.stream.write(json.dumps(command) + "\n")
            self.stream.flush()
        except BrokenPipeError:
            pass  # the server ended: reading says so
        return self.gunicorn_said()

    def sign_in(self, arguments):
        try:
            return {"ok": True, **sign_in(self.url, self.ca, **arguments)}
        except TypeError as error:  # an argument is missing or unknown
            raise Failure(f"TypeError: {error}") from None

    def gunicorn_said(self):
        try:
            line = self.stream.readline()
        except TimeoutError:
            raise Failure(f"gunicorn is silent for {START_SECONDS} s{self.gunicorn.last_lines()}") from None
        if not line:
            raise Failure(f"gunicorn ended{self.gunicorn.last_lines()}")
        return json.loads(line)

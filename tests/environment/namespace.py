"""A test in a namespace of its own, which has the name of the test."""

import base64
import time
import unittest

SECONDS = 60


class Namespace(unittest.TestCase):
    world = None  # set before the first test

    def setUp(self):
        self.namespace = self.id().rsplit(".", 1)[1].removeprefix("test_").replace("_", "-")[:40].strip("-")
        self.world.kubectl("create", "namespace", self.namespace)

    def get(self, *arguments):
        return self.world.get(*arguments, "-n", self.namespace)

    def value(self, secret, key):
        return base64.b64decode(self.get("secret", secret)["data"][key]).decode()

    def eventually(self, what, look):
        end = time.monotonic() + SECONDS
        while not (found := look()):
            self.assertLess(time.monotonic(), end, f"not within {SECONDS} s: {what}: {self.describe()}")
            time.sleep(0.1)
        return found

    def describe(self):
        return self.world.kubectl("describe", "cubecredentials", "-n", self.namespace)

    def condition(self, name, type_):
        status = (self.get("cubecredential", name) or {}).get("status", {})
        return next((found for found in status.get("conditions", []) if found["type"] == type_), {})

    def is_ready(self, name):
        self.eventually(f"{name} is ready", lambda: self.condition(name, "Ready").get("status") == "True")

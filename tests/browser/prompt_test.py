"""Questions, Ctrl-C, narrow terminals, and none at all."""

import os
import signal

from .at_django import SECRET, AtDjango
from .place import LOOPBACK_IS_ALLOWED, has_no_terminal
from .terminal import CTRL_C


class Prompt(AtDjango):
    def interrupted(self, terminal):
        terminal.press(CTRL_C)
        self.ends(terminal, 130)

    def test_a_secret_is_not_echoed(self):
        terminal = self.create()
        self.opened(terminal)
        self.interrupted(terminal)
        self.assertNotIn(SECRET, terminal.text())
        lines = self.picture_of_terminal(self.browser(), terminal)
        self.assertEqual(lines[1], "> Client secret (not shown): ********", "its length is not shown either")

    def test_ctrl_c_at_a_question_writes_nothing(self):
        for question in ["Client ID:", "Client secret (not shown):", "Create them?"]:
            self.interrupted(self.create(until=question))
            self.is_empty()

    def test_a_question_that_is_cut_short_leaves_the_terminal_as_it_was(self):
        terminal = self.create(until="Client ID:")
        os.kill(terminal.pid, signal.SIGTERM)
        self.ends(terminal, 143)
        self.assertTrue(terminal.echoes(), terminal)
        self.prepare()
        terminal = self.login("--no-browser", "--login-timeout", "2s")
        terminal.shows("Address (it is not shown):")
        self.assertFalse(terminal.echoes(), terminal)
        self.ends(terminal, 1)
        self.assertTrue(terminal.echoes(), terminal)

    def test_ctrl_c_while_the_browser_is_open_leaves_whole_objects(self):
        terminal = self.create()
        self.opened(terminal)
        self.interrupted(terminal)
        self.assertIsNone(self.get("secret", "planning-login"))
        self.assertEqual(sorted(self.get("secret", "planning-client")["data"]), ["client-id", "client-secret"])
        # What is there is enough to go on with.
        browser, again = self.browser(), self.login()
        self.authorize(again, browser)
        self.assertEqual(self.calls_the_api(), self.namespace)

    def test_a_narrow_terminal_shows_one_line_of_progress(self):
        self.prepare()
        terminal = self.login(columns=40)
        self.opened(terminal)
        terminal.until(lambda: "297 s left" in terminal.text(), "the time is counted down")
        browser = self.browser()
        lines = self.picture_of_terminal(browser, terminal)
        self.assertEqual([line for line in lines if "Waiting" in line], lines[-1:], lines)
        self.assertIn(" s left", lines[-1])
        self.interrupted(terminal)
        lines = self.picture_of_terminal(browser, terminal, "interrupted")
        self.assertEqual([line for line in lines if "Waiting" in line], lines[-2:-1], lines)
        self.assertEqual(lines[-1], "kubectl cube: interrupted")

    def test_without_a_terminal_nothing_is_asked_and_nothing_moves(self):
        for arguments, flag in [
            (["create", "planning", "--provider", "Cubewire"], "--client-id"),
            (["create", "planning", "--provider", "Cubewire", "--client-id", "a"], "--client-secret-file"),
        ]:
            done = has_no_terminal(["kubectl", "cube", *arguments], self.environment, self.home)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            self.assertIn(flag, done.stderr)
            self.assertNotIn("\x1b", done.stderr)
        self.is_empty()
        self.prepare()
        login = ["kubectl", "cube", "login", "planning", *LOOPBACK_IS_ALLOWED, "--login-timeout", "2s"]
        done = has_no_terminal(login, self.environment, self.home)
        self.assertEqual(done.returncode, 1, done)
        # Only the address, for the reader of stdout.
        self.assertRegex(done.stdout, r"\Ahttps://localhost:\d+/o/authorize/\S+\n\Z")
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("\r", done.stderr)
        self.assertEqual(done.stderr.count("Waiting"), 1, done.stderr)

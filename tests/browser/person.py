"""A person with a real browser: Chromium, without a window, driven through chromedriver."""

import base64
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from environment.processes import Failure

SECONDS = 60  # generous: the machine may be compiling at the same time


class Browser:
    """Trusts the servers whose certificates are in these directories, and no other one. It knows no address but this machine's."""

    def __init__(self, profile, *directories, waits=True):
        options = webdriver.ChromeOptions()
        options.binary_location = program("chromium")
        # Without waiting, a button may lead to a page that does not come yet.
        options.page_load_strategy = "eager" if waits else "none"
        for argument in [
            "--headless=new",
            "--window-size=900,640",
            f"--user-data-dir={profile}",
            "--ignore-certificate-errors-spki-list=" + ",".join(map(public_key, directories)),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            "--no-proxy-server",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            # The sandbox needs another user than root.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]:
            options.add_argument(argument)
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(program("chromedriver")))
        self.driver.set_page_load_timeout(SECONDS)

    def close(self):
        self.driver.quit()

    def open(self, url):
        self.driver.get(url)

    def fill(self, **fields):
        for name, value in fields.items():
            field = self.find(f'[name="{name}"]')
            field.clear()
            field.send_keys(value)

    def press(self, text):
        """Presses the button with this text."""
        self.find_any(f'//button[normalize-space()="{text}"] | //input[@type="submit" and @value="{text}"]', By.XPATH).click()

    def press_and_leave(self, text):
        """Presses a button that leads to an address where nothing answers."""
        try:
            self.press(text)
        except WebDriverException as error:
            assert "ERR_CONNECTION_REFUSED" in error.msg, error.msg

    def find(self, selector):
        return self.find_any(selector, By.CSS_SELECTOR)

    def find_any(self, what, how):
        def found(driver):
            return next(iter(driver.find_elements(how, what)), None)

        return self.until(found, what)

    def until(self, condition, what):
        def says():
            return f"in the browser: {what}\nat {self.address()} it shows:\n{self.text()}"

        # The page may change while it is looked at, which chromedriver reports in several ways.
        wait = WebDriverWait(self.driver, SECONDS, 0.1, [WebDriverException])
        try:
            return wait.until(condition)
        except TimeoutException as error:
            raise AssertionError(says()) from error

    def shows(self, text):
        self.until(lambda _: text in self.text(), f"the page shows {text!r}")

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def address(self):
        """Where it is, without what may be secret."""
        return self.driver.current_url.partition("?")[0]

    def picture(self, path, size=None):
        path.parent.mkdir(parents=True, exist_ok=True)
        if size:
            self.driver.set_window_size(*size)
        self.driver.save_screenshot(str(path))


def program(name):
    return shutil.which(name) or fail(f"{name} is not installed: run tests/tools/build.sh chromium")


def fail(message):
    raise Failure(message)


def public_key(directory):
    """The SHA-256 of the public key of the server in this directory, as Chromium wants it."""
    certificate = Path(directory) / "server.crt"
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True, capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()

"""The search finds a secret in each form in which it could have been written."""

import base64
import unittest
from urllib.parse import quote_plus

from .planted import search

SECRET = "a/secret+of=17~chars"


class Search(unittest.TestCase):
    def test_each_form_of_a_secret_is_found(self):
        basic = base64.b64encode(f"planning:{SECRET}".encode())
        for text in [
            SECRET.encode(),
            quote_plus(SECRET).encode(),
            basic,
            base64.b64encode(f"an-id:{SECRET}".encode()),
            base64.b64encode(f"any-id:{SECRET}".encode()),
            base64.b64encode(SECRET.encode()),
            base64.urlsafe_b64encode(f'"{SECRET}"'.encode()),
        ]:
            self.assertEqual(search({"it": SECRET}, {"here": b"<" + text + b">", "there": b"nothing"}), ["it in here"], text)

    def test_a_text_without_the_secret_is_clean(self):
        self.assertEqual(search({"it": SECRET}, {"here": SECRET[1:].encode() + b" " + base64.b64encode(SECRET[3:].encode())}), [])

"""oidc-provider: each algorithm of a client's key, a certificate, and an issuer instead of URLs."""

from .place import Place


class OidcProvider(Place):
    def main(self, **spec):
        self.credential(self.world.oidc["token_url"], **spec)

    def test_a_client_secret_in_the_body(self):
        self.secret("client", **{"client-id": "body", "client-secret": "planted-secret"})
        self.main()
        self.next_token()

    def test_a_client_secret_in_a_header(self):
        self.secret("client", **{"client-id": "basic", "client-secret": "planted-secret"})
        self.main(clientAuthentication="Basic")
        self.next_token()

    def test_the_second_of_two_client_secrets(self):
        self.secret("client", **{"client-id": "body", "client-secret": "planted-replaced", "next": "planted-secret"})
        self.main(clientSecretRef={"name": "client", "clientSecretKey": "client-secret,next"})
        self.next_token()
        self.assertEqual(self.get("cubecredential", "main")["status"]["clientSecretKey"], "next")

    def signs(self, client_id, key, **assertion):
        """`client_id` authenticates with this key."""
        self.secret("client", **{"private-key": self.world.keys[key].read_text()})
        more = {"clientAssertion": assertion} if assertion else {}
        self.main(clientID=client_id, clientAuthentication="PrivateKeyJWT", **more)
        self.next_token()

    def test_a_key_that_signs_rs256(self):
        self.signs("RS256", "rsa")

    def test_a_key_that_signs_ps256(self):
        self.signs("PS256", "rsa", algorithm="PS256")

    def test_a_key_that_signs_es256(self):
        self.signs("ES256", "p256")

    def test_a_key_that_signs_es384(self):
        self.signs("ES384", "p384")

    def test_a_key_that_signs_eddsa(self):
        self.signs("EdDSA", "ed25519")

    def test_the_issuer_as_audience(self):
        self.signs("ES256", "p256", audience=self.world.oidc["url"])

    def test_another_audience_is_refused(self):
        self.secret("client", **{"private-key": self.world.keys["p256"].read_text()})
        self.main(clientID="ES256", clientAuthentication="PrivateKeyJWT", clientAssertion={"audience": "https://elsewhere.example"})
        self.assertIn("spec.clientAssertion", self.fails("InvalidClient"))

    def test_a_key_that_the_server_does_not_know_is_refused(self):
        self.secret("client", **{"private-key": self.world.keys["p384"].read_text()})
        self.main(clientID="ES256", clientAuthentication="PrivateKeyJWT")
        self.fails("InvalidClient")

    def test_a_certificate(self):
        self.certificate("client", self.world.oidc["dir"], "client")
        self.main(clientID="certificate", clientAuthentication="MutualTLS")
        self.next_token()

    def test_an_issuer_in_place_of_a_token_url(self):
        self.world.apply({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider",
            "metadata": {"name": "login", "namespace": self.namespace}, "spec": {"issuer": self.world.oidc["url"]},
        })  # fmt: skip
        self.secret("client", **{"client-id": "body", "client-secret": "planted-secret"})
        self.main(provider=None, tokenURL=None, providerRef={"name": "login"})
        self.next_token()
        status = self.get("cubeprovider", "login")["status"]
        self.assertEqual(status["endpoints"]["tokenURL"], self.world.oidc["token_url"])
        self.assertEqual(status["conditions"][0]["reason"], "Discovered")

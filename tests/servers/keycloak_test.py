"""Keycloak: a server that many teams run themselves."""

import json

from .place import HOSTS, LABEL, Place
from .world import public_key

SECRET = "planted-secret-of-keycloak"
KEY_ID = "a-key"
PASSWORD = "planted-password"


class Keycloak(Place):
    def client(self, **settings):
        """A client of this test, which has the name of its namespace."""
        client = {"clientId": self.namespace, "serviceAccountsEnabled": True, "standardFlowEnabled": False, "secret": SECRET}
        self.admin("POST", "/clients", client | settings)

    def admin(self, method, path, body):
        return self.world.keycloak.command(cmd="admin", method=method, path=path, body=body)["body"]

    def sign_in_as_a_user(self):
        """Leaves the user's refresh token in the Secret `login`."""
        user = {"username": self.namespace, "enabled": True, "email": "user@example.com", "firstName": "A", "lastName": "User"}
        password = {"type": "password", "value": PASSWORD, "temporary": False}
        self.admin("POST", "/users", user | {"emailVerified": True, "credentials": [password]})
        client = {"client_id": self.namespace, "client_secret": SECRET}
        issued = self.world.keycloak.command(cmd="sign-in", client=client, username=self.namespace, password=PASSWORD)
        self.secret("login", **{"refresh-token": issued["refresh_token"]})

    def main(self, **spec):
        self.credential(self.world.keycloak["token_url"], **spec)

    def test_a_client_secret_in_the_body_and_in_a_header(self):
        self.client()
        self.secret("client", **{"client-id": self.namespace, "client-secret": SECRET})
        self.main()
        first = self.next_token()
        self.main(clientAuthentication="Basic")
        self.assertNotEqual(self.next_token(), first)

    def test_a_wrong_client_secret_is_told(self):
        self.client()
        self.secret("client", **{"client-id": self.namespace, "client-secret": "planted-wrong-secret"})
        self.main()
        self.assertIn("client", self.fails("UnauthorizedClient"))

    def test_a_refresh_token_is_replaced_at_each_refresh(self):
        self.client(directAccessGrantsEnabled=True, fullScopeAllowed=True)
        self.sign_in_as_a_user()
        self.secret("client", **{"client-id": self.namespace, "client-secret": SECRET})
        self.main(grant="RefreshToken", refreshTokenRef={"name": "login"})
        self.token()
        before = self.value("main-cube-state", "refresh-token")
        self.next_token()
        self.assertNotEqual(self.value("main-cube-state", "refresh-token"), before)
        self.next_token()

    def test_a_second_client_secret(self):
        self.client()
        self.secret("client", **{"client-id": self.namespace, "client-secret": "planted-replaced", "next": SECRET})
        self.main(clientSecretRef={"name": "client", "clientSecretKey": "client-secret,next"})
        self.next_token()
        self.assertEqual(self.get("cubecredential", "main")["status"]["clientSecretKey"], "next")

    def test_a_token_is_exchanged_for_another_one(self):
        self.client(attributes={"standard.token.exchange.enabled": "true"})
        self.secret("client", **{"client-id": self.namespace, "client-secret": SECRET})
        self.main()
        subject = self.token()
        self.secret("subject", token=subject)
        self.main(grant="TokenExchange", tokenExchange={"subjectTokenRef": {"name": "subject"}})
        exchanged = self.next_token()
        self.assertNotEqual(exchanged, subject)
        # It is no audience of this client.
        exchange = {"subjectTokenRef": {"name": "subject"}, "audience": ["planted-unknown-client"]}
        self.main(grant="TokenExchange", tokenExchange=exchange)
        self.eventually("it is refused", lambda: self.condition("main", "Refreshed").get("status") == "False")
        self.assertIn("spec.tokenExchange", self.condition("main", "Refreshed")["message"])

    def test_a_subject_token_that_is_not_valid_is_told(self):
        self.client(attributes={"standard.token.exchange.enabled": "true"})
        self.secret("client", **{"client-id": self.namespace, "client-secret": SECRET})
        self.secret("subject", token="planted-invalid-token")
        self.main(grant="TokenExchange", tokenExchange={"subjectTokenRef": {"name": "subject"}})
        self.assertIn("write a subject token that is valid now", self.fails("InvalidRequest"))

    def client_with_key(self, key, **settings):
        # It finds a key by its id and its use.
        keys = json.dumps({"keys": [public_key(self.world.keys[key]) | {"kid": KEY_ID, "use": "sig"}]})
        attributes = {"use.jwks.string": "true", "jwks.string": keys}
        self.client(clientAuthenticatorType="client-jwt", attributes=attributes, **settings)
        self.secret("client", **{"private-key": self.world.keys[key].read_text()})

    def test_a_key_of_the_client(self):
        self.client_with_key("p256")
        self.main(clientID=self.namespace, clientAuthentication="PrivateKeyJWT", clientAssertion={"keyID": KEY_ID})
        first = self.next_token()
        assertion = {"audience": self.world.keycloak["issuer"], "keyID": KEY_ID}
        self.main(clientID=self.namespace, clientAuthentication="PrivateKeyJWT", clientAssertion=assertion)
        self.assertNotEqual(self.next_token(), first)

    def test_a_key_for_another_audience_is_refused(self):
        self.client_with_key("p256")
        assertion = {"audience": "https://elsewhere.example.com/", "keyID": KEY_ID}
        self.main(clientID=self.namespace, clientAuthentication="PrivateKeyJWT", clientAssertion=assertion)
        self.assertIn("spec.clientAssertion", self.fails("InvalidClient"))

    def test_a_certificate_of_the_client(self):
        attributes = {"x509.subjectdn": "CN=a client", "x509.allow.regex.pattern.comparison": "false"}
        self.client(clientAuthenticatorType="client-x509", attributes=attributes)
        self.certificate("client", self.world.keycloak["dir"], "client")
        self.main(clientID=self.namespace, clientAuthentication="MutualTLS")
        self.next_token()

    def test_the_certificate_of_another_client_is_refused(self):
        attributes = {"x509.subjectdn": "CN=a client", "x509.allow.regex.pattern.comparison": "false"}
        self.client(clientAuthenticatorType="client-x509", attributes=attributes)
        self.certificate("client", self.world.keycloak["dir"], "other-client")
        self.main(clientID=self.namespace, clientAuthentication="MutualTLS")
        self.fails("InvalidClient")

    def test_a_service_account_in_place_of_a_secret(self):
        account = f"system:serviceaccount:{self.namespace}:planning"
        attributes = {"jwt.credential.issuer": "kubernetes", "jwt.credential.sub": account}
        self.client(clientAuthenticatorType="federated-jwt", attributes=attributes)
        cluster = {"alias": "kubernetes", "providerId": "kubernetes", "config": {"issuer": self.world.plane["server"]}}
        self.admin("POST", "/identity-provider/instances", cluster)
        metadata = {"name": "planning", "namespace": self.namespace, "labels": LABEL, "annotations": HOSTS}
        self.world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        assertion = {"audience": self.world.keycloak["issuer"], "serviceAccountName": "planning"}
        self.main(clientSecretRef=None, clientAuthentication="ServiceAccountToken", clientAssertion=assertion)
        self.next_token()

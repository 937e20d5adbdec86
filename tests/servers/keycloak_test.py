"""Keycloak: a server that many teams run themselves."""

from .place import Place

SECRET = "planted-secret-of-keycloak"
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

"""A namespace with a client of a server, and the CubeCredential that uses it."""

from pathlib import Path

from environment.namespace import Namespace

LABEL = {"cube-operator.dev/credential": "true"}
HOSTS = {"cube-operator.dev/token-hosts": "localhost"}


class Place(Namespace):
    def secret(self, name, type="Opaque", **values):
        """A Secret that its owner allows the operator to use at these servers."""
        metadata = {"name": name, "namespace": self.namespace, "labels": LABEL, "annotations": HOSTS}
        self.world.apply({"apiVersion": "v1", "kind": "Secret", "type": type, "metadata": metadata, "stringData": values})

    def certificate(self, name, directory, of):
        """A Secret as cert-manager writes it."""
        files = {key: Path(directory, f"{of}.{suffix}").read_text() for key, suffix in {"tls.crt": "crt", "tls.key": "key"}.items()}
        self.secret(name, type="kubernetes.io/tls", **files)

    def credential(self, url, **spec):
        """`main`, which uses the Secret `client` unless it says otherwise."""
        metadata = {"name": "main", "namespace": self.namespace}
        spec = {"provider": "Custom", "tokenURL": url, "clientSecretRef": {"name": "client"}} | spec
        spec = {field: value for field, value in spec.items() if value is not None}
        self.world.apply({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "metadata": metadata, "spec": spec,
        })  # fmt: skip

    def fails(self, reason):
        """The message of the failure."""
        self.eventually(f"it fails with {reason}", lambda: self.condition("main", "Refreshed").get("reason") == reason)
        return self.condition("main", "Refreshed")["message"]

    def token(self):
        self.is_ready("main")
        return self.value("main-token", "access-token")

    def next_token(self):
        """Requests a refresh, and returns its token."""
        before = self.token()
        self.world.kubectl("annotate", "cubecredential", "main", "-n", self.namespace, "--overwrite",
                           f"cube-operator.dev/refresh-requested-at={before[-20:]}")  # fmt: skip
        return self.eventually("the next token", lambda: (found := self.token()) != before and found)

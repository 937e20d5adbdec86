"""What the tests run in: a control plane whose ServiceAccount tokens others can verify, the operator as the chart installs it, Keycloak
and oidc-provider."""

import json
import subprocess

from environment.world import ROOT
from environment.world import World as Installation

DIRECTORY = ROOT / "target" / "servers"
KEYS = {
    "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ed25519": ["ED25519"],
}

# The key for each algorithm. A client with the name of the algorithm has it.
SIGNS = {"RS256": "rsa", "PS256": "rsa", "ES256": "p256", "ES384": "p384", "EdDSA": "ed25519"}


class World(Installation):
    directory = DIRECTORY
    settings = "serviceAccountTokens=true"

    def start(self):
        plane = self.launch("control-plane", "--issuer", "own")
        self.keys = {name: new_key(name, options) for name, options in KEYS.items()}
        self.oidc = self.launch("oidc-provider", "--clients", json.dumps(self.clients()))
        self.keycloak = self.launch("keycloak", "--trust", plane["ca_file"])
        self.install(plane, self.oidc, self.keycloak)
        # As a cluster does that lets others verify its tokens.
        self.kubectl("create", "clusterrolebinding", "issuer", "--clusterrole=system:service-account-issuer-discovery",
                     "--group=system:unauthenticated")  # fmt: skip

    def clients(self):
        """The clients of oidc-provider: one for each way to authenticate."""
        grants = {"grant_types": ["client_credentials"], "redirect_uris": [], "response_types": []}
        method = "token_endpoint_auth_method"
        return [
            {"client_id": "body", "client_secret": "planted-secret", method: "client_secret_post"} | grants,
            {"client_id": "basic", "client_secret": "planted-secret", method: "client_secret_basic"} | grants,
            {"client_id": "certificate", method: "tls_client_auth", "tls_client_auth_subject_dn": "CN=a client"} | grants,
            *(
                {"client_id": algorithm, method: "private_key_jwt", "token_endpoint_auth_signing_alg": algorithm,
                 "jwks": {"keys": [public_key(self.keys[key])]}} | grants
                for algorithm, key in SIGNS.items()
            ),
        ]  # fmt: skip


def new_key(name, options):
    """The file of a private key, as PKCS #8 in PEM."""
    path = DIRECTORY / f"{name}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", *options, "-out", path], check=True, stderr=subprocess.DEVNULL)
    return path


def public_key(path):
    """The public key of a private one, as a JWK."""
    export = "console.log(JSON.stringify(crypto.createPublicKey(fs.readFileSync(0)).export({format: 'jwk'})))"
    with path.open() as key:
        return json.loads(subprocess.run(["node", "-e", export], stdin=key, check=True, capture_output=True, text=True).stdout)

"""The objects that a team writes."""

from pathlib import Path


def source(name, **values):
    return {
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": name,
            "labels": {"cube-operator.dev/credential": "true"},
            "annotations": {
                "cube-operator.dev/token-hosts": "localhost",
                "cube-operator.dev/token-ca": "ConfigMap/authority, ConfigMap/short-authority",
            },
        },
        "stringData": {key.replace("_", "-"): value for key, value in values.items()},
    }  # fmt: skip


def credential(name, server, client, authority, **spec):
    return {
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name},
        "spec": {
            # A stand-in for the provider's endpoint; without tokenURL it would be the real one.
            "provider": "Cubewire", "tokenURL": server["token_url"],
            "clientSecretRef": {"name": client}, "caBundleRef": {"name": authority}, **spec,
        },
    }  # fmt: skip


def authority(name, server):
    pem = Path(server["ca_file"]).read_text()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"ca.crt": pem}}

"""The objects of a team before a person signs in."""


def client_secret(name, namespace, client_id, secret=None):
    values = {"client-id": client_id} | ({"client-secret": secret} if secret else {})
    return {
        "apiVersion": "v1", "kind": "Secret", "stringData": values,
        "metadata": {
            "name": name, "namespace": namespace, "labels": {"cube-operator.dev/credential": "true"},
            "annotations": {"cube-operator.dev/token-hosts": "localhost"},
        },
    }  # fmt: skip


def credential(name, namespace, client, **spec):
    login = {"grant": "RefreshToken", "refreshTokenRef": {"name": f"{name}-login"}}
    return {
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clientSecretRef": {"name": client}} | login | spec,
    }  # fmt: skip

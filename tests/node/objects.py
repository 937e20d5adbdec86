"""The objects of a team, and the pods that consume its token."""

from .images import CONSUMER
from .kubelet import ADDRESS

CA = "token-server"


def within(namespace, manifest):
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def secret(name, values):
    annotations = {"cube-operator.dev/token-hosts": ADDRESS, "cube-operator.dev/token-ca": f"ConfigMap/{CA}"}
    metadata = {"name": name, "labels": {"cube-operator.dev/credential": "true"}, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def credential(name, token_url, **spec):
    login = {"grant": "RefreshToken", "clientSecretRef": {"name": f"{name}-client"}, "refreshTokenRef": {"name": f"{name}-login"}}
    return {
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "metadata": {"name": name},
        "spec": {"provider": "CubeSoftware", "tokenURL": token_url, "caBundleRef": {"name": CA}} | login | spec,
    }  # fmt: skip


def pod(name, credential, **containers):
    """A pod that mounts the target. `containers` has their names and the arguments of the program in them."""
    volumes = [{"name": "token", "secret": {"secretName": f"{credential}-token"}}, {"name": "ca", "configMap": {"name": CA}}]
    mounts = [{"name": volume["name"], "mountPath": f"/{volume['name']}", "readOnly": True} for volume in volumes]
    containers = [container(name, arguments, volumeMounts=mounts) for name, arguments in containers.items()]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod_spec(containers, volumes=volumes)}


def deployment_with_variable(name, credential):
    """A program that reads its token from an environment variable, when it starts."""
    token = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": f"{credential}-token", "key": "access-token"}}}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod_spec([container("program", ["environment", "TOKEN"], env=[token])])}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }  # fmt: skip


def pod_spec(containers, **fields):
    return {"containers": containers, "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False, **fields}


def container(name, arguments, **fields):
    return {"name": name, "image": CONSUMER, "imagePullPolicy": "Never", "args": arguments, **fields}


def watch():
    return ["watch", "/token/access-token"]


def call(url, patience):
    return ["call", "/token/access-token", url, "/ca/ca.crt", patience]

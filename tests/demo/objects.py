"""The manifests that a team writes."""


def secret(name, ca, **values):
    lines = "".join(f"  {key.replace('_', '-')}: {value}\n" for key, value in values.items())
    return f"""apiVersion: v1
kind: Secret
metadata:
  name: {name}
  labels: {{cube-operator.dev/credential: "true"}}
  annotations:
    cube-operator.dev/token-hosts: localhost
    cube-operator.dev/token-ca: ConfigMap/{ca}
stringData:
{lines}"""


def credential(name, server, client, ca, provider="Cubewire", **more):
    """`tokenURL` is that of the stand-in; without it, it would be the provider's own."""
    lines = "".join(f"  {key}: {value}\n" for key, value in more.items())
    return f"""apiVersion: cube-operator.dev/v1alpha1
kind: CubeCredential
metadata:
  name: {name}
spec:
  provider: {provider}
  tokenURL: {server["token_url"]}
  clientSecretRef: {{name: {client}}}
  caBundleRef: {{name: {ca}}}
{lines}"""

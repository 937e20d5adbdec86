"""What to do with a demo that keeps running: KEEP=1."""

import shlex

from .commands import CURRENT, OPERATOR, TEAM, TOOLS
from .login import PASSWORD, REDIRECT, USER

BEGIN = "Paste this into another terminal:"
END = "It keeps running until Ctrl-C."


def facts(cluster, operator, hourly, short):
    collector = "" if CURRENT else """
This control plane has no kube-controller-manager, so the Secrets of a CubeCredential that you delete stay."""
    settings = "".join(f"  {name}={value}\n" for name, value in operator.settings.items())
    return f"""The operator is a process beside the cluster (process {operator.process.pid}), and not a pod in it.{collector}
  its log            {operator.log}
  its command        {OPERATOR} run --listen {operator.address()}
Its environment is that of the chart's Deployment, with a kubeconfig for the chart's ServiceAccount:
{settings}
The API server is {cluster}. The token servers:
  {hourly["token_url"]}   tokens live for an hour
    client treasury, secret second-secret; CA certificate {hourly["ca_file"]}
  {short["token_url"]}   tokens live for 30 seconds
    client short, secret short-secret; CA certificate {short["ca_file"]}
    client planning, secret planning-secret, for sign-ins at {short["url"]}/o/authorize/
    user {USER}, password {PASSWORD}, redirect URI {REDIRECT} (any port)
"""


def commands(kubeconfig, operator, hourly):
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in operator.settings.items())
    token = f"$(kubectl get secret cubewire-token -n {TEAM} -o jsonpath='{{.data.access-token}}' | base64 --decode)"
    return f"""export KUBECONFIG={shlex.quote(kubeconfig)}
export PATH={shlex.quote(str(TOOLS))}:{shlex.quote(str(OPERATOR.parent))}:"$PATH"
kubectl get cubecredentials -n {TEAM}
kubectl annotate cubecredential cubewire -n {TEAM} --overwrite cube-operator.dev/refresh-requested-at="$(date)"
kubectl describe cubecredential cubewire -n {TEAM}
curl --fail --cacert {shlex.quote(hourly["ca_file"])} --header "Authorization: Bearer {token}" {hourly["resource_url"]}
env {settings} {shlex.quote(str(OPERATOR))} check --connect --namespace {TEAM} cubewire
curl --fail http://{operator.address()}/metrics
"""


def show(kubeconfig, cluster, operator, hourly, short):
    print(f"\n{facts(cluster, operator, hourly, short)}\n{BEGIN}\n")
    print(f"{commands(kubeconfig, operator, hourly)}\n{END}", flush=True)

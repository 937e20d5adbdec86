"""CLUSTER=current: the demo in the cluster of the kubeconfig, after asking, and nothing of it left there afterwards."""

import json
import os
import sys

from .commands import DIRECTORY, SYSTEM, TEAM, kubectl, run

KUBECONFIG = DIRECTORY / "kubeconfig"
CRD = "cubecredentials.cube-operator.dev"
CRDS = [CRD, "cubeproviders.cube-operator.dev", "clustercubeproviders.cube-operator.dev"]
LEFT = f"""If an earlier demo left it there:
  helm uninstall cube-operator -n {SYSTEM} --ignore-not-found
  kubectl delete namespace {TEAM}
  kubectl delete crd --ignore-not-found {" ".join(CRDS)}
      # and with them every CubeCredential: see `kubectl get cubecredentials -A` first"""


def use():
    """Uses the current context, and only that: another one that is chosen meanwhile changes nothing here."""
    view = ["config", "view", "--minify", "--flatten", "--raw", "-o", "json"]
    config = json.loads(kubectl(*view, shown=False))
    KUBECONFIG.touch(mode=0o600)
    KUBECONFIG.write_text(json.dumps(config))
    os.environ["KUBECONFIG"] = str(KUBECONFIG)
    ask(config["current-context"], config["clusters"][0]["cluster"]["server"])
    if kubectl("get", "namespace", TEAM, "--ignore-not-found", "-o", "name", shown=False):
        sys.exit(f"namespace {TEAM} is in this cluster already. {LEFT}")
    if kubectl("get", "crd", CRD, "--ignore-not-found", "-o", "name", shown=False):
        remedy = LEFT if definition_is_ours() else ""
        sys.exit(f"crd {CRD} is in this cluster already: the demo needs a cluster without cube-operator. {remedy}".rstrip())


def forget():
    """Removes the copy of the kubeconfig, which has the credentials of an administrator."""
    KUBECONFIG.unlink(missing_ok=True)


def definition_is_ours():
    """Did a demo install the CustomResourceDefinition?"""
    field = "jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-namespace}"
    return kubectl("get", "crd", CRD, "--ignore-not-found", "-o", field, shown=False) == SYSTEM


def ask(context, server):
    print(f"""The demo would use this cluster:
  context  {context}
  server   {server}
It would make namespace {TEAM}, and install the chart there with its CustomResourceDefinition, ClusterRoles and admission
policies. It removes all of that at its end. The operator and the token servers run on this machine.""", flush=True)  # fmt: skip
    if os.environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        sys.exit("There is no terminal to ask whether that is right: set YES=1.")
    if input("Go on? [y/N] ").strip().lower() not in ["y", "yes"]:
        sys.exit("Nothing was done.")


class Installation:
    """What the demo makes in the cluster."""

    def stop(self):
        print(f"Removing namespace {TEAM}, and the chart's cluster-wide objects ...", flush=True)
        run("helm", "uninstall", "cube-operator", "-n", SYSTEM, "--wait", "--ignore-not-found", shown=False)
        kubectl("delete", "namespace", TEAM, "--ignore-not-found", "--timeout=120s", shown=False)
        if not definition_is_ours():
            return
        if kubectl("get", "cubecredentials,cubeproviders", "--all-namespaces", "-o", "name", shown=False):
            print("The CustomResourceDefinitions stay: other namespaces have CubeCredentials or CubeProviders by now.")
            return
        kubectl("delete", "crd", "--ignore-not-found", *CRDS, shown=False)

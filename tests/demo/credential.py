#!/usr/bin/env python3
"""Prints a token of the chart's ServiceAccount for client-go and its likes, as `exec` of a kubeconfig wants it.

A pod's token is replaced by the kubelet; here the operator asks for another one each half minute, so that it works again after
the chart was uninstalled and installed.
"""

import datetime
import json
import subprocess
import sys

kubectl, kubeconfig, namespace = sys.argv[1:]
command = [kubectl, "--kubeconfig", kubeconfig, "create", "token", "cube-operator", "-n", namespace, "--duration", "10m"]
token = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
# A client asks again a minute before the end.
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=90)
credential = {
    "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
    "status": {"token": token, "expirationTimestamp": end.strftime("%Y-%m-%dT%H:%M:%SZ")},
}  # fmt: skip
print(json.dumps(credential))

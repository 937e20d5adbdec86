"""etcd, kube-apiserver and, if wanted, kube-controller-manager on free ports of 127.0.0.1.

For a node, the API server is on the address of the `kubernetes` Service instead, so that pods need no kube-proxy to reach it.
"""

import http.client
import secrets
import ssl

from .processes import Component, Failure, make_certificates, make_signed_certificate, openssl, reserve_port, tool

# The first address of the range of Services, and what all of them have as port.
SERVICE = ("10.96.0.1", 443)
NODE = "node"

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
# Whether somebody was given a Secret or only its metadata shows in the answer alone.
- level: RequestResponse
  userGroups: ["system:serviceaccounts"]
  verbs: ["get"]
  resources: [{group: "", resources: ["secrets"]}]
- level: Metadata
"""

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: {server}
    certificate-authority: {ca}
users:
- name: user
  user:
    token: {token}
contexts:
- name: test
  context:
    cluster: test
    user: user
current-context: test
"""


class ControlPlane:
    def __init__(self, directory, audit_log, controllers, feature_gates="", node=False, issuer="kubernetes"):
        self.directory = directory
        self.audit_log = audit_log
        self.feature_gates = feature_gates
        self.node = node
        self.token = secrets.token_urlsafe(24)
        self.node_token = secrets.token_urlsafe(24)
        self.address, port = SERVICE if node else ("127.0.0.1", 0)
        # The reserving sockets live as long as this object, and keep the ports for it.
        self.reserved, ports = zip(reserve_port(self.address, port), reserve_port(), reserve_port())
        self.port, self.etcd_port, self.etcd_peer_port = ports
        self.server = f"https://{self.address}:{self.port}"
        self.issuer = self.server if issuer == "own" else "https://kubernetes.default.svc"
        self.commands = {
            "stop-apiserver": self.stop_apiserver,
            "start-apiserver": self.start_apiserver,
            "restart-controllers": self.restart_controllers,
        }
        self.etcd = Component("etcd", self.etcd_command(), directory)
        self.apiserver = Component("kube-apiserver", self.apiserver_command(), directory)
        # Without them nothing collects the dependents of what was deleted, and no namespace gets a ServiceAccount or ends.
        self.controllers = Component("kube-controller-manager", self.controllers_command(), directory) if controllers else None
        self.scheduler = Component("kube-scheduler", self.scheduler_command(), directory) if node else None

    def start(self):
        self.write_files()
        self.etcd.start()
        self.start_apiserver()
        if self.controllers:
            # The first thing that the controllers make and that every pod and token needs.
            account = "/api/v1/namespaces/default/serviceaccounts/default"
            self.controllers.wait_until(lambda: self.get(account) == 200, "the default ServiceAccount was made")
        if self.scheduler:
            self.scheduler.start()
        return {
            "kubeconfig": str(self.directory / "kubeconfig"),
            "server": self.server,
            "ca_file": str(self.ca),
            "audit_log": str(self.directory / "audit.jsonl"),
            "dir": str(self.directory),
            "apiserver_process": str(self.apiserver.process.pid),
        }

    def stop(self):
        if self.scheduler:
            self.scheduler.stop()
        self.stop_controllers()
        self.apiserver.stop()
        self.etcd.stop()

    def command(self, command):
        run = self.commands.get(command["cmd"])
        if run is None:
            raise Failure(f"there is no command {command['cmd']!r}: choose from {', '.join(self.commands)}")
        run()
        return {"ok": True}

    def start_apiserver(self):
        if self.apiserver.process is not None:
            raise Failure("the API server runs already: stop-apiserver first")
        self.apiserver.start()
        self.apiserver.wait_until(lambda: self.get("/readyz") == 200, "/readyz was ok")
        if self.controllers:
            self.controllers.start()

    def stop_apiserver(self):
        if self.apiserver.process is None:
            raise Failure("the API server is stopped already: start-apiserver first")
        # Controllers that lived through an outage come back only after a back-off of many seconds.
        self.stop_controllers()
        self.apiserver.stop()

    def stop_controllers(self):
        if self.controllers:
            self.controllers.stop()

    def restart_controllers(self):
        """Garbage collection looks for new kinds only every 30 s, and at its start."""
        if self.apiserver.process is None:
            raise Failure("the API server is stopped: start-apiserver starts the controllers too")
        if self.controllers is None:
            raise Failure("this control plane has no controllers")
        self.controllers.stop()
        self.controllers.start()

    def get(self, path):
        """The status of a request as admin, or None when there is no answer."""
        connection = http.client.HTTPSConnection(self.address, self.port, timeout=5, context=self.tls)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def write_files(self):
        names = "DNS:localhost, DNS:kubernetes.default.svc, IP:127.0.0.1, IP:10.96.0.1"
        self.ca = make_certificates(self.directory, names)
        self.tls = ssl.create_default_context(cafile=self.ca)
        service_accounts = self.directory / "service-accounts.key"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", service_accounts)
        openssl("pkey", "-in", service_accounts, "-pubout", "-out", self.directory / "service-accounts.pub")
        self.write("audit-policy.yaml", AUDIT_POLICY)
        self.write("kubeconfig", KUBECONFIG.format(server=self.server, ca=self.ca, token=self.token))
        tokens = f"{self.token},admin,admin,system:masters\n"
        if self.node:
            tokens += f"{self.node_token},system:node:{NODE},{NODE},system:nodes\n"
            self.write("kubelet.kubeconfig", KUBECONFIG.format(server=self.server, ca=self.ca, token=self.node_token))
            # The kubelet accepts who has a certificate of this CA: the API server, for logs and exec.
            make_signed_certificate(self.directory, "kubelet-client", "/CN=kube-apiserver", "client")
        self.write("tokens.csv", tokens)

    def write(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)

    def etcd_command(self):
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.etcd_peer_port}"
        return [
            tool("bin/etcd"),
            "--name=test",
            f"--data-dir={self.directory}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=test={peer}",
            "--socket-reuse-port",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def apiserver_command(self):
        directory = self.directory
        audit_log = [
            f"--audit-policy-file={directory}/audit-policy.yaml",
            f"--audit-log-path={directory}/audit.jsonl",
            "--audit-log-maxsize=10000",  # never rotated: a test reads one file
        ]
        node = [
            f"--kubelet-client-certificate={directory}/kubelet-client.crt",
            f"--kubelet-client-key={directory}/kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--enable-admission-plugins=NodeRestriction",
        ]
        return [
            tool("bin/kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            f"--bind-address={self.address}",
            f"--secure-port={self.port}",
            "--permit-port-sharing",
            "--service-cluster-ip-range=10.96.0.0/16",
            # The `kubernetes` Service cannot have a loopback address as its endpoint: let it have none.
            f"--advertise-address={self.address}",
            "--endpoint-reconciler-type=none",
            f"--tls-cert-file={directory}/server.crt",
            f"--tls-private-key-file={directory}/server.key",
            f"--cert-dir={directory}",
            f"--service-account-issuer={self.issuer}",
            # A second audience, as many clusters have one of their own.
            f"--api-audiences={self.issuer},https://cluster.example.com",
            f"--service-account-key-file={directory}/service-accounts.pub",
            f"--service-account-signing-key-file={directory}/service-accounts.key",
            f"--token-auth-file={directory}/tokens.csv",
            "--authorization-mode=Node,RBAC",
            *(audit_log if self.audit_log else []),
            *([f"--feature-gates={self.feature_gates}"] if self.feature_gates else []),
            *(node if self.node else []),
        ]

    def controllers_command(self):
        return [
            tool("bin/kube-controller-manager"),
            f"--kubeconfig={self.directory}/kubeconfig",
            f"--service-account-private-key-file={self.directory}/service-accounts.key",
            f"--root-ca-file={self.directory}/ca.crt",
            "--secure-port=0",
            "--leader-elect=false",
            # With the defaults the default ServiceAccount of a new namespace takes 5 s.
            "--kube-api-qps=500",
            "--kube-api-burst=500",
        ]

    def scheduler_command(self):
        return [
            tool("bin/kube-scheduler"),
            f"--kubeconfig={self.directory}/kubeconfig",
            "--secure-port=0",
            "--leader-elect=false",
        ]

"""containerd and the kubelet, in the namespaces that __main__ made."""

import json
import subprocess
from pathlib import Path

from environment.control_plane import NODE, SERVICE
from environment.processes import Component, Failure, tool

from .images import CONSUMER, archives
from .machine import DIRECTORY, KUBELET, plugins

ADDRESS = SERVICE[0]
HOME = Path("/run/node")
SOCKET = "/run/containerd/containerd.sock"
# What a kubelet sets, for the whole machine.
SYSCTLS = [
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
]  # fmt: skip

UNUSED = ", ".join(f'"io.containerd.snapshotter.v1.{name}"' for name in ("btrfs", "zfs", "devmapper"))
CONTAINERD = f"""\
version = 2
root = "{HOME}/containerd"
state = "/run/containerd"
disabled_plugins = [{UNUSED}]
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{CONSUMER}"
# In a container of its own, root may not lower it.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{{plugins}}"
conf_dir = "{HOME}/network"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""

NETWORK = {
    "cniVersion": "0.4.0", "name": "pods",
    "plugins": [{
        "type": "bridge", "bridge": "pods", "isGateway": True,
        "ipam": {
            "type": "host-local", "dataDir": f"{HOME}/addresses", "ranges": [[{"subnet": "10.244.0.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }],
}  # fmt: skip


def kubelet_configuration(control_plane):
    """The defaults, as far as they work without systemd and on a machine whose disk is nearly full. What is said of secrets and of
    the times at which pods are synchronized stays as it is."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{SOCKET}", "cgroupDriver": "cgroupfs", "failCgroupV1": False, "failSwapOn": False,
        "address": ADDRESS, "makeIPTablesUtilChains": False, "resolvConf": str(HOME / "resolv.conf"),
        "authentication": {
            "anonymous": {"enabled": False}, "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{control_plane['dir']}/ca.crt"},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    }  # fmt: skip


def prepare():
    """Hides the places of this machine that a node writes to. Nothing outside the namespaces sees it."""
    mount("-t", "tmpfs", "tmpfs", "/run")
    mount("-t", "tmpfs", "tmpfs", KUBELET)
    logs = DIRECTORY / "log"
    logs.mkdir()
    mount("--bind", logs, "/var/log")
    for directory in (HOME / "network", HOME / "sysctls"):
        directory.mkdir(parents=True)
    (HOME / "resolv.conf").touch()
    for number, name in enumerate(SYSCTLS):
        real, ours = Path("/proc/sys") / name, HOME / "sysctls" / str(number)
        ours.write_bytes(real.read_bytes())
        mount("--bind", ours, real)
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")


class Runtime:
    def __init__(self):
        (HOME / "network" / "pods.conflist").write_text(json.dumps(NETWORK))
        config = HOME / "containerd.toml"
        config.write_text(CONTAINERD.format(plugins=plugins()))
        self.containerd = Component("containerd", ["containerd", "--config", config], DIRECTORY)
        self.containerd.start()
        self.containerd.wait_until(lambda: self.ctr("version").returncode == 0, "containerd answered")
        for archive in archives():
            done = self.ctr("images", "import", archive)
            if done.returncode:
                raise Failure(f"containerd can't import {archive}: {done.stderr}")

    def ctr(self, *arguments):
        command = ["ctr", "--address", SOCKET, "--namespace", "k8s.io", *arguments]
        return subprocess.run(command, capture_output=True, text=True)


class Kubelet:
    def __init__(self, control_plane):
        config = HOME / "kubelet.json"
        config.write_text(json.dumps(kubelet_configuration(control_plane)))
        kubeconfig = f"{control_plane['dir']}/kubelet.kubeconfig"
        flags = [f"--config={config}", f"--kubeconfig={kubeconfig}", f"--node-ip={ADDRESS}", f"--hostname-override={NODE}"]
        self.kubelet = Component("kubelet", [tool("bin/kubelet"), *flags], DIRECTORY)
        self.kubelet.start()

    def wait_until(self, ready, what):
        self.kubelet.wait_until(ready, what)


def mount(*arguments):
    run("mount", *arguments)


def run(*command):
    subprocess.run(command, check=True)

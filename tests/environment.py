#!/usr/bin/env python3
"""Starts what the tests run against: a Kubernetes control plane, an OAuth token server, or one of two other makers'.

    python3 tests/environment.py control-plane --dir DIR [--audit-log true] [--controllers true]
                                 [--feature-gates WatchList=false] [--node true] [--issuer own]
    python3 tests/environment.py token-server --dir DIR [--lifetime 3600] [--rotate true] [--grace 0]
                                 [--reuse-protection false] [--hashed-tokens false] [--hash-rounds cheap]
                                 [--address 127.0.0.1]
    python3 tests/environment.py oidc-provider --dir DIR --clients '[{"client_id": "a", ...}]' [--lifetime 3600]
    python3 tests/environment.py keycloak --dir DIR [--trust ca.crt]

Prints one JSON line once everything answers: where it is and which files belong to it. Then each JSON line
on stdin is a command, answered by one JSON line. Everything ends with stdin, SIGTERM or SIGINT; DIR stays,
with the logs. The tools come from tests/tools/build.sh.

With --issuer own the tokens of ServiceAccounts name the API server's own address as their issuer, where anybody may read its
metadata and keys: another program can verify them.

With --node true the control plane is for a kubelet too: it listens on the address of the `kubernetes` Service, 10.96.0.1 with port
443, which has to be an address of this machine; kube-scheduler runs; and kubelet.kubeconfig is that of the node called `node`.

--hashed-tokens is django-oauth-toolkit's own COMPLIANT_BCP_RFC9700_TOKEN_STORAGE: no token is readable in the
database. With --grace a retry then gets a 500 until the grace period ends: the pair to repeat is not there.

Commands of the control plane:
    {"cmd": "stop-apiserver"}     as a crash: connections are cut, the port refuses
    {"cmd": "start-apiserver"}    on the same port, with the same data; answered when ready
    {"cmd": "restart-controllers"}    after installing a CRD: else its objects' dependents are collected
                                      only after about 40 s
Commands of the token server:
    {"cmd": "create-client", "client_id": "a", "client_secret": "b"}
        optional: "scopes": "read write", "grant_type": "client-credentials" or "authorization-code",
        "redirect_uris": "http://127.0.0.1:8000/callback",
        "client_type": "confidential" or "public", which needs no client_secret
    {"cmd": "set-secret", "client_id": "a", "client_secret": "c"}
    {"cmd": "delete-client", "client_id": "a"}
    {"cmd": "create-user", "username": "u", "password": "p"}    who can sign in on /o/authorize/
    {"cmd": "sign-in", "client_id": "a", "client_secret": "b", "username": "u", "password": "p",
     "redirect_uri": "http://127.0.0.1:8000/callback", "scopes": "read write"}
        as that user's browser, with PKCE and consent; a public client has no client_secret; answered by
        {"ok": true, "refresh_token": "...", "access_token": "...", "expires_in": 3600}
    {"cmd": "forbid", "on": true}                               403 to every token request
    {"cmd": "delay", "before": 0, "after": 5}    later token requests: seconds before one is processed, and
                                                 between its commit and its answer; 0 is off
    {"cmd": "hold", "on": true}                  committed token requests are not answered until it is off
    {"cmd": "lose-answers", "count": 1}          the next token requests are committed, but answered by 502
    {"cmd": "lifetimes", "seconds": [18, 3600]}  of the access tokens that the next token requests are answered with, one
                                                 after the other; the last holds for all later ones
    {"cmd": "graces", "seconds": [120, 0]}       the grace period at the next token requests, in the same way
    {"cmd": "revoke", "token": "an access or refresh token"}
All of these hold for the token request of sign-in too.
Answers: {"ok": true} or {"error": "why"}.

The request log of the token server has a line of JSON for each token request, before it is answered (and
before the delay "after" and "hold"): time, client_id, grant_type, authentication ("body" or "basic"), status
(what the client gets), committed_status (what the server did; absent if forbidden), and the first 16 hex
digits of the SHA-256 of two refresh tokens: refresh_token (that was sent) and issued (that was answered);
absent for none.

oidc-provider (tests/oidc_provider) has no commands. Its clients are metadata of OpenID Connect Dynamic Client Registration:
one with "application_type": "native" may use any port of a loopback redirect URI, one with "web" only what is registered,
and one with "token_endpoint_auth_method": "none" is public. Its file `exchanges` has each token request with its secrets.

Commands of keycloak, for its realm `test`:
    {"cmd": "admin", "method": "POST", "path": "/clients", "body": {"clientId": "a", ...}}    its administration
    {"cmd": "sign-in", "client": {"client_id": "a", "client_secret": "b"}, "username": "u", "password": "p"}
The directory of keycloak has client.crt and other-client.crt, with their keys, of a CA that it trusts; --trust adds a CA.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from environment import control_plane, keycloak, oidc_provider, token_server  # noqa: E402
from environment.processes import Failure  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    plane = kinds.add_parser("control-plane")
    plane.add_argument("--dir", type=Path, required=True)
    plane.add_argument("--audit-log", choices=["true", "false"], default="true", help="it costs the API server much")
    plane.add_argument("--controllers", choices=["true", "false"], default="true", help="start kube-controller-manager")
    plane.add_argument("--feature-gates", default="", help="of the API server, such as WatchList=false")
    plane.add_argument("--node", choices=["true", "false"], default="false", help="listen where pods look for it")
    plane.add_argument("--issuer", choices=["kubernetes", "own"], default="kubernetes", help="of ServiceAccount tokens")
    server = kinds.add_parser("token-server")
    server.add_argument("--dir", type=Path, required=True)
    server.add_argument("--lifetime", type=int, default=3600, help="of access tokens, in seconds")
    server.add_argument("--rotate", choices=["true", "false"], default="true", help="refresh tokens on use")
    server.add_argument("--grace", type=int, default=0, help="seconds for which a rotated token still works")
    server.add_argument("--reuse-protection", choices=["true", "false"], default="false")
    server.add_argument("--hashed-tokens", choices=["true", "false"], default="false", help="store no token itself")
    server.add_argument("--hash-rounds", choices=["cheap", "real"], default="cheap")
    server.add_argument("--address", default="127.0.0.1", help="where it listens")
    other = kinds.add_parser("oidc-provider")
    other.add_argument("--dir", type=Path, required=True)
    other.add_argument("--clients", required=True, help="a JSON list of client metadata")
    other.add_argument("--lifetime", type=int, default=3600, help="of access tokens, in seconds")
    third = kinds.add_parser("keycloak")
    third.add_argument("--dir", type=Path, required=True)
    third.add_argument("--trust", action="append", default=[], help="a file with the certificate of a CA")
    return parser.parse_args()


def say(message):
    print(json.dumps(message), flush=True)


def new_directory(path):
    path = path.resolve()
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise Failure(f"{path} is not empty: give a new directory, so that nothing of an earlier run is left")
    return path


def answer(environment, line):
    try:
        command = json.loads(line)
        if not isinstance(command, dict) or not isinstance(command.get("cmd"), str):
            raise ValueError
    except ValueError:
        return {"error": 'a command is one line of JSON such as {"cmd": "..."}'}
    try:
        return environment.command(command)
    except Failure as failure:
        return {"error": str(failure)}


def stop_on_signals():
    def stop(number, frame):
        for signal_number in handled:
            signal.signal(signal_number, signal.SIG_IGN)  # a second one must not interrupt the stopping
        sys.exit(0)

    handled = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    for number in handled:
        signal.signal(number, stop)


def main():
    options = arguments()
    stop_on_signals()
    environment = None
    try:
        directory = new_directory(options.dir)
        if options.kind == "control-plane":
            audit_log, controllers = options.audit_log == "true", options.controllers == "true"
            node = options.node == "true"
            gates, issuer = options.feature_gates, options.issuer
            environment = control_plane.ControlPlane(directory, audit_log, controllers, gates, node, issuer)
        elif options.kind == "keycloak":
            environment = keycloak.Keycloak(directory, options)
        elif options.kind == "oidc-provider":
            environment = oidc_provider.OidcProvider(directory, options)
        else:
            environment = token_server.TokenServer(directory, options)
        say(environment.start())
        for line in sys.stdin:
            say(answer(environment, line))
    except Failure as failure:
        print(f"environment.py: {failure}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        pass  # nobody reads the answers any more
    finally:
        if environment:
            environment.stop()


if __name__ == "__main__":
    main()

"""Commands of the test environment, answered by a thread inside the server: no Django start for each."""

import hashlib
import json
import os
import socket
import threading

from django.contrib.auth import get_user_model
from django.core.management import call_command
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from . import faults
from .models import Application


def start():
    """Makes the tables, reports `ready` to the launcher, then serves its commands."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    stream = socket.socket(fileno=int(os.environ["TOKEN_SERVER_CONTROL_FD"])).makefile("rw")
    threading.Thread(target=serve, args=[stream], daemon=True).start()


def serve(stream):
    say(stream, {"ready": True})
    for line in stream:
        say(stream, answer(line))
    os._exit(0)  # the launcher is gone, however it ended: so is the server


def say(stream, message):
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def answer(line):
    try:
        arguments = json.loads(line)
        name = arguments.pop("cmd")
        if name not in COMMANDS:
            return {"error": f"there is no command {name!r}: choose from sign-in, {', '.join(COMMANDS)}"}
        COMMANDS[name](**arguments)
        return {"ok": True}
    except Exception as error:  # a wrong command must not end the server
        return {"error": f"{type(error).__name__}: {error}"}


def create_client(
    client_id,
    client_secret="",
    scopes="read write",
    grant_type="client-credentials",
    redirect_uris="",
    client_type=Application.CLIENT_CONFIDENTIAL,
):
    if client_type not in dict(Application.CLIENT_TYPES):
        raise ValueError(f"client_type {client_type!r} is neither confidential nor public")
    if client_type == Application.CLIENT_CONFIDENTIAL and not client_secret:
        raise ValueError("a confidential client needs a client_secret")
    if Application.objects.filter(client_id=client_id).exists():
        raise ValueError(f"client {client_id!r} exists already: use set-secret or another client_id")
    Application.objects.create(
        name=client_id,
        client_id=client_id,
        client_secret=client_secret,
        client_type=client_type,
        authorization_grant_type=grant_type,
        redirect_uris=redirect_uris,
        allowed_scopes=scopes,
    )


def set_secret(client_id, client_secret):
    application = Application.objects.get(client_id=client_id)
    application.client_secret = client_secret  # hashed by save
    application.save()


def delete_client(client_id):
    Application.objects.get(client_id=client_id).delete()


def create_user(username, password):
    get_user_model().objects.create_user(username, password=password)


def forbid(on):
    faults.forbidden = on


def delay(before=0, after=0):
    if not (before >= 0 and after >= 0):
        raise ValueError("before and after are seconds, 0 for none")
    faults.before, faults.after = before, after


def hold(on):
    if on:
        faults.released.clear()
    else:
        faults.released.set()


def lose_answers(count):
    with faults.lock:
        faults.lost = int(count)


def lifetimes(seconds):
    plan("ACCESS_TOKEN_EXPIRE_SECONDS", seconds)


def graces(seconds):
    plan("REFRESH_TOKEN_GRACE_PERIOD_SECONDS", seconds)


def plan(setting, seconds):
    with faults.lock:
        faults.planned[setting] = [int(value) for value in seconds]


def revoke(token):
    checksum = hashlib.sha256(token.encode()).hexdigest()  # all that there is with --hashed-tokens true
    for model in (get_access_token_model(), get_refresh_token_model()):
        found = model.objects.filter(token_checksum=checksum).first()
        if found:
            return found.revoke()
    raise ValueError("no such token: it was never issued, or is revoked or rotated already")


COMMANDS = {
    "create-client": create_client,
    "set-secret": set_secret,
    "delete-client": delete_client,
    "create-user": create_user,
    "forbid": forbid,
    "delay": delay,
    "hold": hold,
    "lose-answers": lose_answers,
    "lifetimes": lifetimes,
    "graces": graces,
    "revoke": revoke,
}

"""gunicorn: one process with threads, on the listening socket that tests/environment hands over."""

import os

directory = os.environ["TOKEN_SERVER_DIR"]

bind = "fd://" + os.environ["TOKEN_SERVER_LISTEN_FD"]
certfile = directory + "/server.crt"
keyfile = directory + "/server.key"
workers = 1
worker_class = "gthread"
threads = 8
accesslog = "-"
# Only path and status: a query could hold a code or a token.
access_log_format = '%(t)s "%(m)s %(U)s" %(s)s'
control_socket_disable = True  # it would be a file in the home directory


def post_worker_init(worker):
    from token_server import control

    control.start()

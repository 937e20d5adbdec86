"""What the control thread can make go wrong with token requests. One process serves them all: plain memory will do."""

import threading

from oauth2_provider.settings import oauth2_settings

forbidden = False
before = after = 0.0  # seconds
lost = 0
lock = threading.Lock()
planned = {"ACCESS_TOKEN_EXPIRE_SECONDS": [], "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": []}
released = threading.Event()  # answers wait for it
released.set()


def lose_this_answer():
    """Whether this answer is one of the next that get lost."""
    global lost
    with lock:
        losing = lost > 0
        lost -= losing
    return losing


def take_planned_settings():
    """Puts in force what is planned for this token request; the last value of a plan stays for all later ones."""
    with lock:
        for setting, values in planned.items():
            if values:
                setattr(oauth2_settings, setting, values.pop(0))

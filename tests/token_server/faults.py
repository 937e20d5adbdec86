"""What the control thread can make go wrong with token requests. One process serves them all: plain memory will do."""

import threading

forbidden = False
before = after = 0.0  # seconds
lost = 0
lock = threading.Lock()
released = threading.Event()  # answers wait for it
released.set()


def lose_this_answer():
    """Whether this answer is one of the next that get lost."""
    global lost
    with lock:
        losing = lost > 0
        lost -= losing
    return losing

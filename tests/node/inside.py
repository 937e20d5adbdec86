"""The tests, in the namespaces that __main__ made. Nothing is stopped here: it all ends with this process."""

import sys
import time
import unittest
from pathlib import Path

from environment.processes import Failure

from .figures import show
from .kubelet import prepare
from .place import Place
from .world import World


def main():
    started = time.monotonic()
    try:
        prepare()
        Place.world = World()
    except Failure as failure:
        sys.exit(f"make node: {failure}")
    print(f"the node runs, with the operator as a pod, after {time.monotonic() - started:.1f} s", flush=True)
    here = Path(__file__).parent
    program = unittest.TestProgram(
        module=None,
        argv=["node", "discover", "-v", "-s", str(here), "-t", str(here.parent), "-p", "*_test.py", *sys.argv[1:]],
        exit=False,
    )
    show()
    sys.exit(not program.result.wasSuccessful() or program.result.testsRun == 0)


if __name__ == "__main__":
    main()

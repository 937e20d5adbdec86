"""Gets tokens of Keycloak and oidc-provider: `make servers`.

    python3 -m servers [-k PATTERN] [-f] [TEST...]    in tests/

Needs target/debug/cube-operator. Logs stay in target/servers.
"""

import sys
import unittest
from pathlib import Path

from .place import Place
from .world import World


def main():
    Place.world = World()
    here = Path(__file__).parent
    try:
        suite = unittest.defaultTestLoader
        program = unittest.TestProgram(
            module=None,
            argv=["servers", "discover", "-v", "-s", str(here), "-t", str(here.parent), "-p", "*_test.py", *sys.argv[1:]],
            testLoader=suite,
            exit=False,
        )
    finally:
        Place.world.close()
    ran = program.result.testsRun
    sys.exit(not program.result.wasSuccessful() or ran == 0)


if __name__ == "__main__":
    main()

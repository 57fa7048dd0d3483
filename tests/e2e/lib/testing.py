"""The frame of the tests: programs from --bin, a folder for each test, relays that are ended."""
import os
import shutil
import sys
import tempfile
import unittest

from lib.mediation import Mediation
from lib.relay import Relay

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "..", "..", "data"))
sys.path.insert(0, DATA)

programs = None


class ProgramTest(unittest.TestCase):
    """A test with `self.work`, a folder of its own. Relays that it starts end with it."""

    maxDiff = None

    def setUp(self):
        self.programs = programs
        self.work = tempfile.mkdtemp(prefix="parley-e2e-")
        self.relays = []

    def tearDown(self):
        outcome = self._outcome
        failed = outcome is not None and not outcome.success
        for relay in self.relays:
            if failed and os.path.exists(relay.log):
                print(f"---- the end of {relay.log}\n{relay.log_text()[-3000:]}\n----",
                      file=sys.stderr)
            if relay.process is not None and relay.process.poll() is None:
                relay.kill()
        shutil.rmtree(self.work, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.work, *names)

    def relay(self, name="relay"):
        relay = Relay(self.programs, self.path(name))
        self.relays.append(relay)
        return relay

    def mediation(self, **options):
        mediation = Mediation(self.programs, self.work, **options)
        self.relays.append(mediation.relay)
        return mediation

    def write(self, name, data):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(data)
        return path


def is_long_run():
    return os.environ.get("PARLEY_LONG") == "1"


def main():
    """Runs the tests of the calling module; --bin FOLDER is taken from the arguments."""
    global programs
    arguments = list(sys.argv)
    if "--bin" not in arguments or arguments.index("--bin") + 1 >= len(arguments):
        sys.exit("usage: " + os.path.basename(arguments[0]) + " --bin FOLDER [unittest options]")
    place = arguments.index("--bin")
    programs = os.path.abspath(arguments[place + 1])
    del arguments[place:place + 2]
    for name in ("parley", "parley-relay"):
        if not os.access(os.path.join(programs, name), os.X_OK):
            sys.exit(f"{os.path.join(programs, name)} is missing: build it first")
    sys.modules["lib.testing"].programs = programs
    unittest.main(module="__main__", argv=arguments, verbosity=2)

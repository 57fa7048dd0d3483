#!/usr/bin/env python3
"""The passphrase of a profile is set, changed and removed, also when the program is killed meanwhile."""
import os
import sys

from lib import testing
from lib.mediation import ANA
from lib.watching import Watching

KILLED = -9
STRIDE = 1 if testing.is_long_run() else 9  # of the calls that write, to kill at


class PassphraseTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open()
        self.ana = self.case.add(ANA)
        self.ana.send("joint", "kept")
        self.files = {name: self.write(name, name.encode() + b" horse\n")
                      for name in ("first", "second", "wrong")}

    def change(self, name, how="run"):
        return getattr(self.ana, how)("passphrase", "change", "--new-passphrase-file",
                                      self.files[name])

    def open_with(self, name):
        """From now on commands use this passphrase; None for none."""
        self.ana.passphrase_file = self.files.get(name)

    def is_open(self):
        return self.ana.attempt("--offline", "read", self.case.case, "joint")

    def assert_opens(self, name):
        self.open_with(name)
        self.assertEqual(self.ana.texts("joint")[0], "kept")

    def assert_closed_to(self, *names):
        for name in names:
            self.open_with(name)
            self.assertIn("passphrase", self.ana.refused("read", self.case.case, "joint"))

    def test_set_change_and_remove(self):
        self.assertNotIn("horse", self.change("first").out)
        self.assertFalse(os.path.exists(os.path.join(self.ana.folder, "store.key")))
        self.assert_closed_to(None, "wrong")
        self.assert_opens("first")
        self.change("second")
        self.assert_closed_to("first")
        self.assert_opens("second")
        self.assertEqual(self.ana.objects("passphrase", "remove", "--yes"),
                         [{"profile": self.ana.folder, "locked": False}])
        self.assert_opens(None)
        self.ana.send("joint", "and it goes on")
        self.assertEqual(self.case["mira"].texts("joint"), ["kept", "and it goes on"])

    def test_who_does_not_know_it_changes_nothing(self):
        self.change("first")
        for name in (None, "wrong"):
            self.open_with(name)
            self.assertIn("passphrase", self.change("second", "refused"))
            self.assertIn("passphrase", self.ana.refused("passphrase", "remove", "--yes"))
        self.assert_opens("first")

    def test_what_cannot_be_a_new_one(self):
        for path in (self.write("empty", b"\n"), self.path("missing"), self.work):
            self.ana.refused("passphrase", "change", "--new-passphrase-file", path)
        # There is no terminal to ask on.
        self.ana.refused("passphrase", "change")
        self.assert_opens(None)

    def test_programs_that_have_it_open_go_on(self):
        watching = Watching(self.ana).wait_for("connected")
        self.change("first")
        self.case["mira"].send("joint", "after the change")
        watching.wait_for("after the change").stop()
        self.open_with("first")
        self.assertEqual(self.ana.texts("joint"), ["kept", "after the change"])

    def test_many_at_once_while_it_changes(self):
        """None of them finds the profile damaged; those that are refused name the passphrase."""
        self.change("first")
        self.open_with("first")
        changing = self.ana.start("passphrase", "remove", "--yes")
        reading = [self.ana.start("--offline", "read", self.case.case, "joint") for _ in range(4)]
        for process in [changing, *reading]:
            out, err = process.communicate(timeout=120)
            self.assertEqual((process.returncode, err.count("damaged")), (0, 0), err)
        self.assert_opens(None)

    def killed_at(self, at, *command):
        """Runs a command and kills it at its call number `at` that writes; 0: not at all."""
        shim = os.path.join(self.programs, "parley_kill_at.so")
        os.environ.update(LD_PRELOAD=shim, PARLEY_KILL_AT=str(at))
        try:
            return self.ana.attempt(*command)
        finally:
            del os.environ["LD_PRELOAD"], os.environ["PARLEY_KILL_AT"]

    def current(self):
        """Which passphrase opens the profile, after a kill: exactly one does."""
        opens = []
        for name in (None, "first", "second"):
            self.open_with(name)
            found = self.is_open()
            if found.status == 0:
                self.assertIn("kept", found.out)
                if name is None:
                    return None  # a profile that isn't locked opens with any
                opens.append(name)
        self.assertEqual(len(opens), 1, opens)
        return opens[0]

    def test_killed_in_the_middle(self):
        """Exactly the old one or the new one opens it, and all is there."""
        steps = ((None, "first"), ("first", "second"), ("second", None))
        for old, new in steps:
            command = ("passphrase", "remove", "--yes") if new is None else (
                "passphrase", "change", "--new-passphrase-file", self.files[new])
            killed, at = 0, 0
            while self.current() == old:
                at += STRIDE
                self.assertLess(at, 200, "it is never done")
                self.open_with(old)
                outcome = self.killed_at(at, *command)
                self.assertIn(outcome.status, (0, KILLED), outcome)
                killed += outcome.status == KILLED
                self.assertIn(self.current(), (old, new), f"{command} killed at {at}")
            print(f"    {old} to {new}: killed {killed} times", file=sys.stderr)
            self.assertGreater(killed, 2, command)
            self.assertEqual(self.current(), new)
        self.assert_opens(None)


if __name__ == "__main__":
    testing.main()
